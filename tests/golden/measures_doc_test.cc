// docs/measures.md is true: its records are read from its tables, its examples evaluated over them.

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/testing/status_matchers.h"
#include "fadu/education/v1/education_event.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "fadu/registry/v1/records.pb.h"
#include "services/fadu/measure_checks.h"
#include "services/scoring/domain/engine.h"
#include "services/scoring/domain/measure.h"
#include "services/scoring/domain/measure_words.h"

namespace fadu {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const RecordTypes& Types() {
  // Held by a plain pointer: what is reachable is no leak.
  static const RecordTypes* const types =
      RecordTypes::FromDescriptors({fadu::mediation::v1::Dispute::descriptor(),
                                    fadu::education::v1::EducationEvent::descriptor(),
                                    fadu::registry::v1::Organisation::descriptor(),
                                    fadu::registry::v1::Person::descriptor(),
                                    fadu::registry::v1::Denominator::descriptor()})
          ->release();
  return *types;
}

const std::vector<std::pair<std::string, std::string>>& Areas() {
  static const auto* const areas = new std::vector<std::pair<std::string, std::string>>{
      {"421221", "嘉鱼县"},         {"421221106", "潘家湾镇"},    {"421221106001", "潘家湾社区"},
      {"421221106200", "潘家湾村"}, {"421221106201", "肖家洲村"}, {"421221107", "陆溪镇"},
      {"421221107200", "印山村"}};
  return *areas;
}

std::string CodeOf(const std::string& name) {
  for (const auto& [code, title] : Areas()) {
    if (title == name) return code;
  }
  ADD_FAILURE() << "no area " << name;
  return "";
}

// Sets a field from a cell as people write it: an area's name, a label, several joined by 、.
void SetField(Message& message, const std::string& name, const std::string& cell) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  ASSERT_NE(field, nullptr) << name;
  const auto* reflection = message.GetReflection();
  const std::vector<std::string> items = field->is_repeated()
                                             ? std::vector<std::string>(absl::StrSplit(cell, "、"))
                                             : std::vector<std::string>{cell};
  for (const std::string& item : items) {
    int64_t number = 0;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_ENUM: {
        const google::protobuf::EnumValueDescriptor* value = nullptr;
        for (int i = 0; i < field->enum_type()->value_count(); ++i) {
          if (scoring::EntryWord(*field->enum_type()->value(i), true) == item) {
            value = field->enum_type()->value(i);
          }
        }
        ASSERT_NE(value, nullptr) << item;
        field->is_repeated() ? reflection->AddEnum(&message, field, value)
                             : reflection->SetEnum(&message, field, value);
        break;
      }
      case FieldDescriptor::CPPTYPE_STRING:
        reflection->SetString(&message, field, name == "area_code" ? CodeOf(item) : item);
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        ASSERT_TRUE(absl::SimpleAtoi(item, &number));
        reflection->SetInt32(&message, field, static_cast<int32_t>(number));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        ASSERT_TRUE(absl::SimpleAtoi(item, &number));
        reflection->SetInt64(&message, field, number);
        break;
      default:
        FAIL() << "a column of another kind: " << name;
    }
  }
}

std::vector<std::string> Cells(absl::string_view row) {
  std::vector<std::string> cells = absl::StrSplit(row, '|');
  cells.erase(cells.begin());
  cells.pop_back();
  for (std::string& cell : cells) cell = std::string(absl::StripAsciiWhitespace(cell));
  return cells;
}

// An example: what is written, and what must come of it.
struct Example {
  int line = 0;
  std::string expression;
  std::string text;
  std::string missing;  // names joined by 、
  std::string note;
};

// What the page holds.
class Page {
 public:
  Page() {
    std::ifstream in("docs/measures.md");
    std::string line;
    while (std::getline(in, line)) lines_.push_back(line);
    for (size_t i = 0; i < lines_.size(); ++i) {
      if (lines_[i] == "```measure") i = ReadExamples(i + 1);
      if (lines_[i] == "```yaml") i = ReadYaml(i + 1);
      if (absl::StartsWith(lines_[i], "| ") && absl::StrContains(lines_[i], "area_code")) {
        i = ReadRecords(i);
      }
    }
    scoring::FactContext context;
    for (const auto& [code, name] : Areas()) {
      context.areas.emplace_back();
      context.areas.back().set_code(code);
      context.areas.back().set_name(name);
    }
    set_ = scoring::FactSet::Build(std::move(facts_), std::move(context));
  }

  const std::vector<std::string>& lines() const { return lines_; }
  const std::vector<Example>& examples() const { return examples_; }
  const std::string& yaml() const { return yaml_; }
  const scoring::FactSet& facts() const { return set_; }

