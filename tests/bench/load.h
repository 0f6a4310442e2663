// tests/bench/load.h
//
// A closed loop of callers: each sends its next call when the last one was answered.
#ifndef FADU_TESTS_BENCH_LOAD_H_
#define FADU_TESTS_BENCH_LOAD_H_

#include <functional>
#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include "absl/time/time.h"

namespace fadu::bench {

struct LoadOptions {
  std::string target;  // host:port
  std::string method;  // "/fadu.common.v1.RecordService/CreateRecord"
  int channels = 4;    // connections
  int callers = 32;
  absl::Duration warm_up;  // not measured, but sent
  absl::Duration measure;
  const google::protobuf::Message* request = nullptr;   // copied for each caller
  const google::protobuf::Message* response = nullptr;  // a prototype
  // Before each call: makes the caller's next request out of its last one and the last answer,
  // which is null before the first. On any thread, never twice at once for one caller.
  std::function<void(int caller, google::protobuf::Message& request,
                     const google::protobuf::Message* answer)>
      next;
  // The bearer of a caller.
  std::function<std::string(int caller)> bearer;
};

struct LoadResult {
  int64_t answered = 0;              // OK, warm-up and all
  int64_t measured = 0;              // OK, within the time measured
  double seconds = 0;                // measured
  std::vector<double> milliseconds;  // of each measured call, sorted
  std::string failure;               // the first; empty: none. A caller that failed stops.

  double rate() const { return seconds > 0 ? static_cast<double>(measured) / seconds : 0; }
  double mean() const;
  // `share` of the calls took at most so long; 0.99 is p99.
  double percentile(double share) const;
};

// Runs the loop; returns when every call is answered.
LoadResult RunLoad(const LoadOptions& options);

}  // namespace fadu::bench

#endif  // FADU_TESTS_BENCH_LOAD_H_
