// tests/reliability/state.h
#ifndef FADU_TESTS_RELIABILITY_STATE_H_
#define FADU_TESTS_RELIABILITY_STATE_H_

#include <string>
#include <vector>

#include "tests/reliability/caller.h"

namespace fadu::reliability {

// Prints what became of it all, one JSON line each: every record, event and fact of Services() in
// `counties` as the public RPCs tell them, what the chains' own verification says, and scoring's
// facts once it has taken the feeds, as they lie in its table. 1 when any of that could not be
// read.
int PrintState(const Place& place, const std::vector<std::string>& counties,
               const std::string& admin_dsn);

}  // namespace fadu::reliability

#endif  // FADU_TESTS_RELIABILITY_STATE_H_
