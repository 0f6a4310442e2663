// The rubric workbench. Checking, testing and comparing need no server.

#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/points.h"
#include "common/base/status.h"
#include "fadu/assessment/v1/assessment_service.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "services/assessment/domain/rubric_diff.h"
#include "services/assessment/domain/rubric_yaml.h"
#include "services/fadu/commands.h"
#include "services/fadu/files.h"
#include "services/fadu/output.h"
#include "services/fadu/scenario.h"
#include "services/scoring/domain/burden.h"
#include "services/scoring/domain/engine.h"

namespace fadu::cli {
namespace {

namespace assessment = ::fadu::assessment::v1;
constexpr char kAssessment[] = "/fadu.assessment.v1.AssessmentService/";

std::string PointsText(int64_t units) { return Points::FromUnits(units).ToString(); }

Table FindingsTable(const std::vector<assessment::Finding>& findings) {
  Table table{{T("行", "line"), T("列", "column"), T("级别", "severity"), T("代码", "code"),
               T("问题", "problem")},
              {},
              {}};
  for (const assessment::Finding& finding : findings) {
    const bool error = finding.severity() == assessment::Finding::SEVERITY_ERROR;
    table.rows.push_back({absl::StrCat(finding.yaml_line()), absl::StrCat(finding.yaml_column()),
                          error ? T("错误", "error") : T("提示", "warning"), finding.code(),
                          finding.message()});
    table.json.push_back(ToJson(finding, false));
  }
  return table;
}

// Compiled, and checked as scoring would.
::fadu::assessment::CompiledRubric CompileAndCheck(const std::string& source) {
  ::fadu::assessment::CompiledRubric compiled = ::fadu::assessment::CompileRubric(source);
  if (!compiled.rubric.has_value()) return compiled;
  for (assessment::Finding& finding :
       ::fadu::scoring::CheckRubric(*compiled.rubric, ::fadu::scoring::MeasurableTypes())) {
    compiled.findings.push_back(std::move(finding));
  }
  ::fadu::assessment::PlaceFindings(compiled.places, compiled.findings);
  ::fadu::assessment::SortFindings(compiled.findings);
  return compiled;
}

std::string JsonList(const std::set<std::string>& items) {
  std::vector<std::string> quoted;
  for (const std::string& item : items) quoted.push_back(JsonText(item));
  return absl::StrCat("[", absl::StrJoin(quoted, ","), "]");
}

void AddBurden(const ::fadu::scoring::LineBurden& burden, const std::string& title, Table& table) {
  table.rows.push_back({title, absl::StrCat(burden.fields.size()),
                        absl::StrCat(burden.files.size()), absl::StrCat(burden.marks),
                        absl::StrCat(burden.rulings.size()), absl::StrCat(burden.outside.size()),
                        absl::StrJoin(burden.fields, " ")});
  table.json.push_back(absl::StrCat(
      "{\"line\":", JsonText(burden.line_id), ",\"fields\":", JsonList(burden.fields),
      ",\"files\":", JsonList(burden.files), ",\"marks\":", burden.marks,
      ",\"rulings\":", JsonList(burden.rulings), ",\"outside\":", JsonList(burden.outside), "}"));
}

int PrintBurden(const assessment::Rubric& rubric, Format format) {
  const auto lines = ::fadu::scoring::BurdenOf(rubric, ::fadu::scoring::MeasurableTypes());
  if (!lines.ok()) return Complain(lines.status());
  Table table{{T("项", "line"), T("字段", "fields"), T("材料", "files"), T("评分", "marks"),
               T("认定", "rulings"), T("外部数据", "outside"), T("要填的字段", "which fields")},
              {},
              {}};
  for (const ::fadu::scoring::LineBurden& line : *lines) AddBurden(line, line.line_id, table);
  AddBurden(::fadu::scoring::TotalBurden(*lines), T("合计（不重复）", "all, each once"), table);
  Print(table, format);
  return kOk;
}

int RubricCheck(const Args& args) {
  const absl::StatusOr<Format> format = FormatOf(args);
  if (!format.ok()) return Complain(format.status());
  const absl::StatusOr<std::string> source = ReadFile(args.words[0]);
  if (!source.ok()) return Complain(source.status());
  const ::fadu::assessment::CompiledRubric compiled = CompileAndCheck(*source);
  const bool errors = ::fadu::assessment::FirstError(compiled.findings) != nullptr;
  if (args.Has("burden") && !errors) return PrintBurden(*compiled.rubric, *format);
  Print(FindingsTable(compiled.findings), *format);
  if (errors) return kDataError;
  Say(absl::StrCat(T("细则可用：", "the rubric holds: "), compiled.rubric->title(), T("，", ", "),
                   compiled.rubric->lines_size(), T(" 项，满分 ", " lines, "),
                   PointsText(compiled.rubric->total_e4()), T(" 分", " points")));
  return kOk;
}

int RubricTest(const Args& args) {
  const absl::StatusOr<Format> format = FormatOf(args);
  if (!format.ok()) return Complain(format.status());
  bool invalid = false;
  int checks = 0;
  Table findings = FindingsTable({});
  findings.columns.insert(findings.columns.begin(), T("文件", "file"));
  Table table{{T("文件", "file"), T("行", "line"), T("何处", "where"), T("应为", "expected"),
               T("实为", "got")},
              {},
              {}};
  for (const std::string& file : args.words) {
    const absl::StatusOr<std::string> source = ReadFile(file);
    if (!source.ok()) return Complain(source.status());
    const auto beside = [&](const std::string& path) {
      return ReadFile((std::filesystem::path(file).parent_path() / path).string());
    };
    const ScenarioResult result = RunScenario(*source, ::fadu::scoring::MeasurableTypes(), beside);
    checks += result.checks;
    Table one = FindingsTable(result.findings);
    for (size_t i = 0; i < one.rows.size(); ++i) {
      one.rows[i].insert(one.rows[i].begin(), file);
      findings.rows.push_back(one.rows[i]);
      findings.json.push_back(one.json[i]);
    }
    invalid = invalid || ::fadu::assessment::FirstError(result.findings) != nullptr;
    for (const ScenarioDifference& difference : result.differences) {
      table.rows.push_back({file, absl::StrCat(difference.yaml_line), difference.where,
                            difference.expected, difference.got});
      table.json.push_back(absl::StrCat("{\"file\":", JsonText(file),
                                        ",\"line\":", difference.yaml_line,
                                        ",\"where\":", JsonText(difference.where),
                                        ",\"expected\":", JsonText(difference.expected),
                                        ",\"got\":", JsonText(difference.got), "}"));
    }
  }
  if (!findings.rows.empty()) Print(findings, *format);
  if (!table.rows.empty()) Print(table, *format);
  if (invalid) return kDataError;
  Say(absl::StrCat(T("核对 ", "checked "), checks, T(" 处，不一致 ", ", different "),
                   table.rows.size(), T(" 处", "")));
  return table.rows.empty() ? kOk : kFailed;
}

int RubricDiff(const Args& args) {
  const absl::StatusOr<Format> format = FormatOf(args);
  if (!format.ok()) return Complain(format.status());
  std::vector<assessment::Rubric> rubrics;
  for (const std::string& file : args.words) {
    const absl::StatusOr<std::string> source = ReadFile(file);
    if (!source.ok()) return Complain(source.status());
    ::fadu::assessment::CompiledRubric compiled = ::fadu::assessment::CompileRubric(*source);
    if (!compiled.rubric.has_value()) {
      Say(file);
      Print(FindingsTable(compiled.findings), *format);
      return kDataError;
    }
    rubrics.push_back(*std::move(compiled.rubric));
  }
  using Kind = ::fadu::assessment::RubricChange::Kind;
  Table table{{T("项", "line"), T("款", "clause"), T("变化", "change"), T("内容", "key"),
               T("原为", "before"), T("现为", "after")},
              {},
              {}};
  for (const auto& change : ::fadu::assessment::DiffRubrics(rubrics[0], rubrics[1])) {
    const std::string kind = change.kind == Kind::kAdded     ? T("新增", "added")
                             : change.kind == Kind::kRemoved ? T("删去", "removed")
                                                             : T("修改", "changed");
    const char* code = change.kind == Kind::kAdded     ? "added"
                       : change.kind == Kind::kRemoved ? "removed"
                                                       : "changed";
    const std::string clause = change.clause < 0 ? "" : absl::StrCat(change.clause + 1);
    table.rows.push_back({change.line, clause, kind, change.key, change.before, change.after});
    table.json.push_back(absl::StrCat(
        "{\"line\":", JsonText(change.line), ",\"clause\":", JsonText(clause),
        ",\"change\":", JsonText(code), ",\"key\":", JsonText(change.key),
        ",\"before\":", JsonText(change.before), ",\"after\":", JsonText(change.after), "}"));
  }
  if (!table.rows.empty()) Print(table, *format);
  Say(absl::StrCat(T("不同之处 ", "differences: "), table.rows.size(), T(" 处", "")));
  return table.rows.empty() ? kOk : kFailed;
}

int RubricApply(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    assessment::ImportRubricRequest import;
    import.set_parent(client.parent());
    FADU_ASSIGN_OR_RETURN(*import.mutable_source(), ReadFile(args.words[0]));
    import.set_request_id(client.NewRequestId());
    assessment::RubricInfo info;
    FADU_RETURN_IF_ERROR(
        client.Call("assessment", absl::StrCat(kAssessment, "ImportRubric"), import, &info));
    if (args.Has("publish")) {
      assessment::PublishRubricRequest publish;
      publish.set_name(info.name());
      publish.set_request_id(client.NewRequestId());
      FADU_RETURN_IF_ERROR(
          client.Call("assessment", absl::StrCat(kAssessment, "PublishRubric"), publish, &info));
    }
    Table table{{T("细则", "rubric"), T("版本", "version"), T("年度", "year"), T("满分", "total"),
                 T("编号", "name")},
                {},
                {}};
    table.rows.push_back({info.rubric().rubric().title(), info.rubric().version(),
                          absl::StrCat(info.rubric().year()),
                          PointsText(info.rubric().rubric().total_e4()), info.name()});
    table.json.push_back(ToJson(info, false));
    Print(table, format);
    return absl::OkStatus();
  });
}

