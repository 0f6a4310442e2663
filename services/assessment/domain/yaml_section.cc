#include "services/assessment/domain/yaml_section.h"

#include <algorithm>
#include <exception>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/points.h"

namespace fadu::assessment {
namespace {

constexpr size_t kMaxFindings = 200;
constexpr size_t kMaxMaps = 20000;
// Keys, values, lists and maps. The library makes a tree of them, of some hundred bytes each,
// before anything can be read.
constexpr int kMaxNodes = 30000;
constexpr size_t kMaxQuoted = 40;
// Maps within maps: what is aliased into itself never ends.
constexpr std::ptrdiff_t kMaxDepth = 20;

// Brackets within brackets. The library keeps all that are open in memory, several hundred bytes
// each, before it says anything about them.
constexpr int kMaxOpenBrackets = 200;

// Where there are too many open brackets; null when there never are. Brackets in texts count, too:
// a text with hundreds that are never closed is no rubric.
YAML::Mark TooManyOpenBrackets(absl::string_view source) {
  YAML::Mark mark;
  int open = 0;
  for (const char c : source) {
    if (c == '[' || c == '{') ++open;
    if ((c == ']' || c == '}') && open > 0) --open;
    if (open > kMaxOpenBrackets) return mark;
    ++mark.pos;
    ++mark.column;
    if (c == '\n') {
      ++mark.line;
      mark.column = 0;
    }
  }
  return YAML::Mark::null_mark();
}

// Counts without a tree, and ends the reading once there is too much.
class NodeCounter final : public YAML::EventHandler {
 public:
  int documents() const { return documents_; }
  bool full() const { return nodes_ > kMaxNodes || documents_ > 1; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    ++documents_;
    EndIfFull(mark);
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { Count(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { Count(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string&) override {
    Count(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Count(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Count(mark);
  }
  void OnMapEnd() override {}

 private:
  void Count(const YAML::Mark& mark) {
    ++nodes_;
    EndIfFull(mark);
  }
  void EndIfFull(const YAML::Mark& mark) const {
    if (full()) throw YAML::Exception(mark, "too much");
  }

  int nodes_ = 0;
  int documents_ = 0;
};

// What the YAML library says, for people.
std::string SyntaxProblem(const std::string& message) {
  struct Translation {
    absl::string_view part;
    absl::string_view zh;
  };
  static constexpr Translation kTranslations[] = {
      {"tab", "缩进用了制表符（Tab），请改用空格"},
      {"illegal map value", "此处不应有冒号；值里有冒号时请给整个值加引号"},
      {"end of map not found",
       "上面的内容没有正常结束，请检查缩进、冒号（键: 值，冒号后要有空格）"},
      {"end of sequence not found", "列表没有正常结束，请检查缩进和“- ”"},
      {"end of map flow not found", "大括号“{”没有配对的“}”"},
      {"end of sequence flow not found", "方括号“[”没有配对的“]”"},
      {"illegal block entry", "此处不应有“- ”"},
      {"illegal map key", "此处不应有键"},
      {"illegal flow end", "多了一个“}”或“]”"},
      {"unknown token", "有不能识别的符号；值以 @、`、% 等开头时请加引号"},
      {"illegal character in scalar", "值里有非法字符"},
      {"illegal EOF in scalar", "引号没有配对"},
      {"the referenced anchor is not defined", "引用了没有定义的锚点（*…）"},
      {"DeepRecursion", "层次太深"},
      {"deep recursion", "层次太深"}};
  for (const Translation& translation : kTranslations) {
    if (absl::StrContains(message, translation.part)) return std::string(translation.zh);
  }
  return message;
}

// Number of insertions, deletions, replacements and swaps of neighbours between two short words.
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

// The known word that was probably meant; empty when none is near.
absl::string_view Suggestion(absl::string_view word, const std::vector<absl::string_view>& known) {
  if (word.empty() || word.size() > 30) return "";
  const std::string lower = absl::AsciiStrToLower(word);
  absl::string_view best;
  size_t best_distance = 3;
  for (absl::string_view candidate : known) {
    const size_t distance = Distance(lower, absl::AsciiStrToLower(candidate));
    const bool near = distance < best_distance && distance * 2 < candidate.size() + 1;
    const bool part = best.empty() && lower.size() >= 3 &&
                      (absl::StartsWith(candidate, lower) || absl::StartsWith(lower, candidate));
    if (near || part) {
      best = candidate;
      best_distance = std::min(best_distance, distance);
    }
  }
  return best;
}

// What may stand in names and filters as it is.
bool IsPlainWord(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_';
  });
}

}  // namespace

std::string QuotedText(absl::string_view text) {
  size_t end = std::min(text.size(), kMaxQuoted);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return absl::StrCat("“", text.substr(0, end), end < text.size() ? "…" : "", "”");
}

std::string JoinPath(absl::string_view path, absl::string_view field) {
  return path.empty() ? std::string(field) : absl::StrCat(path, ".", field);
}

std::string ItemPath(absl::string_view path, size_t index) {
  return absl::StrCat(path, "[", index, "]");
}

// ---- YamlReport --------------------------------------------------------------------------------

YamlReport::YamlReport(absl::string_view source, std::vector<v1::Finding>& findings,
                       YamlPlaces& places)
    : findings_(findings), places_(places) {
  absl::ConsumePrefix(&source, "\xEF\xBB\xBF");
  text_lines_ = absl::StrSplit(source, '\n');
}

YamlPlace YamlReport::PlaceOf(const YAML::Mark& mark) const {
  if (mark.is_null() || mark.line < 0) return {};
  YamlPlace place{mark.line + 1, mark.column + 1};
  if (static_cast<size_t>(mark.line) < text_lines_.size()) {
    const absl::string_view before =
        text_lines_[static_cast<size_t>(mark.line)].substr(0, static_cast<size_t>(mark.column));
    place.column = 1 + static_cast<int>(std::count_if(before.begin(), before.end(), [](char c) {
                     return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
                   }));
  }
  return place;
}

void YamlReport::Put(const std::string& path, const YAML::Mark& mark) {
  const YamlPlace place = PlaceOf(mark);
  if (place.line > 0) places_.emplace(path, place);
}

void YamlReport::Error(const YAML::Mark& mark, absl::string_view path, absl::string_view code,
                       absl::string_view message) {
  failed_ = true;
  if (full()) return;
  v1::Finding finding;
  finding.set_severity(v1::Finding::SEVERITY_ERROR);
  finding.set_path(std::string(path));
  finding.set_code(std::string(code));
  finding.set_message(std::string(message));
  const YamlPlace place = PlaceOf(mark);
  finding.set_yaml_line(place.line);
  finding.set_yaml_column(place.column);
  findings_.push_back(std::move(finding));
}

int YamlReport::LineOf(const std::string& path) const {
  const auto place = places_.find(path);
  return place == places_.end() ? 0 : place->second.line;
}

bool YamlReport::HasWideColonNear(int line) const {
  for (int i = std::max(0, line - 1); i <= line; ++i) {
    if (static_cast<size_t>(i) >= text_lines_.size()) break;
    const absl::string_view text = text_lines_[static_cast<size_t>(i)];
    if (absl::StrContains(text, "：") && !absl::StrContains(text, ": ")) return true;
  }
  return false;
}

bool YamlReport::Enter(const YAML::Mark& mark) {
  if (++maps_ == kMaxMaps) Error(mark, "", "TOO_LARGE", "内容过多（引用 *… 会把内容成倍放大）");
  return maps_ < kMaxMaps;
}

bool YamlReport::full() const { return findings_.size() >= kMaxFindings; }

// ---- YamlSection -------------------------------------------------------------------------------

YamlSection::YamlSection(YamlReport& report, const YAML::Node& node, std::string path,
                         const std::vector<YamlKey>& keys)
    : report_(report), path_(std::move(path)), mark_(node.Mark()) {
  report_.Put(path_, mark_);
  for (const YamlKey& key : keys) {
    if (fields_.emplace(key.name, key.field).second) names_.push_back(key.name);
  }
  if (!report_.Enter(mark_)) return;
  if (std::count(path_.begin(), path_.end(), '.') > kMaxDepth) {
    report_.Error(mark_, path_, "TOO_DEEP", "嵌套过深");
    return;
  }
  if (!node.IsMap()) {
    report_.Error(mark_, path_, "TYPE_WRONG", "此处应为若干“键: 值”");
    return;
  }
  valid_ = true;
  for (const auto& pair : node) {
    const YAML::Mark at = pair.first.Mark();
    if (!pair.first.IsScalar()) {
      report_.Error(at, path_, "KEY_UNKNOWN", "键应为一个英文单词");
      continue;
    }
    const std::string& name = pair.first.Scalar();
    if (fields_.find(name) == fields_.end()) {
      Unknown(at, name);
      continue;
    }
    if (!entries_.emplace(name, Entry{at, pair.second}).second) {
      report_.Error(at, PathOf(name), "KEY_DUPLICATE", absl::StrCat("键 ", name, " 重复"));
      continue;
    }
    report_.Put(PathOf(name), pair.second.IsNull() ? at : pair.second.Mark());
  }
}

std::string YamlSection::PathOf(absl::string_view key) const {
  const auto field = fields_.find(key);
  return JoinPath(path_, field == fields_.end() ? key : field->second);
}

YAML::Mark YamlSection::MarkOf(absl::string_view key) const {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return mark_;
  return entry->second.value.IsNull() ? entry->second.at : entry->second.value.Mark();
}

void YamlSection::Error(absl::string_view key, absl::string_view code,
                        absl::string_view message) const {
  report_.Error(MarkOf(key), PathOf(key), code, message);
}

std::string YamlSection::Text(absl::string_view key, bool required) const {
  const YAML::Node* node = Find(key, required);
  if (node == nullptr) return "";
  if (!node->IsScalar()) {
    Error(key, "TYPE_WRONG", absl::StrCat(key, " 应为一个值，不是列表或多个键"));
    return "";
  }
  const std::string text(absl::StripAsciiWhitespace(node->Scalar()));
  if (text.empty()) Error(key, "VALUE_EMPTY", absl::StrCat(key, " 不能为空"));
  return text;
}

std::string YamlSection::Word(absl::string_view key) const {
  std::string text = Text(key, true);
  if (!text.empty() && !IsPlainWord(text)) {
    Error(key, "VALUE_INVALID",
          absl::StrCat(key, " 只能用字母、数字、点、横线和下划线，现为 ", QuotedText(text)));
  }
  return text;
}

absl::optional<int64_t> YamlSection::Decimal(absl::string_view key, bool required, int64_t least,
                                             int64_t most, bool percent) const {
  const std::string text = Text(key, required);
  if (text.empty()) return absl::nullopt;
  absl::string_view digits = text;
  if (percent) {
    if (!absl::ConsumeSuffix(&digits, "%")) absl::ConsumeSuffix(&digits, "％");
  }
  const absl::StatusOr<Points> value = Points::Parse(digits);
  if (!value.ok()) {
    Error(key, "VALUE_INVALID",
          absl::StrCat(key, " 应为数字（最多四位小数），现为 ", QuotedText(text)));
    return absl::nullopt;
  }
  if (value->units() < least) {
    Error(key, "VALUE_INVALID",
          least == 1 ? absl::StrCat(key, " 应大于 0")
                     : absl::StrCat(key, " 不能小于 ", Points::FromUnits(least).ToString()));
    return absl::nullopt;
  }
  if (value->units() > most) {
    Error(key, "VALUE_INVALID",
          absl::StrCat(key, " 不能大于 ", Points::FromUnits(most).ToString()));
    return absl::nullopt;
  }
  return value->units();
}

absl::optional<int64_t> YamlSection::Whole(absl::string_view key, bool required, int64_t least,
                                           int64_t most) const {
  const std::string text = Text(key, required);
  if (text.empty()) return absl::nullopt;
  int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value) || value < least || value > most) {
    Error(key, "VALUE_INVALID",
          absl::StrCat(key, " 应为 ", least, " 至 ", most, " 的整数，现为 ", QuotedText(text)));
    return absl::nullopt;
  }
  return value;
}

int YamlSection::OneOf(absl::string_view key, bool required, const std::vector<YamlChoice>& choices,
                       int fallback) const {
  const std::string text = Text(key, required);
  if (text.empty()) return fallback;
  std::vector<absl::string_view> names;
  for (const YamlChoice& choice : choices) {
    if (choice.name == text) return choice.value;
    names.push_back(choice.name);
  }
  const absl::string_view meant = Suggestion(text, names);
  Error(key, "VALUE_INVALID",
        absl::StrCat(key, " 不能是 ", QuotedText(text),
                     meant.empty() ? "" : absl::StrCat("，是否指 ", meant), "；可选：",
                     absl::StrJoin(names, "、")));
  return fallback;
}

std::vector<YAML::Node> YamlSection::List(absl::string_view key, bool required, size_t most) const {
  const YAML::Node* node = Find(key, required);
  if (node == nullptr) return {};
  if (!node->IsSequence()) {
    Error(key, "TYPE_WRONG", absl::StrCat(key, " 应为列表：每项以“- ”开头，或写成 [甲, 乙]"));
    return {};
  }
  if (node->size() == 0 && required) {
    Error(key, "VALUE_EMPTY", absl::StrCat(key, " 至少要有一项"));
  }
  if (node->size() > most) {
    Error(key, "TOO_MANY", absl::StrCat(key, " 最多 ", most, " 项，现有 ", node->size(), " 项"));
    return {};
  }
  std::vector<YAML::Node> items;
  for (const auto& item : *node) items.push_back(item);
  return items;
}

const YAML::Node* YamlSection::Find(absl::string_view key, bool required) const {
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) {
    if (required && valid_) {
      report_.Error(mark_, PathOf(key), "KEY_MISSING", absl::StrCat("缺少 ", key));
    }
    return nullptr;
  }
  if (entry->second.value.IsNull()) {
    Error(key, "VALUE_EMPTY", absl::StrCat(key, " 不能为空"));
    return nullptr;
  }
  return &entry->second.value;
}

void YamlSection::Unknown(const YAML::Mark& at, const std::string& name) const {
  if (report_.full()) return;
  const std::vector<absl::string_view> known(names_.begin(), names_.end());
  const absl::string_view meant = Suggestion(name, known);
  report_.Error(at, path_, "KEY_UNKNOWN",
                absl::StrCat("没有名为 ", QuotedText(name), " 的键",
                             meant.empty() ? "" : absl::StrCat("，是否指 ", meant), "；此处可用：",
                             absl::StrJoin(known, "、")));
}

absl::optional<YAML::Node> LoadYaml(YamlReport& report, absl::string_view source,
                                    size_t max_bytes) {
  if (source.size() > max_bytes) {
    report.Error(YAML::Mark::null_mark(), "", "TOO_LARGE",
                 absl::StrCat("文件不能超过 ", max_bytes, " 字节"));
    return absl::nullopt;
  }
  if (absl::StrContains(source, absl::string_view("\0", 1))) {
    report.Error(YAML::Mark::null_mark(), "", "YAML_SYNTAX", "含有空字符，请以 UTF-8 保存");
    return absl::nullopt;
  }
  if (const YAML::Mark mark = TooManyOpenBrackets(source); !mark.is_null()) {
    report.Error(mark, "", "TOO_DEEP",
                 absl::StrCat("嵌套过深：同时未闭合的“[”“{”最多 ", kMaxOpenBrackets, " 个"));
    return absl::nullopt;
  }
  NodeCounter counter;
  try {
    std::istringstream text{std::string(source)};
    YAML::Parser parser(text);
    while (parser.HandleNextDocument(counter)) {
    }
    if (counter.documents() == 1) {
      const YAML::Node document = YAML::Load(std::string(source));
      if (!document.IsNull()) return document;
    }
    report.Error(YAML::Mark::null_mark(), "", "YAML_SYNTAX", "文件是空的");
  } catch (const YAML::Exception& error) {
    if (counter.documents() > 1) {
      report.Error(YAML::Mark::null_mark(), "", "YAML_SYNTAX",
                   "一个文件只能有一份内容（不能有“---”分隔的多份）");
      return absl::nullopt;
    }
    if (counter.full()) {
      report.Error(error.mark, "", "TOO_LARGE",
                   absl::StrCat("内容过多：键、值和列表最多共 ", kMaxNodes, " 个"));
      return absl::nullopt;
    }
    report.Error(error.mark, "", "YAML_SYNTAX",
                 absl::StrCat("YAML 格式有误：", SyntaxProblem(error.msg),
                              report.HasWideColonNear(error.mark.line)
                                  ? "；附近有全角冒号“：”，键后应为半角冒号加空格“: ”"
                                  : ""));
  } catch (const std::exception&) {
    report.Error(YAML::Mark::null_mark(), "", "YAML_SYNTAX", "YAML 格式有误");
  }
  return absl::nullopt;
}

}  // namespace fadu::assessment
