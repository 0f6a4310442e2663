// The one program: `fadu <noun> <verb>`.

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/fadu/args.h"
#include "services/fadu/commands.h"
#include "services/fadu/output.h"

namespace fadu::cli {
namespace {

constexpr char kVersion[] = "0.1.0";

std::vector<Command> AllCommands() {
  std::vector<Command> all;
  for (auto* make : {DemoCommands, ServeCommands, SetupCommands, RecordCommands, RubricCommands,
                     ScoreCommands, CallCommands}) {
    for (Command& command : make()) all.push_back(std::move(command));
  }
  return all;
}

std::string Overview(const std::vector<Command>& commands) {
  std::string out =
      T("示例：\n"
        "  fadu demo --data ./fadu-data          启动、载入嘉鱼县示例并评分\n"
        "  fadu up --data ./fadu-data            启动全部服务\n"
        "  fadu score list --data ./fadu-data    查看各村得分\n"
        "\n命令：\n",
        "Examples:\n"
        "  fadu demo --data ./fadu-data          start, load the sample county, score it\n"
        "  fadu up --data ./fadu-data            start all services\n"
        "  fadu score list --data ./fadu-data    the villages' scores\n"
        "\nCommands:\n");
  size_t width = 0;
  for (const Command& command : commands) width = std::max(width, command.name.size());
  for (const Command& command : commands) {
    absl::StrAppend(&out, "  ", command.name, std::string(width - command.name.size() + 2, ' '),
                    command.summary, "\n");
  }
  absl::StrAppend(&out,
                  T("\nfadu help 命令 查看用法；fadu help exit-codes 查看退出码。\n",
                    "\nfadu help COMMAND for its use; fadu help exit-codes for exit codes.\n"));
  return out;
}

std::string ExitCodes() {
  return T(
      "退出码：\n"
      "  0   成功\n"
      "  1   服务拒绝：状态不允许、冲突、校验不一致；measure check、rubric test、rubric diff "
      "有不一致\n"
      "  64  命令用法有误\n"
      "  65  输入数据有误\n"
      "  66  未找到\n"
      "  69  服务不可用或超时\n"
      "  70  系统内部错误\n"
      "  71  无法启动\n"
      "  77  没有权限\n"
      "  78  配置有误\n",
      "Exit codes:\n"
      "  0   success\n"
      "  1   refused: wrong state, conflict, verification failed; measure check, rubric test or\n"
      "      rubric diff found a difference\n"
      "  64  wrong command line\n"
      "  65  wrong input data\n"
      "  66  not found\n"
      "  69  unavailable, or out of time\n"
      "  70  internal error\n"
      "  71  cannot start\n"
      "  77  not permitted\n"
      "  78  wrong configuration\n");
}

// The language wanted, before anything is printed.
void ChooseLanguage(const std::vector<std::string>& words) {
  std::string language;
  if (const char* from_environment = std::getenv("LANG"); from_environment != nullptr) {
    // Chinese unless the user's locale says English: people first.
    if (absl::StartsWith(from_environment, "en")) language = "en";
  }
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--lang" && i + 1 < words.size()) language = words[i + 1];
    if (absl::StartsWith(words[i], "--lang=")) language = words[i].substr(7);
  }
  SetLanguage(language);
}

const Command* Find(const std::vector<Command>& commands, const std::vector<std::string>& words,
                    size_t* used) {
  for (const size_t count : {size_t{2}, size_t{1}}) {
    if (words.size() < count) continue;
    const std::string name =
        absl::StrJoin(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count), " ");
    for (const Command& command : commands) {
      if (command.name == name) {
        *used = count;
        return &command;
      }
    }
  }
  return nullptr;
}

void PrintText(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int Unknown(const std::vector<Command>& commands, const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);
  const std::string given =
      words.size() > 1 && words[1][0] != '-' ? absl::StrCat(words[0], " ", words[1]) : words[0];
  std::vector<std::string> group;
  for (const std::string& name : names) {
    if (absl::StartsWith(name, absl::StrCat(words[0], " "))) group.push_back(name);
  }
  const std::string nearest = Nearest(given, names);
  Say(absl::StrCat(T("没有命令：fadu ", "unknown command: fadu "), given));
  if (!nearest.empty()) {
    Say(absl::StrCat(T("是否指：fadu ", "did you mean: fadu "), nearest));
  } else if (!group.empty()) {
    Say(absl::StrCat(T("可用：", "known: "), absl::StrJoin(group, ", ")));
  } else {
    Say(T("运行 fadu help 查看全部命令", "fadu help lists the commands"));
  }
  return kUsage;
}

int Main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  ChooseLanguage(words);
  BlockStopSignals();
  const std::vector<Command> commands = AllCommands();
  if (words.empty()) {
    PrintText(Overview(commands));
    return kUsage;
  }
  if (words[0] == "--version" || words[0] == "version") {
    PrintText(absl::StrCat("fadu ", kVersion, "\n"));
    return kOk;
  }
  bool wants_help = false;
  if (words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    wants_help = true;
    words.erase(words.begin());
  }
  for (auto word = words.begin(); word != words.end();) {
    if (*word == "--help" || *word == "-h") {
      wants_help = true;
      word = words.erase(word);
    } else {
      ++word;
    }
  }
  if (wants_help && (words.empty() || absl::StartsWith(words[0], "--"))) {
    PrintText(Overview(commands));
    return kOk;
  }
  if (wants_help && words[0] == "exit-codes") {
    PrintText(ExitCodes());
    return kOk;
  }
  size_t used = 0;
  const Command* command = Find(commands, words, &used);
  if (command == nullptr) return Unknown(commands, words);
  if (wants_help) {
    PrintText(HelpOf(*command));
    return kOk;
  }
  const absl::StatusOr<Args> args =
      ParseArgs(*command, {words.begin() + static_cast<std::ptrdiff_t>(used), words.end()});
  if (!args.ok()) {
    Say(absl::StrCat(T("错误：", "error: "), args.status().message()));
    Say(absl::StrCat(T("用法：fadu help ", "usage: fadu help "), command->name));
    return kUsage;
  }
  return command->run(*args);
}

}  // namespace
}  // namespace fadu::cli

int main(int argc, char** argv) { return fadu::cli::Main(argc, argv); }
