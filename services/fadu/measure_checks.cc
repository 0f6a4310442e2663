#include "services/fadu/measure_checks.h"

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

#include <yaml-cpp/yaml.h>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "common/base/area_code.h"
#include "services/fadu/args.h"
#include "services/scoring/domain/fraction.h"
#include "services/scoring/domain/measure.h"

namespace fadu::cli {
namespace {

constexpr size_t kMaxBytes = 1000000;
constexpr size_t kMaxChecks = 5000;
constexpr size_t kMaxProblems = 100;
constexpr size_t kMaxPlaces = 6;
constexpr absl::string_view kKeys[] = {"label",  "expression", "area",    "year",
                                       "period", "expected",   "rounding"};

// A number as it is printed: digits, decimals, and whether it is a percentage.
struct Shape {
  int places = 0;
  bool percent = false;
  // 20余: above `floor` and below `ceiling`.
  bool more = false;
  int64_t floor = 0;
  int64_t ceiling = 0;
};

// 20余, 300多: a round number and more, but less than one more of its last unit.
absl::optional<Shape> RoundShapeOf(absl::string_view text) {
  constexpr size_t kMaxDigits = 15;
  Shape shape;
  shape.more = true;
  const bool digits = text.size() >= 2 && text.size() <= kMaxDigits && text[0] != '0' &&
                      std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (!digits || text.back() != '0' || !absl::SimpleAtoi(text, &shape.floor)) return absl::nullopt;
  int64_t unit = 1;
  while (shape.floor / unit % 10 == 0) unit *= 10;
  shape.ceiling = shape.floor + unit;
  return shape;
}

absl::optional<Shape> ShapeOf(absl::string_view text) {
  Shape shape;
  if (absl::ConsumeSuffix(&text, "余") || absl::ConsumeSuffix(&text, "多")) {
    return RoundShapeOf(text);
  }
  if (absl::ConsumeSuffix(&text, "%")) shape.percent = true;
  absl::ConsumePrefix(&text, "-");
  const size_t dot = text.find('.');
  const absl::string_view whole = text.substr(0, dot);
  const auto digits = [](absl::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), absl::ascii_isdigit);
  };
  if (!digits(whole) || (whole.size() > 1 && whole[0] == '0')) return absl::nullopt;
  if (dot == absl::string_view::npos) return shape;
  const absl::string_view fraction = text.substr(dot + 1);
  if (!digits(fraction) || fraction.size() > kMaxPlaces) return absl::nullopt;
  shape.places = static_cast<int>(fraction.size());
  return shape;
}

class Reader {
 public:
  explicit Reader(absl::string_view source) : lines_(absl::StrSplit(source, '\n')) {}

  void Read(const YAML::Node& root) {
    if (!root.IsSequence()) {
      return Problem(root.Mark(), T("文件应为列表，每项以“- ”开头",
                                    "the file is a list: each entry begins with \"- \""));
    }
    if (root.size() > kMaxChecks) {
      return Problem(root.Mark(),
                     absl::StrCat(T("最多 ", "at most "), kMaxChecks, T(" 项", " entries")));
    }
    for (const YAML::Node& entry : root) ReadEntry(entry);
  }

  void Problem(const YAML::Mark& mark, absl::string_view problem) {
    if (file_.problems.size() >= kMaxProblems) return;
    CheckFileProblem entry;
    entry.problem = std::string(problem);
    if (!mark.is_null() && mark.line >= 0) {
      entry.line = mark.line + 1;
      entry.column = ColumnOf(mark);
    }
    file_.problems.push_back(std::move(entry));
  }

  MeasureCheckFile Finish() {
    if (!file_.problems.empty()) file_.checks.clear();
    return std::move(file_);
  }

 private:
  // The library counts columns in bytes; people count characters.
  int ColumnOf(const YAML::Mark& mark) const {
    if (static_cast<size_t>(mark.line) >= lines_.size()) return mark.column + 1;
    const absl::string_view before =
        lines_[static_cast<size_t>(mark.line)].substr(0, static_cast<size_t>(mark.column));
    return 1 + static_cast<int>(std::count_if(before.begin(), before.end(), [](char c) {
             return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
           }));
  }

  // The scalars of one entry by key.
  using Fields = std::map<std::string, YAML::Node>;

