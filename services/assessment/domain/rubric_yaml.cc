#include "services/assessment/domain/rubric_yaml.h"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include <yaml-cpp/yaml.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/schema/rules.h"
#include "services/assessment/domain/yaml_message.h"
#include "services/assessment/domain/yaml_section.h"

namespace fadu::assessment {
namespace {

using google::protobuf::FieldDescriptor;

constexpr size_t kMaxSourceBytes = 400000;
// A rubric and its source travel in one fact of at most 1 MiB.
constexpr size_t kMaxRecordBytes = 1000000;
constexpr size_t kMaxLines = 500;

// A leaf form: its code, its name for people, its field in Clause.
struct Form {
  const char* code;
  const char* name;
  const char* field;
};
constexpr Form kForms[] = {
    {"L01", "一项条件", "check"},
    {"L02", "逐项清单", "checklist"},
    {"L03", "少一次扣多少", "shortfall"},
    {"L04", "发现一起扣多少", "incident"},
    {"L05", "按类别扣分", "incident_table"},
    {"L06", "比率每差一步扣多少", "rate_step"},
    {"L07", "达标与否", "threshold"},
    {"L08", "分档", "tiered"},
    {"L09", "按完成比例", "proportion"},
    {"L10", "每一项加多少分", "earn_each"},
    {"L11", "目标上下对称加减", "symmetric"},
    {"L12", "与往年或控制数比", "trend"},
    {"L13", "与平均水平比", "benchmark"},
    {"L14", "按名次", "rank"},
    {"L15", "机关决定加减分", "adjustment"},
    {"L16", "逾期", "lateness"},
    {"L17", "人工评定", "judged"},
    {"L18", "问卷调查", "survey"},
    {"L19", "表彰按级别加分", "honour"},
    {"L20", "通报按级别扣分", "notice"},
    {"L21", "采用其他考核结果", "imported"},
};

// The form that a clause names; null after an error.
const Form* FormOf(YamlReport& report, const YAML::Node& node, const std::string& path) {
  std::vector<std::string> known;
  for (const Form& form : kForms) known.push_back(absl::StrCat(form.code, "（", form.name, "）"));
  const std::string list = absl::StrJoin(known, "、");
  if (node.IsMap()) {
    for (const auto& pair : node) {
      if (!pair.first.IsScalar() || pair.first.Scalar() != "form") continue;
      const std::string code = pair.second.IsScalar() ? pair.second.Scalar() : "";
      for (const Form& form : kForms) {
        if (form.code == code) return &form;
      }
      report.Error(pair.second.IsNull() ? pair.first.Mark() : pair.second.Mark(), path,
                   "FORM_UNKNOWN",
                   absl::StrCat("本版本没有条款形式 ", QuotedText(code), "；可用：", list));
      return nullptr;
    }
  }
  report.Error(node.Mark(), path, "KEY_MISSING", absl::StrCat("缺少 form；可用：", list));
  return nullptr;
}

// A clause's keys are those of its form and of its modifiers, side by side.
void ReadClause(YamlReport& report, const YAML::Node& node, const std::string& path,
                v1::Clause& clause) {
  report.Put(path, node.Mark());
  const Form* form = FormOf(report, node, path);
  if (form == nullptr) return;
  const FieldDescriptor& field = *clause.GetDescriptor()->FindFieldByName(form->field);
  std::vector<YamlKey> keys = {{"form", form->field}};
  for (YamlKey& key : KeysOf(*field.message_type(), form->field)) keys.push_back(std::move(key));
  std::set<std::string> own;
  for (const YamlKey& key : keys) own.insert(key.name);
  // Where both have a key (when_empty of L06), it is the form's.
  for (YamlKey& key : KeysOf(*clause.GetDescriptor(), "")) {
    if (own.count(key.name) == 0) keys.push_back(std::move(key));
  }
  const YamlSection section(report, node, path, keys);
  if (!section.valid()) return;
  ReadFields(section, *clause.GetReflection()->MutableMessage(&clause, &field));
  ReadFields(section, clause);
  if (own.count("when_empty") > 0) clause.clear_when_empty();
}

void ReadLine(YamlReport& report, const YAML::Node& node, const std::string& path, v1::Line& line) {
  const YamlSection section(report, node, path, KeysOf(*v1::Line::descriptor(), ""));
  if (!section.valid()) return;
  line.set_id(section.Word("id"));
  // Clauses are read by their form.
  const std::vector<YAML::Node> clauses = section.List("clauses", true, 20);
  ReadFields(section, line, {"id", "clauses"});
  if (line.direction() == v1::DIRECTION_UNSPECIFIED) line.set_direction(v1::DIRECTION_LOSE);
  for (size_t i = 0; i < clauses.size(); ++i) {
    ReadClause(report, clauses[i], ItemPath(section.PathOf("clauses"), i), *line.add_clauses());
  }
}

void ReadRounding(YamlReport& report, const YamlSection& root, v1::Rubric& rubric) {
  static const auto* const modes = new std::vector<YamlChoice>{
      {"half_up", v1::RUBRIC_ROUNDING_HALF_UP}, {"cut", v1::RUBRIC_ROUNDING_CUT}};
  rubric.set_places(2);
  rubric.set_rounding(v1::RUBRIC_ROUNDING_HALF_UP);
  rubric.set_rounding_place(v1::ROUNDING_PLACE_LINE);
  const YAML::Node* node = root.Find("rounding", false);
  if (node == nullptr) return;
  static const auto* const places = new std::vector<YamlChoice>{
      {"line", v1::ROUNDING_PLACE_LINE}, {"total", v1::ROUNDING_PLACE_TOTAL}};
  const YamlSection section(report, *node, "",
                            {{"places", "places"}, {"mode", "rounding"}, {"at", "rounding_place"}});
  rubric.set_places(static_cast<int32_t>(section.Whole("places", true, 0, 4).value_or(2)));
  rubric.set_rounding(static_cast<v1::RubricRounding>(
      section.OneOf("mode", true, *modes, v1::RUBRIC_ROUNDING_HALF_UP)));
  rubric.set_rounding_place(
      static_cast<v1::RoundingPlace>(section.OneOf("at", false, *places, v1::ROUNDING_PLACE_LINE)));
}

// Codes of what a rubric uses may stand there as a remark: A01, or A01、A05.
void ReadCodes(const YamlSection& root, absl::string_view key, char letter, int most) {
  const std::string text = root.Text(key, false);
  if (text.empty()) return;
  for (absl::string_view code : absl::StrSplit(absl::StrReplaceAll(text, {{"、", " "}, {",", " "}}),
                                               ' ', absl::SkipEmpty())) {
    int number = 0;
    if (code.size() == 3 && code[0] == letter && absl::SimpleAtoi(code.substr(1), &number) &&
        number >= 1 && number <= most) {
      continue;
    }
    root.Error(key, "FORM_UNKNOWN",
               absl::StrCat("没有 ", QuotedText(code), "；可用：", std::string(1, letter), "01 至 ",
                            std::string(1, letter), "0", most));
  }
}

void CheckIds(YamlReport& report, const v1::Rubric& rubric) {
  std::set<std::string> seen;
  for (int i = 0; i < rubric.lines_size(); ++i) {
    const std::string& id = rubric.lines(i).id();
    if (id.empty() || seen.insert(id).second) continue;
    const std::string path = JoinPath(ItemPath("lines", static_cast<size_t>(i)), "id");
    const int line = report.LineOf(path);
    report.Error(YAML::Mark::null_mark(), path, "ID_DUPLICATE",
                 absl::StrCat("编号 ", QuotedText(id), " 重复",
                              line == 0 ? "" : absl::StrCat("（第 ", line, " 行）")));
  }
}

void ReadRubric(YamlReport& report, const YAML::Node& node, v1::Rubric& rubric) {
  // Code, rounding, total and the codes of aggregation and outcome are not written as fields.
  static const auto* const own =
      new std::set<std::string>{"code", "places", "rounding", "rounding_place", "total", "lines"};
  std::vector<YamlKey> keys = {{"rubric", "code"},
                               {"rounding", "places"},
                               {"aggregation", "aggregation"},
                               {"outcome", "outcome"},
                               {"lines", "lines"}};
  for (YamlKey& key : KeysOf(*v1::Rubric::descriptor(), "")) {
    if (own->count(key.name) == 0) keys.push_back(std::move(key));
  }
  const YamlSection root(report, node, "", keys);
  if (!root.valid()) return;
  rubric.set_code(root.Word("rubric"));
  rubric.set_version(root.Word("version"));
  ReadRounding(report, root, rubric);
  ReadCodes(root, "aggregation", 'A', 5);
  ReadCodes(root, "outcome", 'O', 6);
  ReadFields(root, rubric,
             {"code", "version", "places", "rounding", "rounding_place", "total_e4", "lines"});
  const std::vector<YAML::Node> lines = root.List("lines", true, kMaxLines);
  int64_t total = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    v1::Line& line = *rubric.add_lines();
    ReadLine(report, lines[i], ItemPath("lines", i), line);
    total += line.max_e4();
  }
  rubric.set_total_e4(total);
  CheckIds(report, rubric);
}

void Compile(YamlReport& report, absl::string_view source, const absl::optional<YAML::Node>& node,
             CompiledRubric& compiled) {
  v1::Rubric rubric;
  if (node.has_value()) {
    try {
      ReadRubric(report, *node, rubric);
    } catch (const std::exception&) {
      report.Error(YAML::Mark::null_mark(), "", "YAML_SYNTAX", "YAML 内容无法读取");
    }
  }
  if (!report.failed()) {
    for (const FieldViolation& violation : FindViolations(rubric)) {
      report.Error(YAML::Mark::null_mark(), violation.field, "VALUE_INVALID",
                   violation.description);
    }
  }
  if (!report.failed() && rubric.ByteSizeLong() + source.size() > kMaxRecordBytes) {
    report.Error(YAML::Mark::null_mark(), "", "TOO_LARGE", "细则编译后过大");
  }
  PlaceFindings(compiled.places, compiled.findings);
  std::stable_sort(compiled.findings.begin(), compiled.findings.end(),
                   [](const v1::Finding& a, const v1::Finding& b) {
                     return std::pair(a.yaml_line(), a.yaml_column()) <
                            std::pair(b.yaml_line(), b.yaml_column());
                   });
  if (!report.failed()) compiled.rubric = std::move(rubric);
}

}  // namespace

