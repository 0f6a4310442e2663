// Each file in rubrics/ is a scenario: a rubric as a person writes it, a unit's records, and what
// must come out, worked out by hand from the published text. docs/rubric-forms.md lists them.

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "fadu/education/v1/education_event.pb.h"
#include "fadu/golden/v1/thing.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "services/fadu/scenario.h"

namespace fadu {
namespace {

constexpr char kFolder[] = "tests/golden/rubrics";

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(path.string());
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

const RecordTypes& Types() {
  static const RecordTypes* const types =
      RecordTypes::FromDescriptors({mediation::v1::Dispute::descriptor(),
                                    education::v1::EducationEvent::descriptor(),
                                    golden::v1::Thing::descriptor()})
          ->release();
  return *types;
}

class Golden : public ::testing::TestWithParam<std::string> {};

TEST_P(Golden, ComesOutAsWorkedOutByHand) {
  const std::filesystem::path file = std::filesystem::path(kFolder) / GetParam();
  const absl::StatusOr<std::string> source = ReadFile(file);
  ASSERT_TRUE(source.ok());
  const ScenarioResult result = RunScenario(*source, Types(), [&](const std::string& path) {
    return ReadFile(file.parent_path() / path);
  });
  for (const auto& finding : result.findings) {
    ADD_FAILURE() << file.string() << ":" << finding.yaml_line() << ":" << finding.yaml_column()
                  << " " << finding.code() << " " << finding.path() << " " << finding.message();
  }
  for (const ScenarioDifference& difference : result.differences) {
    ADD_FAILURE() << file.string() << ":" << difference.yaml_line << " " << difference.where
                  << "\n  expected: " << difference.expected << "\n       got: " << difference.got;
  }
  EXPECT_GT(result.checks, 0);
}

// Whatever came out can be told in the other language: points and states are the same.
TEST_P(Golden, IsToldInEnglishToo) {
  const std::filesystem::path file = std::filesystem::path(kFolder) / GetParam();
  const absl::StatusOr<std::string> source = ReadFile(file);
  ASSERT_TRUE(source.ok());
  const ScenarioResult result =
      RunScenario(absl::StrCat(*source, "\nlanguage: en\n"), Types(),
                  [&](const std::string& path) { return ReadFile(file.parent_path() / path); });
  EXPECT_TRUE(result.findings.empty());
  for (const ScenarioDifference& difference : result.differences) {
    for (const char* key : {" points", " total", " max", " status", " tier", " raw", " applied"}) {
      EXPECT_FALSE(absl::EndsWith(difference.where, key))
          << difference.where << "\n  expected: " << difference.expected
          << "\n       got: " << difference.got;
    }
  }
}

std::vector<std::string> Scenarios() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Each, Golden, ::testing::ValuesIn(Scenarios()),
                         [](const ::testing::TestParamInfo<std::string>& scenario) {
                           return absl::StrReplaceAll(scenario.param, {{".yaml", ""}, {"-", "_"}});
                         });

}  // namespace
}  // namespace fadu