int RubricShow(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    fadu::common::v1::ListRecordsRequest request;
    request.set_parent(client.parent());
    request.set_collection("rubrics");
    if (!args.words.empty()) request.set_filter(absl::StrCat("code = \"", args.words[0], "\""));
    fadu::common::v1::ListRecordsResponse response;
    FADU_RETURN_IF_ERROR(
        client.Call("assessment", "/fadu.common.v1.RecordService/ListRecords", request, &response));
    if (response.records().empty()) {
      return absl::NotFoundError(
          T("还没有考核细则；用 fadu rubric apply 导入", "no rubric yet; see fadu rubric apply"));
    }
    assessment::RubricVersion version;
    (void)response.records(0).record().UnpackTo(&version);
    const assessment::Rubric& rubric = version.rubric();
    Table table{{T("项", "line"), T("内容", "title"), T("分值", "max"), T("评分单位", "scorer"),
                 T("依据", "basis")},
                {},
                {}};
    for (const assessment::Line& line : rubric.lines()) {
      table.rows.push_back(
          {line.id(), line.title(), PointsText(line.max_e4()), line.scorer(), line.basis()});
      table.json.push_back(ToJson(line, false));
    }
    if (args.Has("source")) {
      std::fputs(version.source().c_str(), stdout);
      return absl::OkStatus();
    }
    if (format == Format::kTable) {
      std::fputs(
          absl::StrCat(rubric.title(), "  ", rubric.code(), " ", rubric.version(), "\n").c_str(),
          stdout);
    }
    Print(table, format);
    return absl::OkStatus();
  });
}

}  // namespace

