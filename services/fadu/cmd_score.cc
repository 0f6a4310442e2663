#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <google/protobuf/util/time_util.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/points.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/assessment/v1/assessment_service.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "services/fadu/commands.h"
#include "services/fadu/files.h"
#include "services/fadu/measure_checks.h"
#include "services/fadu/output.h"

namespace fadu::cli {
namespace {

namespace assessment = ::fadu::assessment::v1;
namespace scoring = ::fadu::scoring::v1;
constexpr char kScoring[] = "/fadu.scoring.v1.ScoringService/";
constexpr char kAssessment[] = "/fadu.assessment.v1.AssessmentService/";

std::string PointsText(int64_t units) { return Points::FromUnits(units).ToString(); }

absl::StatusOr<int> YearOf(const Args& args) {
  int year = 0;
  if (!absl::SimpleAtoi(args.Get("year", "2024"), &year) || year < 2000 || year > 2999) {
    return absl::InvalidArgumentError(
        T("--year 应为年份，如 2024", "--year is a year, such as 2024"));
  }
  return year;
}

// A run's full name from a word: an id, "latest", or the name itself.
std::string RunName(const Client& client, const std::string& word) {
  if (word.find('/') != std::string::npos) return word;
  return absl::StrCat(client.parent(), "/runs/", word.empty() ? "latest" : word);
}

std::string ShortRun(const scoring::Run& run) {
  return run.name().substr(run.name().rfind('/') + 1);
}

// What to know beside a figure: that it is provisional, where it is from, what is missing.
std::string RemarksOf(const scoring::MeasureValue& value) {
  constexpr int kShown = 5;
  std::vector<std::string> remarks(value.notes().begin(), value.notes().end());
  if (value.missing_count() > 0) {
    const int shown = std::min(kShown, value.missing_size());
    remarks.push_back(absl::StrCat(
        T("缺 ", "missing "), value.missing_count(), T("：", ": "),
        absl::StrJoin(value.missing().begin(), value.missing().begin() + shown, T("、", ", ")),
        value.missing_count() > shown ? T("等", " …") : ""));
  }
  if (value.provisional()) remarks.push_back(T("暂定", "provisional"));
  return absl::StrJoin(remarks, T("；", "; "));
}

int Eval(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    scoring::EvaluateMeasureRequest request;
    request.set_parent(client.parent());
    for (const std::string& expression : args.words) request.add_expressions(expression);
    request.set_area_code(args.Get("area", client.county()));
    FADU_ASSIGN_OR_RETURN(const int year, YearOf(args));
    request.set_year(year);
    request.set_include_unconfirmed(args.Has("include-unconfirmed"));
    scoring::EvaluateMeasureResponse response;
    FADU_RETURN_IF_ERROR(
        client.Call("scoring", absl::StrCat(kScoring, "EvaluateMeasure"), request, &response));
    Table table{{T("指标", "measure"), T("值", "value"), T("分子", "numerator"),
                 T("分母", "denominator"), T("备注", "remarks"), T("表达式", "expression")},
                {},
                {}};
    for (const scoring::MeasureValue& value : response.values()) {
      table.rows.push_back({value.label(), value.text(), absl::StrCat(value.numerator()),
                            value.denominator() != 1 ? absl::StrCat(value.denominator()) : "",
                            RemarksOf(value), value.expression()});
      table.json.push_back(ToJson(value, false));
    }
    Print(table, format);
    return absl::OkStatus();
  });
}

// Figures of one area, year and period are asked for together, at most so many.
constexpr size_t kCheckBatch = 50;

// What came of one check: a value, or why there is none.
struct Checked {
  scoring::MeasureValue value;
  std::string problem;
};

absl::Status Ask(Client& client, const std::vector<const MeasureCheck*>& checks,
                 std::vector<scoring::MeasureValue>& values) {
  scoring::EvaluateMeasureRequest request;
  request.set_parent(client.parent());
  request.set_area_code(checks[0]->area);
  request.set_year(checks[0]->year);
  request.set_period(checks[0]->period);
  for (const MeasureCheck* check : checks) request.add_expressions(check->expression);
  scoring::EvaluateMeasureResponse response;
  FADU_RETURN_IF_ERROR(
      client.Call("scoring", absl::StrCat(kScoring, "EvaluateMeasure"), request, &response));
  values.assign(response.values().begin(), response.values().end());
  return absl::OkStatus();
}