CompiledRubric CompileRubric(absl::string_view source) {
  CompiledRubric compiled;
  YamlReport report(source, compiled.findings, compiled.places);
  Compile(report, source, LoadYaml(report, source, kMaxSourceBytes), compiled);
  return compiled;
}

CompiledRubric CompileRubricNode(absl::string_view source, const YAML::Node& node) {
  CompiledRubric compiled;
  YamlReport report(source, compiled.findings, compiled.places);
  Compile(report, source, node, compiled);
  return compiled;
}

void PlaceFindings(const YamlPlaces& places, std::vector<v1::Finding>& findings) {
  for (v1::Finding& finding : findings) {
    if (finding.yaml_line() > 0) continue;
    std::string path = finding.path();
    while (true) {
      const auto place = places.find(path);
      if (place != places.end()) {
        finding.set_yaml_line(place->second.line);
        finding.set_yaml_column(place->second.column);
        break;
      }
      if (path.empty()) break;
      const size_t end = path.find_last_of(".[");
      path.resize(end == std::string::npos ? 0 : end);
    }
  }
}

void SortFindings(std::vector<v1::Finding>& findings) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const v1::Finding& a, const v1::Finding& b) {
                     return a.severity() == v1::Finding::SEVERITY_ERROR &&
                            b.severity() != v1::Finding::SEVERITY_ERROR;
                   });
}

const v1::Finding* FirstError(const std::vector<v1::Finding>& findings) {
  for (const v1::Finding& finding : findings) {
    if (finding.severity() == v1::Finding::SEVERITY_ERROR) return &finding;
  }
  return nullptr;
}

}  // namespace fadu::assessment
