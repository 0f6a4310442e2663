#include "services/assessment/domain/rubric_yaml.h"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include <yaml-cpp/yaml.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/points.h"
#include "common/schema/rules.h"

namespace fadu::assessment {
namespace {

constexpr size_t kMaxSourceBytes = 400000;
// A rubric and its source travel in one fact of at most 1 MiB.
constexpr size_t kMaxRecordBytes = 1000000;
constexpr size_t kMaxFindings = 200;
constexpr size_t kMaxLines = 500;
constexpr size_t kMaxClauses = 20;
constexpr size_t kMaxEvidence = 20;
constexpr size_t kMaxTiers = 20;
constexpr size_t kMaxQuoted = 40;
// Points of a line: what 500 of them add up to stays far inside 64 bits.
constexpr int64_t kMaxPoints = 1000000;

// A key of a map, and the field of the message that it fills.
struct Key {
  absl::string_view name;
  absl::string_view field;
};

struct Choice {
  absl::string_view name;
  int value;
};

const std::vector<Key>& RubricKeys() {
  static const auto* const keys = new std::vector<Key>{
      {"rubric", "code"},   {"version", "version"}, {"title", "title"},
      {"year", "year"},     {"subject", "subject"}, {"issuer", "issuer"},
      {"basis", "basis"},   {"rounding", "places"}, {"aggregation", "total_e4"},
      {"outcome", "tiers"}, {"tiers", "tiers"},     {"lines", "lines"}};
  return *keys;
}

const std::vector<Key>& LineKeys() {
  static const auto* const keys =
      new std::vector<Key>{{"id", "id"},       {"chapter", "chapter"},     {"title", "title"},
                           {"max", "max_e4"},  {"direction", "direction"}, {"scorer", "scorer"},
                           {"basis", "basis"}, {"evidence", "evidence"},   {"clauses", "clauses"}};
  return *keys;
}

// A leaf form: its code, its name for people, its field in Clause, its keys beside the common ones.
struct Form {
  absl::string_view code;
  absl::string_view name;
  absl::string_view field;
  std::vector<Key> keys;
};

const std::vector<Form>& Forms() {
  static const auto* const forms = new std::vector<Form>{
      {"L01",
       "一项条件",
       "check",
       {{"measure", "measure"},
        {"at_least", "threshold_e4"},
        {"more_than", "threshold_e4"},
        {"at_most", "threshold_e4"},
        {"less_than", "threshold_e4"},
        {"equal", "threshold_e4"},
        {"amount", "amount_e4"},
        {"requirement", "requirement"}}},
      {"L03",
       "少一次扣多少",
       "shortfall",
       {{"measure", "measure"},
        {"required", "required"},
        {"window", "window"},
        {"per_missing", "per_missing_e4"},
        {"what", "what"},
        {"unit", "unit"}}},
      {"L06",
       "比率每差一步扣多少",
       "rate_step",
       {{"measure", "measure"},
        {"target", "target_percent_e4"},
        {"step", "step_percent_e4"},
        {"per_step", "per_step_e4"},
        {"side", "above"},
        {"step_rounding", "step_rounding"},
        {"when_empty", "when_empty"},
        {"what", "what"}}},
      {"L17",
       "人工评定",
       "judged",
       {{"min", "min_e4"}, {"max", "max_e4"}, {"step", "step_e4"}, {"what", "what"}}}};
  return *forms;
}

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

std::string Quoted(absl::string_view text) {
  size_t end = std::min(text.size(), kMaxQuoted);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return absl::StrCat("“", text.substr(0, end), end < text.size() ? "…" : "", "”");
}

// Letters, digits, dot, hyphen and underscore: what may stand in names and filters as it is.
bool IsPlainWord(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_';
  });
}

std::string Join(absl::string_view path, absl::string_view field) {
  return path.empty() ? std::string(field) : absl::StrCat(path, ".", field);
}

std::string Item(absl::string_view path, size_t index) {
  return absl::StrCat(path, "[", index, "]");
}