// Evaluates all checks, in their order. A measure that does not parse is that check's problem.
absl::StatusOr<std::vector<Checked>> RunChecks(Client& client,
                                               const std::vector<MeasureCheck>& checks) {
  std::vector<Checked> results(checks.size());
  std::map<std::tuple<std::string, int, std::string>, std::vector<size_t>> groups;
  for (size_t i = 0; i < checks.size(); ++i) {
    groups[{checks[i].area, checks[i].year, checks[i].period}].push_back(i);
  }
  for (const auto& [group, members] : groups) {
    for (size_t begin = 0; begin < members.size(); begin += kCheckBatch) {
      const size_t end = std::min(members.size(), begin + kCheckBatch);
      std::vector<const MeasureCheck*> batch;
      for (size_t i = begin; i < end; ++i) batch.push_back(&checks[members[i]]);
      std::vector<scoring::MeasureValue> values;
      const absl::Status asked = Ask(client, batch, values);
      if (asked.ok()) {
        for (size_t i = begin; i < end; ++i) results[members[i]].value = values[i - begin];
        continue;
      }
      if (asked.code() != absl::StatusCode::kInvalidArgument) return asked;
      // One of them does not parse: each for itself.
      for (size_t i = begin; i < end; ++i) {
        const absl::Status alone = Ask(client, {&checks[members[i]]}, values);
        if (alone.ok()) {
          results[members[i]].value = values[0];
        } else if (alone.code() == absl::StatusCode::kInvalidArgument) {
          results[members[i]].problem = LocalizedText(alone, Language());
        } else {
          return alone;
        }
      }
    }
  }
  return results;
}

std::string CheckJson(const MeasureCheck& check, const std::string& got, const std::string& state,
                      const Checked& checked) {
  return absl::StrCat("{\"line\":", check.line, ",\"label\":", JsonText(check.label),
                      ",\"area\":", JsonText(check.area), ",\"year\":", check.year,
                      ",\"period\":", JsonText(check.period),
                      ",\"expected\":", JsonText(check.expected), ",\"got\":", JsonText(got),
                      ",\"state\":", JsonText(state), ",\"numerator\":", checked.value.numerator(),
                      ",\"denominator\":", checked.value.denominator(),
                      ",\"expression\":", JsonText(check.expression), "}");
}

int CheckFigures(const Args& args) {
  const absl::StatusOr<std::string> source = ReadFile(args.words[0]);
  if (!source.ok()) return Complain(source.status());
  const MeasureCheckFile file = ParseMeasureChecks(*source);
  for (const CheckFileProblem& problem : file.problems) {
    Say(problem.line > 0 ? absl::StrCat(args.words[0], ":", problem.line, ":", problem.column, ": ",
                                        problem.problem)
                         : absl::StrCat(args.words[0], ": ", problem.problem));
  }
  if (!file.problems.empty()) return kDataError;
  size_t differ = 0;
  size_t invalid = 0;
  const int code = WithClient(args, [&](Client& client, Format format) -> absl::Status {
    FADU_ASSIGN_OR_RETURN(const std::vector<Checked> results, RunChecks(client, file.checks));
    Table table{{T("行", "line"), T("指标", "label"), T("区划", "area"), T("期间", "period"),
                 T("应为", "expected"), T("实为", "got"), T("表达式", "expression")},
                {},
                {}};
    for (size_t i = 0; i < file.checks.size(); ++i) {
      const MeasureCheck& check = file.checks[i];
      const Checked& checked = results[i];
      const bool agrees = checked.problem.empty() && Agrees(check, checked.value);
      if (!checked.problem.empty()) ++invalid;
      if (!agrees) ++differ;
      if (agrees && !args.Has("all")) continue;
      const std::string got =
          checked.problem.empty() ? GotText(check, checked.value) : checked.problem;
      table.rows.push_back({absl::StrCat(check.line), check.label, check.area,
                            absl::StrCat(check.year, check.period.empty() ? "" : " ", check.period),
                            check.expected, got, check.expression});
      table.json.push_back(CheckJson(check, got,
                                     agrees                    ? "same"
                                     : checked.problem.empty() ? "differs"
                                                               : "invalid",
                                     checked));
    }
    if (!table.rows.empty() || format != Format::kTable) Print(table, format);
    Say(absl::StrCat(T("核对 ", "checked "), file.checks.size(), T(" 项，不一致 ", ", different "),
                     differ, T(" 项", "")));
    return absl::OkStatus();
  });
  if (code != kOk) return code;
  return invalid > 0 ? kDataError : differ > 0 ? kFailed : kOk;
}