std::vector<Command> RubricCommands() {
  return {
      {"rubric check",
       "FILE",
       T("检查考核细则（YAML），不用服务；有错误时退出码为 65",
         "checks a rubric (YAML), without a server; exit code 65 when it has errors"),
       {"fadu rubric check deploy/sample/jiayu-2024/rubric-village-2024.yaml",
        "fadu rubric check rubric.yaml --burden"},
       {{"burden", "",
         T("每项要填哪些字段、备哪些材料、几处人工评分",
           "what each line asks: fields, files, marks")}},
       1,
       1,
       true,
       RubricCheck},
      {"rubric test",
       "SCENARIO...",
       T("按场景（YAML）算一遍细则，与应有的得分核对，不用服务；有不一致时退出码为 1，文件有误时为 "
         "65",
         "scores scenarios (YAML) and compares with what must come out, without a server; exit "
         "code "
         "1 when something differs, 65 when a file is wrong"),
       {"fadu rubric test tests/golden/rubrics/L13_NH-036.yaml",
        "fadu rubric test scenarios/*.yaml -o json"},
       {},
       1,
       1000,
       true,
       RubricTest},
      {"rubric diff",
       "OLD NEW",
       T("逐款比较两份细则，不用服务；有不同时退出码为 1",
         "compares two rubrics clause by clause, without a server; exit code 1 when they differ"),
       {"fadu rubric diff rubric-2023.yaml rubric-2024.yaml"},
       {},
       2,
       2,
       true,
       RubricDiff},
      {"rubric apply",
       "FILE",
       T("导入考核细则", "imports a rubric"),
       {"fadu rubric apply rubric.yaml --publish --data ./fadu-data"},
       {{"publish", "", T("导入后发布（发布后不可改）", "publish it too (then immutable)")}},
       1,
       1,
       true,
       RubricApply},
      {"rubric show",
       "[CODE]",
       T("查看考核细则", "shows a rubric"),
       {"fadu rubric show --data ./fadu-data"},
       {{"source", "", T("输出导入时的原文", "print the source as imported")}},
       0,
       1,
       true,
       RubricShow},
  };
}

}  // namespace fadu::cli
