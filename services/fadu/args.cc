#include "services/fadu/args.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace fadu::cli {
namespace {

std::string& LanguageStorage() {
  static std::string* const language = new std::string("zh");
  return *language;
}

size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

void SetLanguage(absl::string_view language) {
  LanguageStorage() = absl::StartsWith(language, "en") ? "en" : "zh";
}
const std::string& Language() { return LanguageStorage(); }
std::string T(absl::string_view zh, absl::string_view en) {
  return std::string(Language() == "en" ? en : zh);
}

std::string Args::Get(absl::string_view flag, absl::string_view fallback) const {
  const auto found = flags.find(std::string(flag));
  return found == flags.end() ? std::string(fallback) : found->second;
}

const std::vector<Flag>& ClientFlags() {
  static const auto* const flags = new std::vector<Flag>{
      {"data", "DIR",
       T("数据目录：已有服务在其上运行则连接，否则临时启动",
         "data folder: connects to the suite running on it, else starts one")},
      {"endpoints", "FILE",
       T("服务地址文件（JSON：服务名→主机:端口），与 --token-file 一起使用",
         "file of service addresses (JSON: service → host:port), with --token-file")},
      {"token-file", "FILE", T("账户密钥文件", "file with an account's secret")},
      {"as", "NAME",
       T("使用数据目录中保存的哪个账户（默认 admin）",
         "which saved account of the data folder to use (default admin)")},
      {"county", "CODE", T("县级区划代码（默认 421221）", "county code (default 421221)")},
      {"output", "FORMAT",
       T("输出格式：table、json、jsonl 或 csv（简写 -o）",
         "table, json, jsonl or csv (short: -o)")},
      {"lang", "zh|en", T("语言", "language")},
      {"timeout", "SECONDS",
       T("每次调用的时限（默认 30 秒）", "time limit of a call (default 30)")},
  };
  return *flags;
}

std::string Nearest(absl::string_view word, const std::vector<std::string>& names) {
  std::string best;
  size_t least = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& name : names) {
    const size_t distance = Distance(word, name);
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best;
}

absl::StatusOr<Args> ParseArgs(const Command& command, const std::vector<std::string>& rest) {
  std::vector<Flag> known = command.flags;
  if (command.client) {
    known.insert(known.end(), ClientFlags().begin(), ClientFlags().end());
  } else {
    known.push_back({"lang", "zh|en", T("语言", "language")});
  }
  Args args;
  bool only_words = false;
  for (size_t i = 0; i < rest.size(); ++i) {
    std::string word = rest[i];
    if (only_words || word.empty() || word[0] != '-' || word == "-") {
      args.words.push_back(word);
      continue;
    }
    if (word == "--") {
      only_words = true;
      continue;
    }
    if (word == "-o") word = "--output";
    absl::string_view name = word;
    absl::ConsumePrefix(&name, "--");
    absl::optional<std::string> value;
    if (const size_t equals = name.find('='); equals != absl::string_view::npos) {
      value = std::string(name.substr(equals + 1));
      name = name.substr(0, equals);
    }
    const auto flag = std::find_if(known.begin(), known.end(),
                                   [&](const Flag& candidate) { return candidate.name == name; });
    if (flag == known.end()) {
      std::vector<std::string> names;
      for (const Flag& candidate : known) names.push_back(candidate.name);
      const std::string nearest = Nearest(name, names);
      return absl::InvalidArgumentError(absl::StrCat(
          T("没有参数 --", "unknown flag --"), name,
          nearest.empty()
              ? ""
              : absl::StrCat(T("，是否指 --", "; did you mean --"), nearest, T("？", "?"))));
    }
    if (flag->value.empty()) {
      args.flags[flag->name] = "true";
      continue;
    }
    if (!value.has_value()) {
      if (i + 1 >= rest.size()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--", name, T(" 需要一个值：", " needs a value: "), flag->value));
      }
      value = rest[++i];
    }
    args.flags[flag->name] = *value;
  }
  if (args.words.size() < command.min_words) {
    return absl::InvalidArgumentError(
        absl::StrCat(T("缺少参数：", "missing: "), command.arguments));
  }
  if (args.words.size() > command.max_words) {
    return absl::InvalidArgumentError(
        absl::StrCat(T("多余的参数：", "not expected: "), args.words[command.max_words]));
  }
  return args;
}

std::string HelpOf(const Command& command) {
  std::string out = T("示例：\n", "Examples:\n");
  for (const std::string& example : command.examples) absl::StrAppend(&out, "  ", example, "\n");
  absl::StrAppend(&out, "\nfadu ", command.name, command.arguments.empty() ? "" : " ",
                  command.arguments, "\n  ", command.summary, "\n");
  const auto list = [&](absl::string_view title, const std::vector<Flag>& flags) {
    if (flags.empty()) return;
    absl::StrAppend(&out, "\n", title, "\n");
    for (const Flag& flag : flags) {
      absl::StrAppend(&out, "  --", flag.name, flag.value.empty() ? "" : " ", flag.value,
                      "\n      ", flag.help, "\n");
    }
  };
  list(T("参数：", "Flags:"), command.flags);
  if (command.client) list(T("通用参数：", "Common flags:"), ClientFlags());
  return out;
}

}  // namespace fadu::cli