int CycleOpen(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    assessment::OpenCycleRequest request;
    request.set_parent(client.parent());
    FADU_ASSIGN_OR_RETURN(const int year, YearOf(args));
    request.set_year(year);
    request.set_rubric(args.words[0]);
    request.set_request_id(client.NewRequestId());
    assessment::CycleInfo info;
    FADU_RETURN_IF_ERROR(
        client.Call("assessment", absl::StrCat(kAssessment, "OpenCycle"), request, &info));
    Table table{{T("年度", "year"), T("编号", "name")},
                {{absl::StrCat(year), info.name()}},
                {ToJson(info, false)}};
    Print(table, format);
    return absl::OkStatus();
  });
}

int CycleClose(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    assessment::CloseCycleRequest request;
    request.set_name(args.words[0]);
    request.set_request_id(client.NewRequestId());
    assessment::CycleInfo info;
    FADU_RETURN_IF_ERROR(
        client.Call("assessment", absl::StrCat(kAssessment, "CloseCycle"), request, &info));
    Table table{{T("年度", "year"), T("编号", "name")},
                {{absl::StrCat(info.cycle().year()), info.name()}},
                {ToJson(info, false)}};
    Print(table, format);
    return absl::OkStatus();
  });
}

int MarkGive(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    assessment::GiveMarkRequest request;
    request.set_cycle(args.words[0]);
    request.set_area_code(args.words[1]);
    request.set_line_id(args.words[2]);
    request.set_points(args.words[3]);
    int clause = 0;
    (void)absl::SimpleAtoi(args.Get("clause", "0"), &clause);
    request.set_clause(clause);
    request.set_reason(args.Get("reason"));
    request.set_item(args.Get("item"));
    request.set_period(args.Get("period"));
    request.set_assessor(args.Get("assessor"));
    request.set_request_id(client.NewRequestId());
    assessment::MarkInfo info;
    FADU_RETURN_IF_ERROR(
        client.Call("assessment", absl::StrCat(kAssessment, "GiveMark"), request, &info));
    Table table{
        {T("村（社区）", "village"), T("项", "line"), T("得分", "points"), T("编号", "name")},
        {{info.mark().area_code(), info.mark().line_id(), PointsText(info.mark().points_e4()),
          info.name()}},
        {ToJson(info, false)}};
    Print(table, format);
    return absl::OkStatus();
  });
}

int ScoreRun(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    assessment::HandOverRequest hand_over;
    hand_over.set_parent(client.parent());
    assessment::HandOverResponse handed;
    FADU_RETURN_IF_ERROR(
        client.Call("assessment", absl::StrCat(kAssessment, "HandOver"), hand_over, &handed));
    scoring::CreateRunRequest request;
    request.set_parent(client.parent());
    FADU_ASSIGN_OR_RETURN(const int year, YearOf(args));
    request.set_year(year);
    request.set_request_id(args.Get("request-id", client.NewRequestId()));
    scoring::CreateRunResponse response;
    FADU_RETURN_IF_ERROR(
        client.Call("scoring", absl::StrCat(kScoring, "CreateRun"), request, &response));
    const scoring::Run& run = response.run();
    Table table{{T("计算编号", "run"), T("年度", "year"), T("细则", "rubric"),
                 T("结果摘要", "result digest")},
                {},
                {}};
    table.rows.push_back(
        {ShortRun(run), absl::StrCat(run.year()), run.rubric_title(), run.result_digest()});
    table.json.push_back(ToJson(run, false));
    Print(table, format);
    return absl::OkStatus();
  });
}

