// services/fadu/sample_records.h
//
// The parts of the sample generator: what each service's records of a town look like. Internal to
// sample*.cc. Everything is synthetic and follows from the seed.
#ifndef FADU_SERVICES_FADU_SAMPLE_RECORDS_H_
#define FADU_SERVICES_FADU_SAMPLE_RECORDS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/fadu/sample.h"

namespace fadu::cli {

// Numbers that are the same on every machine: the engine's output is fixed by the standard, its
// distributions are not.
class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  int Below(int bound) { return static_cast<int>(engine_() % static_cast<uint64_t>(bound)); }
  int Between(int low, int high) { return low + Below(high - low + 1); }
  bool Chance(int percent) { return Below(100) < percent; }

 private:
  std::mt19937_64 engine_;
};

// How well a village or town works, 0 (weak) to 3 (strong); follows from its code.
int DiligenceOf(const std::string& area_code);

using Messages = std::vector<std::unique_ptr<google::protobuf::Message>>;

template <typename Message>
Messages CopiesOf(const std::vector<Message>& messages) {
  Messages copies;
  for (const Message& message : messages) copies.push_back(std::make_unique<Message>(message));
  return copies;
}

// Records messages of one type for a town and gives back their ids, in order. `what` tells this
// call's wishes from all others.
using Recorder = std::function<absl::StatusOr<std::vector<std::string>>(
    const std::string& service, absl::string_view what, const Messages& messages)>;

// The disputes, visits after their settlement, task forces and safety groups; the events, the
// town's yearly exam and the county's for village cadres. Panjiawan carries the founding report's 5
// task forces and its 1 exam that everybody sat and passed. Return how many records there are.
absl::StatusOr<int64_t> RecordMediation(const SampleArea& town,
                                        const std::vector<SampleArea>& villages,
                                        const std::vector<fadu::mediation::v1::Dispute>& disputes,
                                        uint64_t seed, const Recorder& record);
absl::StatusOr<int64_t> RecordEducation(
    const SampleArea& town, const std::vector<SampleArea>& villages,
    const std::vector<fadu::education::v1::EducationEvent>& events, uint64_t seed,
    const Recorder& record);

// Sessions of the town and its villages, acts of the first responsible person, honours,
// shortcomings and next year's plan; and officers with training and certificates. Panjiawan carries
// the founding report's 50 study sessions, 4 deployments, 4 reports heard, 1 provincial honour,
// 3 shortcomings and 4 plan blocks. Return how many records there are.
absl::StatusOr<int64_t> RecordGovernance(const SampleArea& town,
                                         const std::vector<SampleArea>& villages, uint64_t seed,
                                         const Recorder& record);
// Legality reviews and normative documents: Panjiawan's 10 contracts and 2 rules, the villages'
// contracts and by-laws.
absl::StatusOr<int64_t> RecordLegality(const SampleArea& town,
                                       const std::vector<SampleArea>& villages, uint64_t seed,
                                       const Recorder& record);
absl::StatusOr<int64_t> RecordEnforcement(const SampleArea& town, uint64_t seed,
                                          const Recorder& record);

}  // namespace fadu::cli

#endif  // FADU_SERVICES_FADU_SAMPLE_RECORDS_H_
