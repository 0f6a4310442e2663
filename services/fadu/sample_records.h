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

// Records messages of one type for a town and gives back their ids, in order. `what` tells this
// call's wishes from all others.
using Recorder = std::function<absl::StatusOr<std::vector<std::string>>(
    const std::string& service, absl::string_view what,
    const std::vector<std::unique_ptr<google::protobuf::Message>>& messages)>;

using Messages = std::vector<std::unique_ptr<google::protobuf::Message>>;

template <typename Message>
Messages CopiesOf(const std::vector<Message>& messages) {
  Messages copies;
  for (const Message& message : messages) copies.push_back(std::make_unique<Message>(message));
  return copies;
}

// The name of a record of the county in which `area_code` lies.
std::string RecordNameOf(const std::string& area_code, absl::string_view collection,
                         absl::string_view id);

enum class Ending { kSettled, kTerminated, kTransferred, kWithdrawn, kOngoing };

// The disputes of a town's villages, one village after the other.
class DisputeMaker {
 public:
  DisputeMaker(bool founding, size_t villages, Dice& dice);
  void AddVillage(const std::string& village, Dice& dice,
                  std::vector<fadu::mediation::v1::Dispute>& disputes);

 private:
  const bool founding_;
  const size_t villages_;
  std::vector<Ending> endings_;  // the founding town's, in order
  int village_ = 0;
  int number_ = 0;
};
void AddVillageEvents(const std::string& village, Dice& dice,
                      std::vector<fadu::education::v1::EducationEvent>& events);
void AddTownEvents(const std::string& town, Dice& dice,
                   std::vector<fadu::education::v1::EducationEvent>& events);

// The disputes, visits after their settlement, task forces and safety groups; the events and the
// yearly exam; reviews of contracts and normative documents. Panjiawan carries 5 task forces, 1
// exam that everybody sat and passed, 10 contracts and 2 rules, numbered, issued and filed. Return
// how many records there are.
absl::StatusOr<int64_t> RecordMediation(const SampleArea& town,
                                        const std::vector<SampleArea>& villages,
                                        const std::vector<fadu::mediation::v1::Dispute>& disputes,
                                        uint64_t seed, const Recorder& record);
absl::StatusOr<int64_t> RecordEducation(
    const SampleArea& town, const std::vector<fadu::education::v1::EducationEvent>& events,
    uint64_t seed, const Recorder& record);
absl::StatusOr<int64_t> RecordLegality(const SampleArea& town,
                                       const std::vector<SampleArea>& villages, uint64_t seed,
                                       const Recorder& record);

// Sessions of the town and its villages, acts of the first responsible person, honours,
// shortcomings and next year's plan; and officers with training and certificates. Panjiawan carries
// the founding report's 50 study sessions, 4 deployments, 4 reports heard, 1 provincial honour,
// 3 shortcomings and 4 plan blocks. Return how many records there are.
absl::StatusOr<int64_t> RecordGovernance(const SampleArea& town,
                                         const std::vector<SampleArea>& villages, uint64_t seed,
                                         const Recorder& record);
absl::StatusOr<int64_t> RecordEnforcement(const SampleArea& town, uint64_t seed,
                                          const Recorder& record);

}  // namespace fadu::cli

#endif  // FADU_SERVICES_FADU_SAMPLE_RECORDS_H_
