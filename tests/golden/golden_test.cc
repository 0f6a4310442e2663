// Each folder beside this file is a scenario: a rubric as a person writes it, a village's records,
// and the score sheet with its Chinese sentences, worked out by hand.

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "absl/strings/str_cat.h"
#include "common/base/points.h"
#include "common/testing/status_matchers.h"
#include "fadu/education/v1/education_event.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "services/assessment/domain/rubric_yaml.h"
#include "services/scoring/domain/engine.h"

namespace fadu {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

const RecordTypes& Types() {
  static const RecordTypes* const types =
      RecordTypes::FromDescriptors({fadu::mediation::v1::Dispute::descriptor(),
                                    fadu::education::v1::EducationEvent::descriptor()})
          ->release();
  return *types;
}

class Golden : public ::testing::TestWithParam<std::string> {
 protected:
  std::filesystem::path folder() const {
    return std::filesystem::path("tests/golden") / GetParam();
  }
};

TEST_P(Golden, SheetAndSentencesAreAsWorkedOutByHand) {
  const auto compiled = assessment::CompileRubric(ReadFile(folder() / "rubric.yaml"));
  ASSERT_TRUE(compiled.rubric.has_value()) << compiled.findings.at(0).message();
  const YAML::Node given = YAML::Load(ReadFile(folder() / "given.yaml"));
  const YAML::Node expect = YAML::Load(ReadFile(folder() / "expect.yaml"));

  scoring::RunInputs inputs;
  inputs.rubric = *compiled.rubric;
  inputs.snapshot.set_county_code("421221");
  inputs.snapshot.set_year(given["year"].as<int>());
  const std::string area = given["area"].as<std::string>();
  inputs.snapshot.add_areas()->set_code(area);
  std::vector<scoring::FactView> facts;
  for (const auto& record : given["records"]) {
    const RecordType* type = Types().FindByName(record["type"].as<std::string>());
    ASSERT_NE(type, nullptr);
    std::shared_ptr<google::protobuf::Message> message = type->New();
    ASSERT_TRUE(
        google::protobuf::util::JsonStringToMessage(record["json"].as<std::string>(), message.get())
            .ok());
    for (int i = 0; i < record["count"].as<int>(); ++i) {
      scoring::FactView fact;
      fact.service = "test";
      fact.type = type;
      fact.id = absl::StrCat("00000000-0000-7000-8000-",
                             100000000000 + static_cast<int64_t>(facts.size()));
      fact.area_code = type->AreaOf(*message);
      fact.counted_on = *ParseDay(type->CountingDateOf(*message));
      fact.confirmed = true;
      fact.values = message;
      facts.push_back(std::move(fact));
    }
  }
  inputs.facts = scoring::FactSet::Build(std::move(facts));

  const auto result = scoring::ComputeRun(inputs, Types());
  ASSERT_THAT(result, IsOk());
  ASSERT_EQ(result->villages_size(), 1);
  EXPECT_EQ(Points::FromUnits(result->villages(0).total_e4()).ToString(),
            expect["total"].as<std::string>());
  EXPECT_EQ(Points::FromUnits(result->villages(0).pending_e4()).ToString(),
            expect["pending"].as<std::string>());
  EXPECT_EQ(result->villages(0).tier(), expect["tier"].as<std::string>());
  const auto lines = scoring::Explain(inputs, Types(), area, "", "zh");
  ASSERT_THAT(lines, IsOk());
  ASSERT_EQ(lines->size(), expect["lines"].size());
  for (size_t i = 0; i < lines->size(); ++i) {
    EXPECT_EQ((*lines)[i].score().line_id(), expect["lines"][i]["id"].as<std::string>());
    EXPECT_EQ((*lines)[i].points(), expect["lines"][i]["points"].as<std::string>());
    EXPECT_EQ((*lines)[i].text(), expect["lines"][i]["text"].as<std::string>());
  }
}

std::vector<std::string> Scenarios() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("tests/golden")) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Each, Golden, ::testing::ValuesIn(Scenarios()),
                         [](const ::testing::TestParamInfo<std::string>& scenario) {
                           return scenario.param;
                         });

}  // namespace
}  // namespace fadu