  Fields FieldsOf(const YAML::Node& entry) {
    Fields fields;
    for (const auto& pair : entry) {
      const std::string key = pair.first.IsScalar() ? pair.first.Scalar() : "";
      if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys)) {
        Problem(pair.first.Mark(),
                absl::StrCat(T("没有键 ", "unknown key "), key, T("；可用：", "; known: "),
                             absl::StrJoin(kKeys, T("、", ", "))));
      } else if (!pair.second.IsScalar()) {
        Problem(pair.second.IsNull() ? pair.first.Mark() : pair.second.Mark(),
                absl::StrCat(key, T(" 应为一个值", " is one value")));
      } else if (!fields.emplace(key, pair.second).second) {
        Problem(pair.first.Mark(), absl::StrCat(T("重复的键 ", "repeated key "), key));
      }
    }
    return fields;
  }

  void ReadEntry(const YAML::Node& entry) {
    if (!entry.IsMap()) {
      return Problem(entry.Mark(),
                     T("每项应为键和值（label: …）", "an entry has keys and values (label: …)"));
    }
    const size_t before = file_.problems.size();
    const Fields fields = FieldsOf(entry);
    for (const absl::string_view key : {"label", "expression", "area", "year", "expected"}) {
      if (fields.count(std::string(key)) == 0 && file_.problems.size() == before) {
        Problem(entry.Mark(), absl::StrCat(T("缺少 ", "missing: "), key));
      }
    }
    if (file_.problems.size() > before) return;
    const auto text = [&](const char* key) {
      const auto found = fields.find(key);
      return found == fields.end() ? "" : found->second.Scalar();
    };
    const auto mark = [&](const char* key) { return fields.find(key)->second.Mark(); };
    MeasureCheck check;
    check.line = entry.Mark().line + 1;
    check.label = text("label");
    check.expression = text("expression");
    check.area = text("area");
    check.period = text("period");
    check.expected = text("expected");
    if (check.label.empty()) Problem(mark("label"), T("label 不能为空", "label is empty"));
    if (!IsAreaCode(check.area) || check.area.size() < 6) {
      Problem(mark("area"),
              T("area 应为 6、9 或 12 位区划代码", "area is a division code of 6, 9 or 12 digits"));
    }
    if (!absl::SimpleAtoi(text("year"), &check.year) || check.year < 2000 || check.year > 2999) {
      Problem(mark("year"), T("year 应为年份，如 2024", "year is a year, such as 2024"));
    }
    if (fields.count("period") > 0 && !scoring::Period::Parse(check.period).has_value()) {
      Problem(mark("period"), T("period 应为 year、H1、H2、Q1 至 Q4 或 M01 至 M12",
                                "period is year, H1, H2, Q1 to Q4 or M01 to M12"));
    }
    if (check.period == "year") check.period.clear();
    if (!ShapeOf(check.expected).has_value()) {
      Problem(mark("expected"),
              T("expected 应为整数、小数或百分数，最多六位小数，如 382、6.75、98.17%，或整十整百的 "
                "20余",
                "expected is an integer, a decimal or a percentage with at most six decimals: 382, "
                "6.75, 98.17%; or a round number and more: 20余"));
    }
    if (fields.count("rounding") > 0) {
      const std::string rounding = text("rounding");
      check.rounding = rounding == "cut" ? Rounding::kCut : Rounding::kHalfUp;
      if (rounding != "cut" && rounding != "half_up") {
        Problem(mark("rounding"),
                T("rounding 应为 half_up（四舍五入）或 cut（截断）", "rounding is half_up or cut"));
      }
    }
    file_.checks.push_back(std::move(check));
  }

  const std::vector<absl::string_view> lines_;
  MeasureCheckFile file_;
};

}  // namespace

MeasureCheckFile ParseMeasureChecks(absl::string_view source) {
  Reader reader(source);
  if (source.size() > kMaxBytes) {
    reader.Problem(YAML::Mark::null_mark(),
                   T("文件过大（最多 1000000 字节）", "the file is larger than 1,000,000 bytes"));
    return reader.Finish();
  }
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(source));
    if (documents.size() == 1 && !documents[0].IsNull()) {
      reader.Read(documents[0]);
    } else {
      reader.Problem(YAML::Mark::null_mark(),
                     documents.size() > 1 ? T("一个文件只能有一个列表", "a file holds one list")
                                          : T("文件是空的", "the file is empty"));
    }
  } catch (const YAML::Exception& error) {
    reader.Problem(
        error.mark,
        absl::StrCat(T("YAML 格式有误，请检查缩进、引号和冒号：", "not YAML: "), error.msg));
  } catch (const std::exception&) {
    reader.Problem(YAML::Mark::null_mark(), T("YAML 无法读取", "the YAML cannot be read"));
  }
  return reader.Finish();
}

std::string GotText(const MeasureCheck& check, const scoring::v1::MeasureValue& value) {
  const absl::optional<Shape> shape = ShapeOf(check.expected);
  if (!shape.has_value() || !scoring::HasValue(value) || shape->more) return value.text();
  const std::string text = scoring::FormatValue(value, shape->places, check.rounding);
  return text.empty() ? value.text() : text;
}

bool Agrees(const MeasureCheck& check, const scoring::v1::MeasureValue& value) {
  if (!scoring::HasValue(value)) return false;
  const absl::optional<Shape> shape = ShapeOf(check.expected);
  if (!shape.has_value() || !shape->more) return GotText(check, value) == check.expected;
  if (value.kind() == scoring::v1::MEASURE_KIND_RATIO ||
      value.kind() == scoring::v1::MEASURE_KIND_POINTS) {
    return false;
  }
  const auto exact = scoring::Fraction::Of(value.numerator(), value.denominator());
  return exact > scoring::Fraction(shape->floor) && exact < scoring::Fraction(shape->ceiling);
}

}  // namespace fadu::cli