 private:
  size_t ReadExamples(size_t i) {
    for (; lines_[i] != "```"; ++i) {
      const std::string& line = lines_[i];
      if (line.empty()) continue;
      if (absl::StartsWith(line, "→ ")) {
        examples_.back().text = line.substr(std::string("→ ").size());
      } else if (absl::StartsWith(line, "缺 ")) {
        examples_.back().missing = line.substr(std::string("缺 ").size());
      } else if (absl::StartsWith(line, "注 ")) {
        examples_.back().note = line.substr(std::string("注 ").size());
      } else {
        examples_.push_back({static_cast<int>(i) + 1, line, "", "", ""});
      }
    }
    return i;
  }

  size_t ReadYaml(size_t i) {
    for (; lines_[i] != "```"; ++i) absl::StrAppend(&yaml_, lines_[i], "\n");
    return i;
  }

  // The table is of the type named in the last line with a collection before it.
  size_t ReadRecords(size_t i) {
    const RecordType* type = nullptr;
    for (size_t j = i; type == nullptr && j > 0; --j) {
      for (const auto& known : Types().all()) {
        if (absl::StrContains(lines_[j], absl::StrCat("`", known->collection(), "`"))) {
          type = known.get();
        }
      }
    }
    std::vector<std::string> fields;
    for (const std::string& title : Cells(lines_[i])) {
      fields.push_back(title.substr(title.rfind(' ') + 1));
    }
    for (i += 2; absl::StartsWith(lines_[i], "|"); ++i) {
      std::shared_ptr<Message> message = type->New();
      const std::vector<std::string> cells = Cells(lines_[i]);
      EXPECT_EQ(cells.size(), fields.size()) << lines_[i];
      for (size_t c = 0; c < cells.size(); ++c) {
        if (!cells[c].empty()) SetField(*message, fields[c], cells[c]);
      }
      scoring::FactView fact;
      fact.type = type;
      fact.id = absl::StrFormat("00000000-0000-7000-8000-%012d", facts_.size());
      fact.area_code = type->AreaOf(*message);
      fact.counted_on = *ParseDay(type->CountingDateOf(*message));
      fact.confirmed = true;
      fact.values = std::move(message);
      facts_.push_back(std::move(fact));
    }
    return i;
  }

  std::vector<std::string> lines_;
  std::vector<Example> examples_;
  std::string yaml_;
  std::vector<scoring::FactView> facts_;
  scoring::FactSet set_;
};

const Page& ThePage() {
  static const Page* const page = new Page;
  return *page;
}

scoring::v1::MeasureValue Evaluated(const std::string& expression,
                                    const std::string& area = "421221",
                                    const std::string& period = "") {
  const auto measure = scoring::ParseMeasure(expression, Types());
  EXPECT_THAT(measure, IsOk()) << expression;
  if (!measure.ok()) return {};
  scoring::EvalScope scope;
  scope.area_code = area;
  scope.year = 2024;
  if (const auto part = scoring::Period::Parse(period); part.has_value()) {
    scope.within = part->In(scope.year);
  }
  return scoring::Evaluate(*measure, ThePage().facts(), scope, "zh").value;
}

TEST(MeasuresPage, EveryExampleIsWhatItSays) {
  EXPECT_EQ(ThePage().facts().size(), 22U);
  EXPECT_GE(ThePage().examples().size(), 40U);
  for (const Example& example : ThePage().examples()) {
    SCOPED_TRACE(absl::StrCat("docs/measures.md:", example.line, ": ", example.expression));
    const scoring::v1::MeasureValue value = Evaluated(example.expression);
    EXPECT_EQ(value.text(), example.text);
    EXPECT_EQ(absl::StrJoin(value.missing(), "、"), example.missing);
    if (!example.note.empty()) {
      EXPECT_EQ(absl::StrJoin(value.notes(), "；"), example.note);
    }
  }
}

TEST(MeasuresPage, TheFileToCheckAgrees) {
  const cli::MeasureCheckFile file = cli::ParseMeasureChecks(ThePage().yaml());
  ASSERT_TRUE(file.problems.empty()) << file.problems[0].problem;
  ASSERT_EQ(file.checks.size(), 3U);
  for (const cli::MeasureCheck& check : file.checks) {
    const auto value = Evaluated(check.expression, check.area, check.period);
    EXPECT_TRUE(cli::Agrees(check, value)) << check.label << ": " << cli::GotText(check, value);
  }
}

TEST(MeasuresPage, KnowsEveryFunction) {
  const std::string page = absl::StrJoin(ThePage().lines(), "\n");
  const size_t summary = page.find("## 速查");
  ASSERT_NE(summary, std::string::npos);
  for (const auto& function : scoring::kMeasureFunctions) {
    EXPECT_NE(page.find(absl::StrCat("`", function.name, "("), summary), std::string::npos)
        << function.name;
  }
  for (const auto& set : scoring::kAreaSets) {
    EXPECT_TRUE(absl::StrContains(page, absl::StrCat("`", set.name, "`"))) << set.name;
  }
}

}  // namespace
}  // namespace fadu
