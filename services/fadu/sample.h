// services/fadu/sample.h
//
// The sample county: synthetic records of 2024 for all villages of Jiayu, made by a seeded
// generator and recorded through the public RPCs. Panjiawan carries the founding report's figures:
// 382 disputes found, 375 settled, 5 task forces, 1 exam that all sat and passed, events of 3·15,
// 4·15 and 12·4 in 机关, 企业, 校园 and 乡村; docs/founding-report.md tells them all.
#ifndef FADU_SERVICES_FADU_SAMPLE_H_
#define FADU_SERVICES_FADU_SAMPLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "fadu/education/v1/education_event.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "services/fadu/client.h"

namespace fadu::cli {

inline constexpr char kSampleTown[] = "421221106";        // 潘家湾镇
inline constexpr char kSampleVillage[] = "421221106200";  // 潘家湾村
inline constexpr int kSampleYear = 2024;

struct SampleArea {
  std::string code;
  std::string name;
};

// Towns and villages of the area file that ships with the sample.
std::vector<SampleArea> SampleAreas();

// The records of one town, the same for the same seed. Pure.
struct SampleTown {
  std::vector<fadu::mediation::v1::Dispute> disputes;
  std::vector<fadu::education::v1::EducationEvent> events;
};
SampleTown MakeSampleTown(const SampleArea& town, const std::vector<SampleArea>& villages,
                          uint64_t seed);

// Loads areas, accounts, records, rubric, cycle and marks through the RPCs of `client`, which is
// signed in as the administrator. Run twice it changes nothing: request ids follow from the seed.
absl::Status LoadSample(Client& client);

}  // namespace fadu::cli

#endif  // FADU_SERVICES_FADU_SAMPLE_H_