int ScoreRuns(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    scoring::ListRunsRequest request;
    request.set_parent(client.parent());
    scoring::ListRunsResponse response;
    FADU_RETURN_IF_ERROR(
        client.Call("scoring", absl::StrCat(kScoring, "ListRuns"), request, &response));
    Table table{{T("计算编号", "run"), T("年度", "year"), T("时间", "time"), T("细则", "rubric"),
                 T("结果摘要", "result digest")},
                {},
                {}};
    for (const scoring::Run& run : response.runs()) {
      table.rows.push_back({ShortRun(run), absl::StrCat(run.year()),
                            google::protobuf::util::TimeUtil::ToString(run.create_time()),
                            run.rubric_title(), run.result_digest().substr(0, 18)});
      table.json.push_back(ToJson(run, false));
    }
    Print(table, format);
    return absl::OkStatus();
  });
}

int ScoreList(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    scoring::GetRunRequest request;
    request.set_name(RunName(client, args.words.empty() ? "" : args.words[0]));
    scoring::GetRunResponse response;
    FADU_RETURN_IF_ERROR(
        client.Call("scoring", absl::StrCat(kScoring, "GetRun"), request, &response));
    std::map<std::string, std::string> names;
    for (const scoring::AreaNode& area : response.areas()) names[area.code()] = area.name();
    Table table{
        {T("区划", "area"), T("村（社区）", "village"), T("乡镇", "town"), T("得分", "points"),
         T("满分", "max"), T("等次", "tier"), T("待评", "pending"), T("评优", "award")},
        {},
        {}};
    for (const scoring::ScoreSheet& sheet : response.result().villages()) {
      if (args.Has("area") &&
          sheet.area_code().substr(0, args.Get("area").size()) != args.Get("area"))
        continue;
      table.rows.push_back({sheet.area_code(), names[sheet.area_code()],
                            names[sheet.area_code().substr(0, 9)], PointsText(sheet.total_e4()),
                            PointsText(sheet.max_e4()), sheet.tier(),
                            sheet.pending_e4() > 0 ? PointsText(sheet.pending_e4()) : "",
                            sheet.award_barred() ? T("不参与", "barred") : ""});
      table.json.push_back(ToJson(sheet, false));
    }
    Print(table, format);
    return absl::OkStatus();
  });
}

// A line as the JSON of `score explain` gives it.
int ScoreExplain(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    const std::string run = RunName(client, args.Get("run"));
    if (format == Format::kTable) return PrintExplanation(client, run, args.words[0]);
    scoring::ExplainScoreRequest request;
    request.set_name(run);
    request.set_area_code(args.words[0]);
    request.set_line_id(args.Get("line"));
    scoring::ExplainScoreResponse response;
    FADU_RETURN_IF_ERROR(
        client.Call("scoring", absl::StrCat(kScoring, "ExplainScore"), request, &response));
    Table table{{T("项", "line"), T("内容", "title"), T("得分", "points"), T("满分", "max"),
                 T("说明", "text")},
                {},
                {}};
    for (const scoring::LineExplanation& line : response.lines()) {
      table.rows.push_back(
          {line.score().line_id(), line.title(), line.points(), line.max(), line.text()});
      table.json.push_back(ToJson(line, false));
    }
    Print(table, format);
    return absl::OkStatus();
  });
}

int ScoreVerify(const Args& args) {
  return WithClient(args, [&](Client& client, Format format) -> absl::Status {
    scoring::VerifyRunRequest request;
    request.set_name(RunName(client, args.words.empty() ? "" : args.words[0]));
    scoring::VerifyRunResponse response;
    FADU_RETURN_IF_ERROR(
        client.Call("scoring", absl::StrCat(kScoring, "VerifyRun"), request, &response));
    Table table{{T("计算编号", "run"), T("复核事实数", "facts"), T("比对字节数", "bytes compared"),
                 T("结论", "verdict")},
                {},
                {}};
    table.rows.push_back({ShortRun(response.run()), absl::StrCat(response.facts()),
                          absl::StrCat(response.result_bytes()),
                          T("逐字节一致", "equal byte for byte")});
    table.json.push_back(ToJson(response, false));
    Print(table, format);
    return absl::OkStatus();
  });
}

void Out(absl::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

}  // namespace

