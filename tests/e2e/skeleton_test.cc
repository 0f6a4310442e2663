// The whole suite as a user meets it: the built program, its commands, their output. The same
// scenario in both topologies: one process, and one process per service over TCP.

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/db/migrate.h"
#include "common/db/pool.h"
#include "common/testing/test_database.h"

namespace fadu {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using ::testing::Contains;
using ::testing::HasSubstr;

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

// A program that runs until it is told, its output in a file.
class Process {
 public:
  Process(const std::vector<std::string>& argv, const std::string& output) {
    pid_ = fork();
    if (pid_ == 0) {
      const int fd = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
      dup2(fd, 1);
      dup2(fd, 2);
      std::vector<char*> arguments;
      for (const std::string& word : argv) arguments.push_back(const_cast<char*>(word.c_str()));
      arguments.push_back(nullptr);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
  }
  ~Process() { Stop(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Stop() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    int state = 0;
    waitpid(pid_, &state, 0);
    pid_ = -1;
    EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0)
        << "it did not stop cleanly: " << state;
  }
  bool Running() const { return kill(pid_, 0) == 0 && waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  pid_t pid_ = -1;
};

struct Finished {
  int exit_code = -1;
  std::string out;
  std::string err;
};

Finished RunProgram(const std::vector<std::string>& argv, const std::string& folder,
                    const std::string& input = "") {
  static int count = 0;
  const std::string base = absl::StrCat(folder, "/command-", ++count);
  const std::string in_path = base + ".in";
  std::ofstream(in_path, std::ios::binary) << input;
  const pid_t child = fork();
  if (child == 0) {
    dup2(open(in_path.c_str(), O_RDONLY), 0);
    dup2(open((base + ".out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), 1);
    dup2(open((base + ".err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), 2);
    setenv("LANG", "zh_CN.UTF-8", 1);
    std::vector<char*> arguments;
    for (const std::string& word : argv) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  int state = 0;
  waitpid(child, &state, 0);
  return Finished{WIFEXITED(state) ? WEXITSTATUS(state) : -1, ReadFile(base + ".out"),
                  ReadFile(base + ".err")};
}

// A port that was free a moment ago.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

bool Until(const std::function<bool()>& condition) {
  const absl::Time give_up = absl::Now() + absl::Seconds(60);
  while (absl::Now() < give_up) {
    if (condition()) return true;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return false;
}

bool Listens(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const bool open = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return open;
}

// A suite that runs, and the flags by which a command reaches it.
class Deployment {
 public:
  virtual ~Deployment() = default;
  virtual std::vector<std::string> flags() const = 0;
  virtual std::string admin_dsn() const = 0;
  const std::string& folder() const { return folder_.path(); }
  std::string data() const { return folder_.path() + "/data"; }

 private:
  testing::TempFolder folder_;
};

class OneProcess : public Deployment {
 public:
  OneProcess() {
    process_ = std::make_unique<Process>(
        std::vector<std::string>{FADU_PROGRAM, "up", "--data", data()}, folder() + "/suite.log");
    EXPECT_TRUE(Until([&] { return std::filesystem::exists(data() + "/run/endpoints.json"); }))
        << ReadFile(folder() + "/suite.log");
  }
  std::vector<std::string> flags() const override { return {"--data", data()}; }
  std::string admin_dsn() const override {
    std::string dsn = db::WithDsn("", "host", data() + "/run");
    dsn = db::WithDsn(dsn, "port", "5432");
    dsn = db::WithDsn(dsn, "user", "fadu_admin");
    dsn = db::WithDsn(dsn, "password", ReadFile(data() + "/keys/admin.password"));
    return db::WithDsn(dsn, "dbname", "fadu");
  }

 private:
  std::unique_ptr<Process> process_;
};

class ProcessPerService : public Deployment {
 public:
  ProcessPerService() {
    admin_dsn_ = testing::TestCluster::Get().CreateDatabase();
    std::filesystem::create_directories(data());
    const std::string admin_file = folder() + "/admin.dsn";
    std::ofstream(admin_file) << admin_dsn_;
    chmod(admin_file.c_str(), 0400);
    const std::vector<std::string> services = {"registry",   "education", "enforcement",
                                               "governance", "legality",  "mediation",
                                               "scoring",    "assessment"};
    std::vector<std::string> addresses;
    std::vector<std::string> endpoints;
    std::map<std::string, int> ports;
    for (const std::string& service : services) {
      ports[service] = FreePort();
      addresses.push_back(absl::StrCat("\"", service, "\":{\"listen\":\"127.0.0.1:", ports[service],
                                       "\",\"address\":\"127.0.0.1:", ports[service], "\"}"));
      endpoints.push_back(absl::StrCat("\"", service, "\":\"127.0.0.1:", ports[service], "\""));
    }
    endpoints_ = folder() + "/endpoints.json";
    std::ofstream(endpoints_) << "{" << absl::StrJoin(endpoints, ",") << "}";
    std::string quoted_dsn;
    for (const char c : admin_dsn_) {
      if (c == '"' || c == '\\') quoted_dsn.push_back('\\');
      quoted_dsn.push_back(c);
    }
    const std::string config = folder() + "/fadu.json";
    std::ofstream(config) << "{\"data_folder\":\"" << data() << "\",\"database_dsn\":\""
                          << quoted_dsn << "\",\"admin_dsn_file\":\"" << admin_file
                          << "\",\"services\":{" << absl::StrJoin(addresses, ",") << "}}";
    const Finished migrated = RunProgram({FADU_PROGRAM, "migrate", "--config", config}, folder());
    EXPECT_EQ(migrated.exit_code, 0) << migrated.err;
    for (const std::string& service : services) {
      processes_.push_back(
          std::make_unique<Process>(std::vector<std::string>{FADU_PROGRAM, "serve", "--services",
                                                             service, "--config", config},
                                    absl::StrCat(folder(), "/", service, ".log")));
      EXPECT_TRUE(Until([&] { return Listens(ports[service]); }))
          << ReadFile(absl::StrCat(folder(), "/", service, ".log"));
    }
  }
  std::vector<std::string> flags() const override {
    return {"--data", data(), "--endpoints", endpoints_};
  }
  std::string admin_dsn() const override { return admin_dsn_; }

 private:
  std::string admin_dsn_;
  std::string endpoints_;
  std::vector<std::unique_ptr<Process>> processes_;
};

constexpr char kFigures[] = "deploy/sample/jiayu-2024/seed-figures.yaml";

class Skeleton : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::string(GetParam()) == "OneProcess") {
      suite_ = std::make_unique<OneProcess>();
    } else {
      suite_ = std::make_unique<ProcessPerService>();
    }
  }

  Finished Fadu(std::vector<std::string> words, const std::string& input = "") {
    words.insert(words.begin(), FADU_PROGRAM);
    for (const std::string& flag : suite_->flags()) words.push_back(flag);
    return RunProgram(words, suite_->folder(), input);
  }

  static ListValue Json(const std::string& text) {
    ListValue list;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(text, &list).ok()) << text;
    return list;
  }

  // One record sent back is counted no more: its figures differ, and no others.
  void TakesAwayOneRecordOfEachKind() {
    const struct {
      const char* collection;
      const char* filter;
      std::vector<std::string> labels;
    } taken[] = {
        // Of the accepted 374 ÷ 379 is 98.68 % still.
        {"disputes", "outcome = SETTLED", {"摸排矛盾纠纷", "调解成功", "调解成功率（÷ 摸排发现）"}},
        {"taskForces", "field = LABOUR", {"工作专班", "工作专班的领域"}},
        {"legalityReviews",
         "subject_kind = CONTRACT AND area_code = 421221106",
         {"合同合法性审查"}},
        {"sessions", "agenda_kinds:STUDY AND bodies:STUDY_GROUP", {"学习活动"}},
        {"dutyActs", "kind = DEPLOY", {"研究部署"}},
        {"exams",
         "organiser_level = OWN",
         {"法律知识考试", "应考人数", "参考人数", "合格人数", "参考率", "合格率"}},
        {"normativeDocuments", "number_ordinal = 2", {"规范性文件", "最大序号", "按期备案"}},
        {"honours", "level = PROVINCIAL", {"省级荣誉"}},
        {"shortcomings", "source = REPORT", {"存在的不足"}},
        {"planItems", "year = 2025", {"下一年度工作板块", "下一年度工作安排"}},
    };
    for (const auto& [collection, filter, labels] : taken) {
      SCOPED_TRACE(collection);
      const Finished list = Fadu({"record", "list", collection, "--filter", filter, "--area",
                                  "421221106", "--as", "421221106", "-o", "json"});
      ASSERT_EQ(list.exit_code, 0) << list.err;
      ASSERT_GE(Json(list.out).values_size(), 1);
      const std::string name =
          Json(list.out).values(0).struct_value().fields().at("name").string_value();
      const Finished returned =
          Fadu({"record", "return", name, "--comment", "核对示例", "--as", "421221106"});
      ASSERT_EQ(returned.exit_code, 0) << returned.err;
      const Finished check = Fadu({"measure", "check", kFigures, "-o", "json"});
      EXPECT_EQ(check.exit_code, 1) << check.err;
      const ListValue rows = Json(check.out);
      std::vector<std::string> differing;
      for (const auto& row : rows.values()) {
        differing.push_back(row.struct_value().fields().at("label").string_value());
      }
      EXPECT_THAT(differing, ::testing::ElementsAreArray(labels));
      ASSERT_EQ(Fadu({"record", "submit", name, "--as", "421221106"}).exit_code, 0);
    }
    EXPECT_EQ(Fadu({"measure", "check", kFigures}).exit_code, 0);
  }

  std::unique_ptr<Deployment> suite_;
};

TEST_P(Skeleton, ScoresTheSampleCountyAndExplainsEachNumber) {
  // The demo ends with the tables the founding report can be checked against.
  const Finished demo = Fadu({"demo", "--exit"});
  ASSERT_EQ(demo.exit_code, 0) << demo.err;
  for (const char* expected :
       {"优秀", "不合格", "潘家湾镇", "牌洲湾镇", "嘉鱼县经济开发区", "382", "375", "98.17%",
        "375 ÷ 382", "375 ÷ 380", "潘家湾村民委员会", "依据：", "fadu score verify"}) {
    EXPECT_THAT(demo.out, HasSubstr(expected));
  }

  // Founding report: 摸排矛盾纠纷382起，调处成功375起 (98.17 %).
  const std::vector<std::string> where = {"--area", "421221106", "--year", "2024", "-o", "json"};
  const auto value = [&](const std::string& expression) {
    std::vector<std::string> words = {"measure", "eval", expression};
    words.insert(words.end(), where.begin(), where.end());
    const Finished eval = Fadu(words);
    EXPECT_EQ(eval.exit_code, 0) << eval.err;
    return Json(eval.out).values(0).struct_value().fields().at("text").string_value();
  };
  EXPECT_EQ(value("count(disputes)"), "382");
  EXPECT_EQ(value("count(disputes where outcome = SETTLED)"), "375");
  EXPECT_EQ(value("count(disputes where outcome = SETTLED) / count(disputes)"), "98.17%");
  EXPECT_EQ(
      value("count(disputes where outcome = SETTLED) / count(disputes where accepted_date:*)"),
      "98.68%");
  // Events on the three key dates in each of the four places the report names.
  for (const char* campaign : {"CONSUMER_DAY", "SECURITY_DAY", "CONSTITUTION_DAY"}) {
    for (const char* venue : {"OFFICE", "ENTERPRISE", "SCHOOL", "VILLAGE"}) {
      EXPECT_NE(value(absl::StrCat("count(educationEvents where campaign = ", campaign,
                                   " AND venues:", venue, ")")),
                "0")
          << campaign << " " << venue;
    }
  }

  // Every figure of the founding report; docs/founding-report.md says where each stands in it.
  const Finished figures = Fadu({"measure", "check", kFigures, "--all", "-o", "json"});
  EXPECT_EQ(figures.exit_code, 0) << figures.out << figures.err;
  EXPECT_GE(Json(figures.out).values_size(), 20);

  // 105 villages, and one explained.
  const Finished list = Fadu({"score", "list", "-o", "json"});
  EXPECT_EQ(Json(list.out).values_size(), 105);
  const Finished explained = Fadu({"score", "explain", "421221106200", "-o", "json"});
  ASSERT_EQ(explained.exit_code, 0) << explained.err;
  const ListValue lines = Json(explained.out);
  ASSERT_GE(lines.values_size(), 10);
  bool names_records = false;
  for (const auto& line : lines.values()) {
    const auto& fields = line.struct_value().fields();
    for (const char* key : {"points", "max", "form", "text", "clauses", "basis"}) {
      EXPECT_EQ(fields.count(key), 1U) << key;
    }
    for (const auto& clause : fields.at("clauses").list_value().values()) {
      const auto& parts = clause.struct_value().fields();
      if (parts.count("records") == 0) continue;
      const std::string& name = parts.at("records").list_value().values(0).string_value();
      names_records = names_records || name.rfind("counties/421221/", 0) == 0;
    }
  }
  EXPECT_TRUE(names_records);

  // The stored snapshot gives the same bytes; one changed stored fact does not, and is named.
  EXPECT_EQ(Fadu({"score", "verify"}).exit_code, 0);
  db::Pool admin(db::PoolOptions{suite_->admin_dsn(), 1, "test"});
  std::string changed;
  const absl::Status tampered = admin.InTransaction(
      db::Scope{}, absl::Now() + absl::Seconds(20),
      [&](db::Transaction& transaction) -> absl::Status {
        const auto rows = transaction.Run(db::Statement{
            "tamper",
            "UPDATE scoring.fact SET fact = set_byte(fact, length(fact) - 1, "
            "get_byte(fact, length(fact) - 1) # 1) WHERE (county_code, service, id, revision) = "
            "(SELECT county_code, service, id, revision FROM scoring.fact WHERE service = "
            "'mediation' ORDER BY seq LIMIT 1) RETURNING id"});
        if (rows.ok() && !rows->empty()) changed = (*rows)[0].Text(0);
        return rows.status();
      });
  ASSERT_TRUE(tampered.ok()) << tampered;
  const Finished verify = Fadu({"score", "verify"});
  EXPECT_EQ(verify.exit_code, 1);
  EXPECT_THAT(verify.err, HasSubstr(changed));

  // Run again it changes nothing.
  const Finished again =
      Fadu({"measure", "eval", "count(disputes)", "-o", "json", "--area", "421221"});
  const std::string before =
      Json(again.out).values(0).struct_value().fields().at("text").string_value();
  const Finished second = Fadu({"demo", "--exit"});
  EXPECT_EQ(second.exit_code, 0) << second.err;
  const Finished after =
      Fadu({"measure", "eval", "count(disputes)", "-o", "json", "--area", "421221"});
  EXPECT_EQ(Json(after.out).values(0).struct_value().fields().at("text").string_value(), before);

  TakesAwayOneRecordOfEachKind();
}

INSTANTIATE_TEST_SUITE_P(BothTopologies, Skeleton,
                         ::testing::Values("OneProcess", "ProcessPerService"),
                         [](const ::testing::TestParamInfo<const char*>& topology) {
                           return std::string(topology.param);
                         });

// A record type that exists only in a test fixture: storage, list filters, history, audit, feed,
// facts, measures, CLI and JSON, and no other line of code.
TEST(FixtureType, NeedsNoOtherLineOfCode) {
  testing::TempFolder folder;
  const std::string data = folder.path() + "/data";
  const auto fadu = [&](std::vector<std::string> words, const std::string& input = "") {
    words.insert(words.begin(), FADU_FIXTURE_PROGRAM);
    words.insert(words.end(), {"--data", data});
    return RunProgram(words, folder.path(), input);
  };
  const Process suite({FADU_FIXTURE_PROGRAM, "up", "--data", data}, folder.path() + "/suite.log");
  ASSERT_TRUE(Until([&] { return std::filesystem::exists(data + "/run/endpoints.json"); }));
  ASSERT_EQ(fadu({"bootstrap"}).exit_code, 0);
  const std::string areas = folder.path() + "/areas.tsv";
  std::ofstream(areas)
      << "code\tname\tparent\n42\t湖北省\t\n4212\t咸宁市\t42\n421221\t嘉鱼县\t4212\n"
      << "421221106\t潘家湾镇\t421221\n421221106200\t潘家湾村民委员会\t421221106\n";
  ASSERT_EQ(fadu({"import", "areas", areas, "--as-of", "2023-06-30"}).exit_code, 0);
  ASSERT_EQ(fadu({"account", "create", "样品登记（示例）", "--grants", "TOWN_REVIEWER@421221106",
                  "--save", "town"})
                .exit_code,
            0);

  for (const int weight : {3, 4, 5}) {
    const Finished made =
        fadu({"record", "create", "widgets", "--submit", "--as", "town"},
             absl::StrCat("{\"area_code\":\"421221106200\",\"made_date\":\"2024-05-0", weight,
                          "\",\"title\":\"样品\",\"colour\":\"COLOUR_RED\",\"weight\":", weight,
                          ",\"people\":[{\"name\":\"示例甲\",\"phone\":\"10010000001\"}]}"));
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  const Finished filtered = fadu({"record", "list", "widgets", "--filter",
                                  "weight >= 4 AND colour = 红", "--as", "town", "-o", "jsonl"});
  ASSERT_EQ(filtered.exit_code, 0) << filtered.err;
  const std::vector<std::string> rows = absl::StrSplit(filtered.out, '\n', absl::SkipEmpty());
  EXPECT_EQ(rows.size(), 2U);
  EXPECT_THAT(filtered.out, ::testing::Not(HasSubstr("10010000001")));
  const Finished found = fadu({"record", "list", "widgets", "--filter",
                               "people.phone = '100 1000 0001'", "--as", "town", "-o", "csv"});
  EXPECT_EQ(std::vector<std::string>(absl::StrSplit(found.out, '\n', absl::SkipEmpty())).size(),
            4U);

  Struct first;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(rows[0], &first).ok());
  const std::string name = first.fields().at("name").string_value();
  const Finished history = fadu({"record", "history", name, "--as", "town"});
  EXPECT_THAT(history.out, HasSubstr("create"));
  const Finished counted =
      fadu({"measure", "eval", "count(widgets)", "sum(widgets.weight where colour = RED)", "--area",
            "421221106", "-o", "json"});
  ASSERT_EQ(counted.exit_code, 0) << counted.err;
  ListValue values;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(counted.out, &values).ok());
  EXPECT_EQ(values.values(0).struct_value().fields().at("text").string_value(), "3");
  EXPECT_EQ(values.values(1).struct_value().fields().at("text").string_value(), "12");
  const Finished verified = fadu({"call", "fixture/fadu.common.v1.RecordService/VerifyEvents",
                                  "{\"parent\":\"counties/421221\"}"});
  EXPECT_EQ(verified.exit_code, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("\"events\": \"3\""));
}

TEST(CommandLine, WrongUseIsSaidInOneSentenceWithItsExitCode) {
  testing::TempFolder folder;
  const auto fadu = [&](std::vector<std::string> words) {
    words.insert(words.begin(), FADU_PROGRAM);
    return RunProgram(words, folder.path());
  };
  EXPECT_EQ(fadu({}).exit_code, 64);
  EXPECT_EQ(fadu({"scroe", "list"}).exit_code, 64);
  EXPECT_THAT(fadu({"scroe", "list"}).err, HasSubstr("fadu score list"));
  EXPECT_EQ(fadu({"score", "list", "--dta", "x"}).exit_code, 64);
  EXPECT_EQ(fadu({"score", "list", "-o", "xml", "--data", folder.path()}).exit_code, 64);
  const std::string deep = folder.path() + "/" + std::string(120, 'd');
  const Finished path = fadu({"up", "--data", deep});
  EXPECT_EQ(path.exit_code, 71);
  EXPECT_FALSE(std::filesystem::exists(deep + "/pg"));
}

}  // namespace
}  // namespace fadu
