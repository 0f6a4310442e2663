#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "fadu/assessment/v1/assessment_service.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "services/fadu/commands.h"
#include "services/fadu/output.h"
#include "services/fadu/sample.h"

namespace fadu::cli {
namespace {

namespace assessment = ::fadu::assessment::v1;
namespace scoring = ::fadu::scoring::v1;

// What the founding report says of its town.
constexpr const char* kFoundingFigures[] = {
    "count(disputes) as \"摸排矛盾纠纷\"",
    "count(disputes where outcome = SETTLED) as \"调解成功\"",
    "count(disputes where outcome = SETTLED) / count(disputes) as \"调解成功 ÷ 摸排发现\"",
    "count(disputes where outcome = SETTLED) / count(disputes where accepted_date:*) "
    "as \"调解成功 ÷ 受理\"",
    "count(taskForces where state = ACTIVE) as \"工作专班\"",
    "count(legalityReviews where subject_kind = CONTRACT AND opinion_date:*) "
    "as \"合同合法性审查\"",
    "count(normativeDocuments where issued_date:*) as \"规范性文件印发\"",
    "count(exams) as \"法律知识考试\"",
    "sum(exams.sat_count) / sum(exams.required_count) as \"考试参考率\"",
    "sum(exams.passed_count) / sum(exams.sat_count) as \"考试合格率\""};

void Out(absl::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

absl::StatusOr<std::string> ScoreSample(Client& client) {
  Progress(T("评分…", "scoring…"));
  assessment::HandOverRequest hand_over;
  hand_over.set_parent(client.parent());
  assessment::HandOverResponse handed;
  FADU_RETURN_IF_ERROR(client.Call("assessment", "/fadu.assessment.v1.AssessmentService/HandOver",
                                   hand_over, &handed));
  scoring::CreateRunRequest request;
  request.set_parent(client.parent());
  request.set_year(kSampleYear);
  request.set_request_id(client.NewRequestId());
  scoring::CreateRunResponse response;
  FADU_RETURN_IF_ERROR(
      client.Call("scoring", "/fadu.scoring.v1.ScoringService/CreateRun", request, &response));
  EndProgress();
  return response.run().name();
}

absl::Status PrintFoundingFigures(Client& client) {
  scoring::EvaluateMeasureRequest request;
  request.set_parent(client.parent());
  request.set_area_code(kSampleTown);
  request.set_year(kSampleYear);
  for (const char* expression : kFoundingFigures) request.add_expressions(expression);
  scoring::EvaluateMeasureResponse response;
  FADU_RETURN_IF_ERROR(client.Call("scoring", "/fadu.scoring.v1.ScoringService/EvaluateMeasure",
                                   request, &response));
  Table table{{T("指标", "measure"), T("值", "value"), T("计算", "from")}, {}, {}};
  for (const scoring::MeasureValue& value : response.values()) {
    table.rows.push_back(
        {value.label(), value.text(),
         value.is_ratio() ? absl::StrCat(value.numerator(), " ÷ ", value.denominator()) : ""});
  }
  Out(T("潘家湾镇 2024 年", "Panjiawan town, 2024"));
  std::fputs(Aligned(table).c_str(), stdout);
  return absl::OkStatus();
}

absl::Status Show(Client& client, const std::string& run) {
  FADU_RETURN_IF_ERROR(PrintRun(client, run));
  Out("");
  FADU_RETURN_IF_ERROR(PrintFoundingFigures(client));
  Out("");
  FADU_RETURN_IF_ERROR(PrintExplanation(client, run, kSampleVillage));
  const std::string data = absl::StrCat(" --data ", client.folder());
  Out("");
  Out(T("接下来可以试试：", "What to try next:"));
  Out(absl::StrCat("  fadu score list", data, " --area ", kSampleTown));
  Out(absl::StrCat("  fadu score explain 421221106201", data));
  Out(absl::StrCat("  fadu measure eval 'count(disputes where category = LABOUR in Q1)'", data,
                   " --area ", kSampleTown));
  Out(absl::StrCat("  fadu record list disputes", data,
                   " --as reviewer --filter 'outcome != SETTLED' --area ", kSampleTown));
  Out(absl::StrCat("  fadu score verify", data));
  return absl::OkStatus();
}

// Everything the demo does with a connected client.
absl::Status RunDemo(Client& client) {
  FADU_RETURN_IF_ERROR(BootstrapFolder(client));
  FADU_RETURN_IF_ERROR(client.SignInAs("admin"));
  FADU_RETURN_IF_ERROR(LoadSample(client));
  FADU_ASSIGN_OR_RETURN(const std::string run, ScoreSample(client));
  return Show(client, run);
}

int Demo(const Args& args) {
  const absl::Time begin = absl::Now();
  Args with_data = args;
  if (!args.Has("data")) with_data.flags["data"] = "fadu-data";
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(with_data);
  if (!client.ok()) {
    Complain(client.status());
    return kCannotStart;
  }
  const absl::Status done = RunDemo(**client);
  if (!done.ok()) return Complain(done);
  std::fflush(stdout);
  Say(absl::StrCat(T("用时 ", "took "),
                   absl::FormatDuration(absl::Trunc(absl::Now() - begin, absl::Milliseconds(10)))));
  if (args.Has("exit") || !(*client)->endpoints().empty()) return kOk;
  Say(T("服务继续运行，另开终端试用以上命令；按 Ctrl-C 停止",
        "the suite stays up; try these commands in another terminal; Ctrl-C stops it"));
  WaitForStopSignal();
  return kOk;
}

}  // namespace

std::vector<Command> DemoCommands() {
  return {{"demo",
           "",
           T("启动、载入嘉鱼县 2024 年示例数据、评分并说明",
             "starts, loads the sample county, scores and explains it"),
           {"fadu demo --data ./fadu-data", "fadu demo --data ./fadu-data --exit"},
           {{"exit", "", T("输出后退出，不保持运行", "return after the tables")}},
           0,
           0,
           true,
           Demo}};
}

}  // namespace fadu::cli