absl::Status PrintRun(Client& client, const std::string& run) {
  scoring::GetRunRequest request;
  request.set_name(run);
  scoring::GetRunResponse response;
  FADU_RETURN_IF_ERROR(
      client.Call("scoring", absl::StrCat(kScoring, "GetRun"), request, &response));
  std::map<std::string, std::string> names;
  for (const scoring::AreaNode& area : response.areas()) names[area.code()] = area.name();
  const scoring::RunResult& result = response.result();

  Out(absl::StrCat(response.run().rubric_title(), T("　计算编号 ", "  run "),
                   ShortRun(response.run())));
  Out("");
  Out(T("各村（社区）等次", "Villages by tier"));
  Table tiers{{T("等次", "tier"), T("村数", "villages"), T("村（社区）", "names")}, {}, {}};
  for (const scoring::TierCount& tier : result.county().tiers()) {
    std::vector<std::string> members;
    for (const scoring::ScoreSheet& sheet : result.villages()) {
      if (sheet.tier() == tier.tier()) members.push_back(names[sheet.area_code()]);
    }
    const size_t shown = std::min<size_t>(members.size(), 4);
    std::string text =
        absl::StrJoin(members.begin(), members.begin() + static_cast<std::ptrdiff_t>(shown), "、");
    if (members.size() > shown) absl::StrAppend(&text, T("等", " …"));
    tiers.rows.push_back({tier.tier(), absl::StrCat(tier.villages()), text});
  }
  std::fputs(Aligned(tiers).c_str(), stdout);
  Out("");
  const auto rollup_row = [&](const scoring::Rollup& rollup) {
    std::vector<std::string> row = {
        names[rollup.area_code()], absl::StrCat(rollup.villages()),
        Points::FromUnits(rollup.mean_e4()).RoundTo(2, Rounding::kHalfUp).ToString()};
    for (const scoring::TierCount& tier : rollup.tiers())
      row.push_back(absl::StrCat(tier.villages()));
    row.push_back(absl::StrCat(rollup.provisional()));
    return row;
  };
  Table towns{{T("乡镇", "town"), T("村数", "villages"), T("平均分", "mean")}, {}, {}};
  for (const scoring::TierCount& tier : result.county().tiers())
    towns.columns.push_back(tier.tier());
  towns.columns.push_back(T("有待评项", "provisional"));
  for (const scoring::Rollup& town : result.towns()) towns.rows.push_back(rollup_row(town));
  towns.rows.push_back(rollup_row(result.county()));
  Out(T("各乡镇与全县", "Towns and county"));
  std::fputs(Aligned(towns).c_str(), stdout);
  return absl::OkStatus();
}

absl::Status PrintExplanation(Client& client, const std::string& run, const std::string& area) {
  scoring::ExplainScoreRequest request;
  request.set_name(run);
  request.set_area_code(area);
  scoring::ExplainScoreResponse response;
  FADU_RETURN_IF_ERROR(
      client.Call("scoring", absl::StrCat(kScoring, "ExplainScore"), request, &response));
  std::string heading =
      absl::StrCat(response.area().name(), "（", response.area().code(), "）  ", response.total(),
                   T(" 分，", " points, "), response.sheet().tier());
  if (response.sheet().pending_e4() > 0) {
    absl::StrAppend(&heading, T("（暂定，另有 ", " (provisional, "),
                    PointsText(response.sheet().pending_e4()),
                    T(" 分待评）", " points not yet judged)"));
  }
  Out(heading);
  for (const scoring::LineExplanation& line : response.lines()) {
    const bool scored = line.score().status() == scoring::LINE_STATUS_SCORED;
    Out(absl::StrCat(
        line.score().line_id(), "  ", line.title(), "  ",
        scored                                                         ? line.points()
        : line.score().status() == scoring::LINE_STATUS_NOT_APPLICABLE ? T("缺项", "n/a")
        : line.score().status() == scoring::LINE_STATUS_NO_DATA ? T("尚无数据", "no data yet")
                                                                : T("尚未评定", "not yet judged"),
        " / ", line.max(), "  [", line.form(), "]"));
    Out(absl::StrCat("    ", line.text()));
  }
  for (const scoring::GateExplanation& gate : response.gates()) {
    Out(absl::StrCat(gate.id(), "  [", gate.form(), "]  ", gate.text()));
  }
  for (const scoring::GroupExplanation& group : response.groups()) Out(group.text());
  for (const std::string& decision : response.decisions()) Out(decision);
  for (const scoring::SharedRecord& shared : response.shared()) {
    Out(absl::StrCat(T("记录用于多项：", "a record of several lines: "), shared.record(), "  ",
                     absl::StrJoin(shared.lines(), T("、", ", "))));
  }
  if (!response.text().empty()) Out(response.text());
  return absl::OkStatus();
}

