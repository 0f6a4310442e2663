// docs/rubrics.md is true: every example is a scenario that comes out as the page says, and every
// form has one.

#include <algorithm>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "fadu/education/v1/education_event.pb.h"
#include "fadu/governance/v1/honour.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "services/fadu/scenario.h"

namespace fadu {
namespace {

constexpr char kPage[] = "docs/rubrics.md";

const RecordTypes& Types() {
  static const RecordTypes* const types =
      RecordTypes::FromDescriptors({mediation::v1::Dispute::descriptor(),
                                    education::v1::EducationEvent::descriptor(),
                                    governance::v1::Honour::descriptor()})
          ->release();
  return *types;
}

struct Example {
  int line = 0;  // of the page
  std::string heading;
  std::string text;
};

struct Page {
  std::string base;
  std::vector<Example> examples;
};

Page ReadPage() {
  std::ifstream in(kPage);
  std::stringstream text;
  text << in.rdbuf();
  Page page;
  std::string heading;
  std::string* block = nullptr;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text.str(), '\n')) {
    ++number;
    if (absl::StartsWith(line, "#")) heading = std::string(line);
    if (line == "```scenario-base") {
      block = &page.base;
    } else if (line == "```scenario") {
      page.examples.push_back({number, heading, ""});
      block = &page.examples.back().text;
    } else if (absl::StartsWith(line, "```")) {
      block = nullptr;
    } else if (block != nullptr) {
      absl::StrAppend(block, line, "\n");
    }
  }
  return page;
}

TEST(RubricsPage, ExamplesComeOutAsItSays) {
  const Page page = ReadPage();
  ASSERT_FALSE(page.base.empty());
  for (const Example& example : page.examples) {
    SCOPED_TRACE(absl::StrCat(kPage, ":", example.line, " ", example.heading));
    const ScenarioResult result =
        RunScenario(page.base + example.text, Types(), [](const std::string&) {
          return absl::StatusOr<std::string>(absl::NotFoundError("no files here"));
        });
    for (const auto& finding : result.findings) {
      ADD_FAILURE() << finding.yaml_line() << ":" << finding.yaml_column() << " " << finding.code()
                    << " " << finding.path() << " " << finding.message();
    }
    for (const ScenarioDifference& difference : result.differences) {
      ADD_FAILURE() << difference.where << "\n  expected: " << difference.expected
                    << "\n       got: " << difference.got;
    }
    EXPECT_GT(result.checks, 0);
  }
}

// The closed list has 50 forms, each with an example under a heading that names it.
TEST(RubricsPage, HasAnExampleOfEveryForm) {
  const Page page = ReadPage();
  for (const auto& [letter, count] : {std::pair("L", 21), std::pair("M", 13), std::pair("G", 5),
                                      std::pair("A", 5), std::pair("O", 6)}) {
    for (int i = 1; i <= count; ++i) {
      const std::string code = absl::StrFormat("%s%02d", letter, i);
      const bool shown = std::any_of(
          page.examples.begin(), page.examples.end(),
          [&](const Example& example) { return absl::StrContains(example.heading, code); });
      EXPECT_TRUE(shown) << code;
    }
  }
}

}  // namespace
}  // namespace fadu
