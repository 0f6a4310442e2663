// tests/reliability/load.h
#ifndef FADU_TESTS_RELIABILITY_LOAD_H_
#define FADU_TESTS_RELIABILITY_LOAD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/reliability/caller.h"

namespace fadu::reliability {

struct LoadOptions {
  Place place;
  std::vector<std::string> counties;
  std::string log;  // ClientLog; appended to
  std::string mix;  // "all", or "numbers": nothing but normative documents of one symbol
  int callers = 12;
  int wishes = 0;  // of each caller; 0: until standard input ends
  uint64_t seed = 1;
};

// Writes until it is told to stop, asking again with the same request id whatever is not answered,
// and prints one line of JSON. 1 when a wish stayed unanswered for a minute, or the first records
// could not be made.
int RunLoad(const LoadOptions& options);

}  // namespace fadu::reliability

#endif  // FADU_TESTS_RELIABILITY_LOAD_H_