std::vector<Command> ScoreCommands() {
  const Flag year{"year", "YEAR", T("年度（默认 2024）", "year (default 2024)")};
  const Flag area{"area", "CODE", T("区划", "area")};
  return {
      {"measure eval",
       "EXPR…",
       T("计算指标", "evaluates measures"),
       {"fadu measure eval 'count(disputes)' --data ./fadu-data --area 421221106 --year 2024 -o "
        "json",
        "fadu measure eval 'count(disputes where outcome = SETTLED) / count(disputes) as "
        "\"调解成功 ÷ 摸排发现\"' 'count(disputes where outcome = SETTLED) / count(disputes where "
        "accepted_date:*) as \"调解成功 ÷ 受理\"' --data ./fadu-data --area 421221106"},
       {area, year, {"include-unconfirmed", "", T("包括未确认的记录", "unconfirmed records too")}},
       1,
       50,
       true,
       Eval},
      {"measure check",
       "FILE",
       T("核对一批指标与应有的数值（YAML）；有不一致时退出码为 1，表达式或文件有误时为 65",
         "compares measures with the figures they must have (YAML); exit code 1 when one differs, "
         "65 "
         "when a measure or the file is wrong"),
       {"fadu measure check figures.yaml --data ./fadu-data",
        "fadu measure check figures.yaml --all -o csv --data ./fadu-data"},
       {{"all", "", T("一致的也列出", "list those that agree too")}},
       1,
       1,
       true,
       CheckFigures},
      {"cycle open",
       "RUBRIC",
       T("开启年度考核周期", "opens a year's cycle"),
       {"fadu cycle open counties/421221/rubrics/0193… --year 2024 --data ./fadu-data"},
       {year},
       1,
       1,
       true,
       CycleOpen},
      {"cycle close",
       "CYCLE",
       T("结束考核周期", "closes a cycle"),
       {"fadu cycle close counties/421221/cycles/0193… --data ./fadu-data"},
       {},
       1,
       1,
       true,
       CycleClose},
      {"mark give",
       "CYCLE VILLAGE LINE POINTS",
       T("给人工评定项评分", "gives a mark"),
       {"fadu mark give counties/421221/cycles/0193… 421221106200 4.1 8.5 --reason '台账齐全' "
        "--data ./fadu-data"},
       {{"reason", "TEXT", T("理由（必填）", "why (required)")},
        {"clause", "N", T("第几条款（从 0 起）", "clause (from 0)")},
        {"item", "TEXT", T("案件或样本", "the case or sampled item")},
        {"period", "PART", T("期间：H1、Q3、M05", "part of the year: H1, Q3, M05")},
        {"assessor", "TEXT", T("评分方", "which assessor")}},
       4,
       4,
       true,
       MarkGive},
      {"score run",
       "",
       T("计算全县各村得分", "scores the county"),
       {"fadu score run --year 2024 --data ./fadu-data"},
       {year, {"request-id", "UUID", T("请求编号", "request id")}},
       0,
       0,
       true,
       ScoreRun},
      {"score runs",
       "",
       T("列出历次计算", "lists the runs"),
       {"fadu score runs --data ./fadu-data"},
       {},
       0,
       0,
       true,
       ScoreRuns},
      {"score list",
       "[RUN]",
       T("列出各村得分", "lists the villages' scores"),
       {"fadu score list --data ./fadu-data",
        "fadu score list latest --area 421221106 -o csv --data ./fadu-data"},
       {area},
       0,
       1,
       true,
       ScoreList},
      {"score explain",
       "VILLAGE",
       T("逐项说明一个村的得分", "explains a village's score line by line"),
       {"fadu score explain 421221106200 --data ./fadu-data",
        "fadu score explain 421221106200 --line 1.1 -o json --data ./fadu-data"},
       {{"run", "RUN", T("哪次计算（默认最近一次）", "which run (default the latest)")},
        {"line", "LINE", T("只看一项", "only this line")}},
       1,
       1,
       true,
       ScoreExplain},
      {"score verify",
       "[RUN]",
       T("由保存的快照复算并逐字节比对", "recomputes from the snapshot and compares byte for byte"),
       {"fadu score verify --data ./fadu-data"},
       {},
       0,
       1,
       true,
       ScoreVerify},
  };
}

}  // namespace fadu::cli