// Collects findings and places while the tree is walked.
class Report {
 public:
  Report(absl::string_view source, CompiledRubric& out) : out_(out) {
    absl::ConsumePrefix(&source, "\xEF\xBB\xBF");
    text_lines_ = absl::StrSplit(source, '\n');
  }

  // The library counts lines from zero and columns in bytes.
  YamlPlace PlaceOf(const YAML::Mark& mark) const {
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

  void Put(const std::string& path, const YAML::Mark& mark) {
    const YamlPlace place = PlaceOf(mark);
    if (place.line > 0) out_.places.emplace(path, place);
  }

  void Error(const YAML::Mark& mark, absl::string_view path, absl::string_view code,
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
    out_.findings.push_back(std::move(finding));
  }

  // A colon of a Chinese keyboard near a line the library did not understand.
  bool HasWideColonNear(int line) const {
    for (int i = std::max(0, line - 1); i <= line; ++i) {
      if (static_cast<size_t>(i) >= text_lines_.size()) break;
      const absl::string_view text = text_lines_[static_cast<size_t>(i)];
      if (absl::StrContains(text, "：") && !absl::StrContains(text, ": ")) return true;
    }
    return false;
  }

  bool failed() const { return failed_; }
  bool full() const { return out_.findings.size() >= kMaxFindings; }

 private:
  CompiledRubric& out_;
  std::vector<absl::string_view> text_lines_;
  bool failed_ = false;
};

// One map of the YAML, read key by key.
class Section {
 public:
  Section(Report& report, const YAML::Node& node, std::string path, const std::vector<Key>& keys)
      : report_(report), path_(std::move(path)), mark_(node.Mark()) {
    report_.Put(path_, mark_);
    for (const Key& key : keys) fields_.emplace(key.name, key.field);
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
      const auto field = fields_.find(name);
      if (field == fields_.end()) {
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

  bool valid() const { return valid_; }
  bool Has(absl::string_view key) const { return entries_.find(key) != entries_.end(); }
  const std::string& path() const { return path_; }
  std::string PathOf(absl::string_view key) const {
    const auto field = fields_.find(key);
    return Join(path_, field == fields_.end() ? key : field->second);
  }
  // Where a key's value stands, or the map when there is no such key.
  YAML::Mark MarkOf(absl::string_view key) const {
    const auto entry = entries_.find(key);
    if (entry == entries_.end()) return mark_;
    return entry->second.value.IsNull() ? entry->second.at : entry->second.value.Mark();
  }
  void Error(absl::string_view key, absl::string_view code, absl::string_view message) const {
    report_.Error(MarkOf(key), PathOf(key), code, message);
  }

  // Text of a key; empty when it is missing, which is an error if it is required.
  std::string Text(absl::string_view key, bool required) const {
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

  // A word for ids and versions.
  std::string Word(absl::string_view key) const {
    std::string text = Text(key, true);
    if (!text.empty() && !IsPlainWord(text)) {
      Error(key, "VALUE_INVALID",
            absl::StrCat(key, " 只能用字母、数字、点、横线和下划线，现为 ", Quoted(text)));
    }
    return text;
  }

  // A decimal in 1/10,000, from `least` (in whole units); nullopt when missing or wrong.
  absl::optional<int64_t> Decimal(absl::string_view key, bool required, int64_t least,
                                  bool percent = false) const {
    const std::string text = Text(key, required);
    if (text.empty()) return absl::nullopt;
    absl::string_view digits = text;
    if (percent) {
      if (!absl::ConsumeSuffix(&digits, "%")) absl::ConsumeSuffix(&digits, "％");
    }
    const absl::StatusOr<Points> value = Points::Parse(digits);
    if (!value.ok()) {
      Error(key, "VALUE_INVALID",
            absl::StrCat(key, " 应为数字（最多四位小数），现为 ", Quoted(text)));
      return absl::nullopt;
    }
    if (*value < Points::FromWhole(least)) {
      Error(key, "VALUE_INVALID", absl::StrCat(key, " 不能小于 ", least));
      return absl::nullopt;
    }
    return value->units();
  }

  // Points: a decimal of at most a million.
  absl::optional<int64_t> PointsOf(absl::string_view key, bool required) const {
    const absl::optional<int64_t> units = Decimal(key, required, 0);
    if (units.has_value() && *units > kMaxPoints * Points::kScale) {
      Error(key, "VALUE_INVALID", absl::StrCat(key, " 不能大于 ", kMaxPoints));
      return absl::nullopt;
    }
    return units;
  }

  absl::optional<int64_t> Whole(absl::string_view key, bool required, int64_t least,
                                int64_t most) const {
    const std::string text = Text(key, required);
    if (text.empty()) return absl::nullopt;
    int64_t value = 0;
    if (!absl::SimpleAtoi(text, &value) || value < least || value > most) {
      Error(key, "VALUE_INVALID",
            absl::StrCat(key, " 应为 ", least, " 至 ", most, " 的整数，现为 ", Quoted(text)));
      return absl::nullopt;
    }
    return value;
  }

  // One of a few words; `fallback` when missing or wrong.
  int OneOf(absl::string_view key, bool required, const std::vector<Choice>& choices,
            int fallback) const {
    const std::string text = Text(key, required);
    if (text.empty()) return fallback;
    std::vector<absl::string_view> names;
    for (const Choice& choice : choices) {
      if (choice.name == text) return choice.value;
      names.push_back(choice.name);
    }
    const absl::string_view meant = Suggestion(text, names);
    Error(key, "VALUE_INVALID",
          absl::StrCat(key, " 不能是 ", Quoted(text),
                       meant.empty() ? "" : absl::StrCat("，是否指 ", meant), "；可选：",
                       absl::StrJoin(names, "、")));
    return fallback;
  }

  // The items of a list, at most `most`.
  std::vector<YAML::Node> List(absl::string_view key, bool required, size_t most) const {
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

  // A map under a key; nullptr when missing.
  const YAML::Node* Find(absl::string_view key, bool required) const {
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

 private:
  struct Entry {
    YAML::Mark at;
    YAML::Node value;
  };

  void Unknown(const YAML::Mark& at, const std::string& name) const {
    if (report_.full()) return;
    std::vector<absl::string_view> known;
    for (const auto& [key, field] : fields_) known.push_back(key);
    const absl::string_view meant = Suggestion(name, known);
    report_.Error(at, path_, "KEY_UNKNOWN",
                  absl::StrCat("没有名为 ", Quoted(name), " 的键",
                               meant.empty() ? "" : absl::StrCat("，是否指 ", meant),
                               "；此处可用：", absl::StrJoin(known, "、")));
  }

  Report& report_;
  const std::string path_;
  const YAML::Mark mark_;
  bool valid_ = false;
  std::map<std::string, std::string, std::less<>> fields_;
  std::map<std::string, Entry, std::less<>> entries_;
};

void ReadCheck(const Section& section, v1::Check& check) {
  static const auto* const comparisons =
      new std::vector<Choice>{{"at_least", v1::COMPARISON_AT_LEAST},
                              {"more_than", v1::COMPARISON_MORE_THAN},
                              {"at_most", v1::COMPARISON_AT_MOST},
                              {"less_than", v1::COMPARISON_LESS_THAN},
                              {"equal", v1::COMPARISON_EQUAL}};
  check.set_measure(section.Text("measure", true));
  int given = 0;
  for (const Choice& comparison : *comparisons) {
    if (!section.Has(comparison.name)) continue;
    if (++given > 1) {
      section.Error(comparison.name, "KEY_DUPLICATE",
                    "at_least、more_than、at_most、less_than、equal 只能写一个");
      continue;
    }
    check.set_comparison(static_cast<v1::Comparison>(comparison.value));
    check.set_threshold_e4(section.Decimal(comparison.name, true, 0, true).value_or(0));
  }
  if (given == 0) {
    section.Error("at_least", "KEY_MISSING",
                  "缺少比较条件：at_least（不少于）、more_than（多于）、at_most（不多于）、"
                  "less_than（少于）、equal（等于）之一");
  }
  check.set_amount_e4(section.PointsOf("amount", true).value_or(0));
  check.set_requirement(section.Text("requirement", true));
}

void ReadShortfall(const Section& section, v1::Shortfall& shortfall) {
  static const auto* const windows = new std::vector<Choice>{{"year", v1::WINDOW_YEAR},
                                                             {"half_year", v1::WINDOW_HALF_YEAR},
                                                             {"quarter", v1::WINDOW_QUARTER},
                                                             {"month", v1::WINDOW_MONTH}};
  shortfall.set_measure(section.Text("measure", true));
  shortfall.set_required(section.Whole("required", true, 1, 1000000).value_or(0));
  // 每季度1次 and 全年4次 are different requirements: the rubric says which.
  shortfall.set_window(
      static_cast<v1::Window>(section.OneOf("window", true, *windows, v1::WINDOW_UNSPECIFIED)));
  shortfall.set_per_missing_e4(section.PointsOf("per_missing", true).value_or(0));
  shortfall.set_what(section.Text("what", true));
  shortfall.set_unit(section.Text("unit", false));
}

void ReadRateStep(const Section& section, v1::RateStep& rate) {
  static const auto* const sides = new std::vector<Choice>{{"below", 0}, {"above", 1}};
  static const auto* const roundings =
      new std::vector<Choice>{{"started", v1::STEP_ROUNDING_STARTED},
                              {"completed", v1::STEP_ROUNDING_COMPLETED},
                              {"pro_rata", v1::STEP_ROUNDING_PRO_RATA}};
  static const auto* const empties =
      new std::vector<Choice>{{"full", v1::WHEN_EMPTY_FULL},
                              {"zero", v1::WHEN_EMPTY_ZERO},
                              {"not_applicable", v1::WHEN_EMPTY_NOT_APPLICABLE},
                              {"manual", v1::WHEN_EMPTY_MANUAL}};
  rate.set_measure(section.Text("measure", true));
  rate.set_target_percent_e4(section.Decimal("target", true, 0, true).value_or(0));
  rate.set_step_percent_e4(section.Decimal("step", true, 0, true).value_or(0));
  rate.set_per_step_e4(section.PointsOf("per_step", true).value_or(0));
  rate.set_above(section.OneOf("side", false, *sides, 0) != 0);
  rate.set_step_rounding(static_cast<v1::StepRounding>(
      section.OneOf("step_rounding", true, *roundings, v1::STEP_ROUNDING_UNSPECIFIED)));
  rate.set_when_empty(static_cast<v1::WhenEmpty>(
      section.OneOf("when_empty", true, *empties, v1::WHEN_EMPTY_UNSPECIFIED)));
  rate.set_what(section.Text("what", true));
}

void ReadJudged(const Section& section, v1::Judged& judged) {
  judged.set_min_e4(section.PointsOf("min", false).value_or(0));
  judged.set_max_e4(section.PointsOf("max", true).value_or(0));
  judged.set_step_e4(section.PointsOf("step", false).value_or(0));
  judged.set_what(section.Text("what", true));
  if (judged.max_e4() < judged.min_e4()) {
    section.Error("max", "VALUE_INVALID", "max 不能小于 min");
  }
}

// The form that a clause names; null after an error.
const Form* FormOf(Report& report, const YAML::Node& node, const std::string& path) {
  std::vector<std::string> known;
  for (const Form& form : Forms()) known.push_back(absl::StrCat(form.code, "（", form.name, "）"));
  const std::string list = absl::StrJoin(known, "、");
  if (node.IsMap()) {
    for (const auto& pair : node) {
      if (!pair.first.IsScalar() || pair.first.Scalar() != "form") continue;
      const std::string code = pair.second.IsScalar() ? pair.second.Scalar() : "";
      for (const Form& form : Forms()) {
        if (form.code == code) return &form;
      }
      report.Error(pair.second.IsNull() ? pair.first.Mark() : pair.second.Mark(), path,
                   "FORM_UNKNOWN",
                   absl::StrCat("本版本没有条款形式 ", Quoted(code), "；可用：", list));
      return nullptr;
    }
  }
  report.Error(node.Mark(), path, "KEY_MISSING", absl::StrCat("缺少 form；可用：", list));
  return nullptr;
}

void ReadClause(Report& report, const YAML::Node& node, const std::string& path,
                v1::Clause& clause) {
  report.Put(path, node.Mark());
  const Form* form = FormOf(report, node, path);
  if (form == nullptr) return;
  std::vector<Key> keys = {{"form", form->field}, {"text", "text"}, {"cap", "cap_e4"}};
  std::vector<std::string> fields;
  fields.reserve(form->keys.size());
  for (const Key& key : form->keys) {
    fields.push_back(absl::StrCat(form->field, ".", key.field));
    keys.push_back({key.name, fields.back()});
  }
  const Section section(report, node, path, keys);
  // Scoring names a clause's field with or without the form: clauses[0].measure.
  for (const Key& key : form->keys) {
    if (section.Has(key.name)) report.Put(Join(path, key.field), section.MarkOf(key.name));
  }
  clause.set_text(section.Text("text", false));
  if (const auto cap = section.PointsOf("cap", false); cap.has_value()) clause.set_cap_e4(*cap);
  if (form->code == "L01") ReadCheck(section, *clause.mutable_check());
  if (form->code == "L03") ReadShortfall(section, *clause.mutable_shortfall());
  if (form->code == "L06") ReadRateStep(section, *clause.mutable_rate_step());
  if (form->code == "L17") ReadJudged(section, *clause.mutable_judged());
}

void ReadLine(Report& report, const YAML::Node& node, const std::string& path, v1::Line& line) {
  static const auto* const directions =
      new std::vector<Choice>{{"lose", v1::DIRECTION_LOSE}, {"earn", v1::DIRECTION_EARN}};
  const Section section(report, node, path, LineKeys());
  if (!section.valid()) return;
  line.set_id(section.Word("id"));
  line.set_chapter(section.Text("chapter", false));
  line.set_title(section.Text("title", true));
  line.set_max_e4(section.PointsOf("max", true).value_or(0));
  line.set_direction(static_cast<v1::Direction>(
      section.OneOf("direction", false, *directions, v1::DIRECTION_LOSE)));
  line.set_scorer(section.Text("scorer", false));
  line.set_basis(section.Text("basis", true));
  const std::vector<YAML::Node> evidence = section.List("evidence", false, kMaxEvidence);
  for (size_t i = 0; i < evidence.size(); ++i) {
    const std::string item = Item(section.PathOf("evidence"), i);
    report.Put(item, evidence[i].Mark());
    if (!evidence[i].IsScalar()) {
      report.Error(evidence[i].Mark(), item, "TYPE_WRONG", "evidence 的每项应为一个值");
      continue;
    }
    line.add_evidence(std::string(absl::StripAsciiWhitespace(evidence[i].Scalar())));
  }
  const std::vector<YAML::Node> clauses = section.List("clauses", true, kMaxClauses);
  for (size_t i = 0; i < clauses.size(); ++i) {
    ReadClause(report, clauses[i], Item(section.PathOf("clauses"), i), *line.add_clauses());
  }
}

void ReadRounding(Report& report, const Section& root, v1::Rubric& rubric) {
  static const auto* const modes = new std::vector<Choice>{{"half_up", v1::RUBRIC_ROUNDING_HALF_UP},
                                                           {"cut", v1::RUBRIC_ROUNDING_CUT}};
  rubric.set_places(2);
  rubric.set_rounding(v1::RUBRIC_ROUNDING_HALF_UP);
  const YAML::Node* node = root.Find("rounding", false);
  if (node == nullptr) return;
  const Section section(report, *node, "", {{"places", "places"}, {"mode", "rounding"}});
  rubric.set_places(static_cast<int32_t>(section.Whole("places", true, 0, 4).value_or(2)));
  rubric.set_rounding(static_cast<v1::RubricRounding>(
      section.OneOf("mode", true, *modes, v1::RUBRIC_ROUNDING_HALF_UP)));
}

void ReadTiers(Report& report, const Section& root, v1::Rubric& rubric) {
  const std::vector<YAML::Node> tiers = root.List("tiers", true, kMaxTiers);
  for (size_t i = 0; i < tiers.size(); ++i) {
    const Section section(report, tiers[i], Item("tiers", i),
                          {{"name", "name"}, {"from", "from_e4"}});
    v1::Tier& tier = *rubric.add_tiers();
    tier.set_name(section.Text("name", true));
    tier.set_from_e4(section.Decimal("from", true, -kMaxPoints).value_or(0));
  }
}

// The only way to add up, and the only way to a grade, there is so far.
void ReadFixed(const Section& root, absl::string_view key, absl::string_view only,
               absl::string_view meaning) {
  const std::string text = root.Text(key, false);
  if (text.empty() || text == only) return;
  root.Error(key, "FORM_UNKNOWN",
             absl::StrCat("本版本没有 ", Quoted(text), "；可用：", only, "（", meaning, "）"));
}

void CheckIds(Report& report, const CompiledRubric& compiled, const v1::Rubric& rubric) {
  std::set<std::string> seen;
  for (int i = 0; i < rubric.lines_size(); ++i) {
    const std::string& id = rubric.lines(i).id();
    if (id.empty() || seen.insert(id).second) continue;
    const std::string path = Join(Item("lines", static_cast<size_t>(i)), "id");
    const auto place = compiled.places.find(path);
    report.Error(YAML::Mark::null_mark(), path, "ID_DUPLICATE",
                 absl::StrCat("编号 ", Quoted(id), " 重复",
                              place == compiled.places.end()
                                  ? ""
                                  : absl::StrCat("（第 ", place->second.line, " 行）")));
  }
}

void ReadRubric(Report& report, const YAML::Node& node, const CompiledRubric& compiled,
                v1::Rubric& rubric) {
  static const auto* const subjects = new std::vector<Choice>{{"village", v1::SUBJECT_VILLAGE}};
  const Section root(report, node, "", RubricKeys());
  if (!root.valid()) return;
  rubric.set_code(root.Word("rubric"));
  rubric.set_version(root.Word("version"));
  rubric.set_title(root.Text("title", true));
  rubric.set_year(static_cast<int32_t>(root.Whole("year", true, 2000, 2999).value_or(0)));
  rubric.set_subject(
      static_cast<v1::Subject>(root.OneOf("subject", true, *subjects, v1::SUBJECT_UNSPECIFIED)));
  rubric.set_issuer(root.Text("issuer", false));
  rubric.set_basis(root.Text("basis", false));
  ReadRounding(report, root, rubric);
  ReadFixed(root, "aggregation", "A01", "各项相加");
  ReadFixed(root, "outcome", "O01", "按分数线定等次");
  ReadTiers(report, root, rubric);
  const std::vector<YAML::Node> lines = root.List("lines", true, kMaxLines);
  int64_t total = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    v1::Line& line = *rubric.add_lines();
    ReadLine(report, lines[i], Item("lines", i), line);
    total += line.max_e4();
  }
  rubric.set_total_e4(total);
  CheckIds(report, compiled, rubric);
}

// The one document of the source; nullopt after an error. No exception leaves here.
absl::optional<YAML::Node> Load(Report& report, absl::string_view source) {
  if (source.size() > kMaxSourceBytes) {
    report.Error(YAML::Mark::null_mark(), "", "TOO_LARGE",
                 absl::StrCat("细则不能超过 ", kMaxSourceBytes, " 字节"));
    return absl::nullopt;
  }
  if (absl::StrContains(source, absl::string_view("\0", 1))) {
    report.Error(YAML::Mark::null_mark(), "", "YAML_SYNTAX", "含有空字符，请以 UTF-8 保存");
    return absl::nullopt;
  }
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(source));
    if (documents.size() == 1 && !documents[0].IsNull()) return documents[0];
    report.Error(
        YAML::Mark::null_mark(), "", "YAML_SYNTAX",
        documents.size() > 1 ? "一个文件只能有一份细则（不能有“---”分隔的多份）" : "文件是空的");
  } catch (const YAML::Exception& error) {
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

}  // namespace

CompiledRubric CompileRubric(absl::string_view source) {
  CompiledRubric compiled;
  Report report(source, compiled);
  v1::Rubric rubric;
  const absl::optional<YAML::Node> node = Load(report, source);
  if (node.has_value()) {
    try {
      ReadRubric(report, *node, compiled, rubric);
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
