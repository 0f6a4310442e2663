#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "fadu/common/v1/options.pb.h"
#include "services/scoring/domain/measure.h"
#include "services/scoring/domain/measure_words.h"

namespace fadu::scoring {
namespace {

namespace common = ::fadu::common::v1;
using Op = MeasureNode::Op;

constexpr size_t kMaxLabel = 300;  // characters
constexpr const char* kQuarters[] = {"一季度", "二季度", "三季度", "四季度"};

bool IsEverything(const FilterNode& node) {
  return node.type == FilterNode::Type::kAnd && node.children.empty();
}

std::string Quoted(absl::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text.push_back('\\');
    text.push_back(c);
  }
  return text + "\"";
}

absl::string_view FunctionName(Op op) {
  for (const MeasureFunction& function : kMeasureFunctions) {
    if (function.op == op) return function.name;
  }
  return "";
}

const AreaSet* AreaSetOf(Units::Kind kind) {
  for (const AreaSet& set : kAreaSets) {
    if (set.kind == kind) return &set;
  }
  return nullptr;
}

// ---- canonical text -----------------------------------------------------------------------------

std::string ValueText(const Value& value) {
  switch (value.kind) {
    case ValueKind::kText:
      return Quoted(value.text);
    case ValueKind::kCode:
      // What a filter would take for a word of its own.
      return value.text == "AND" || value.text == "OR" || value.text == "NOT" ? Quoted(value.text)
                                                                              : value.text;
    case ValueKind::kDate:
      return value.text;
    case ValueKind::kInt:
      return absl::StrCat(value.number);
    case ValueKind::kPoints:
      return Points::FromUnits(value.number).ToString();
    case ValueKind::kBool:
      return value.number != 0 ? "true" : "false";
  }
  return "";
}

const char* OpText(CompareOp op) {
  switch (op) {
    case CompareOp::kEq:
      return " = ";
    case CompareOp::kNe:
      return " != ";
    case CompareOp::kLt:
      return " < ";
    case CompareOp::kLe:
      return " <= ";
    case CompareOp::kGt:
      return " > ";
    case CompareOp::kGe:
      return " >= ";
    case CompareOp::kHas:
      return ":";
    case CompareOp::kPresent:
      return ":*";
  }
  return "";
}

// The filter in canonical spelling: whatever is joined and stands inside another has parentheses.
std::string FilterText(const FilterNode& node, bool inside) {
  switch (node.type) {
    case FilterNode::Type::kAnd:
    case FilterNode::Type::kOr: {
      std::vector<std::string> parts;
      for (const FilterNode& child : node.children) parts.push_back(FilterText(child, true));
      const std::string joined =
          absl::StrJoin(parts, node.type == FilterNode::Type::kAnd ? " AND " : " OR ");
      return inside ? absl::StrCat("(", joined, ")") : joined;
    }
    case FilterNode::Type::kNot: {
      const bool twice = node.children[0].type == FilterNode::Type::kNot;
      const std::string inner = FilterText(node.children[0], true);
      return twice ? absl::StrCat("NOT (", inner, ")") : absl::StrCat("NOT ", inner);
    }
    case FilterNode::Type::kCompare:
      return absl::StrCat(node.field->name(), OpText(node.op),
                          node.op == CompareOp::kPresent ? "" : ValueText(node.value));
    case FilterNode::Type::kBlind:
      return "";
  }
  return "";
}

std::string SpanText(const DateSpan& span) {
  std::string text;
  if (span.from != nullptr) absl::StrAppend(&text, " from ", span.from->name());
  absl::StrAppend(&text, " to ", span.to->name());
  if (span.due != nullptr) {
    absl::StrAppend(&text, " due ", span.due->name());
    if (span.unit != DateSpan::Unit::kPlainDays) absl::StrAppend(&text, " ", UnitName(span.unit));
  } else if (span.within.has_value()) {
    absl::StrAppend(&text, " within ", *span.within, " ", UnitName(span.unit));
  } else if (span.unit != DateSpan::Unit::kDays) {
    absl::StrAppend(&text, " ", UnitName(span.unit));
  }
  return text;
}

std::string SourceText(const Source& source) {
  std::string text = source.type->collection();
  if (source.field != nullptr) absl::StrAppend(&text, ".", source.field->name());
  if (source.span.has_value()) absl::StrAppend(&text, SpanText(*source.span));
  if (!IsEverything(source.filter)) {
    absl::StrAppend(&text, " where ", FilterText(source.filter, false));
  }
  if (source.by != nullptr) absl::StrAppend(&text, " by ", source.by->name());
  const std::string period = source.period.ToString();
  if (source.as_of) {
    absl::StrAppend(
        &text, " as of ",
        source.period.kind == Period::Kind::kDays ? FormatDay(source.period.days.last) : period);
  } else if (period != "year") {
    absl::StrAppend(&text, " in ", period);
  }
  if (source.until != nullptr) {
    absl::StrAppend(&text, source.through ? " through " : " until ", source.until->name());
  }
  return text;
}

std::string UnitsText(const Units& units) {
  if (const AreaSet* set = AreaSetOf(units.kind); set != nullptr) return std::string(set->name);
  if (units.kind == Units::Kind::kFigure) return EnumCode(units.figure);
  return SourceText(units.source);
}

std::string NodeText(const MeasureNode& node);

// A child as it must stand beside an operator that binds as tightly as * does, or on the right of
// one that binds as + does.
std::string Operand(const MeasureNode& node, bool right) {
  const bool additive = node.op == Op::kAdd || node.op == Op::kSubtract;
  const bool product = node.op == Op::kDivide || node.op == Op::kPer;
  const std::string text = NodeText(node);
  return additive || (right && product) ? absl::StrCat("(", text, ")") : text;
}

std::string NodeText(const MeasureNode& node) {
  switch (node.op) {
    case Op::kNumber:
      return node.value.ToString();
    case Op::kAdd:
    case Op::kSubtract: {
      const MeasureNode& right = node.children[1];
      const bool wrapped = right.op == Op::kAdd || right.op == Op::kSubtract;
      const std::string text = NodeText(right);
      return absl::StrCat(NodeText(node.children[0]), node.op == Op::kAdd ? " + " : " - ",
                          wrapped ? absl::StrCat("(", text, ")") : text);
    }
    case Op::kDivide:
      return absl::StrCat(Operand(node.children[0], false), " / ", Operand(node.children[1], true));
    case Op::kPer: {
      std::string text = absl::StrCat(Operand(node.children[0], false), " per");
      const bool alone = node.children.size() == 1;
      if (alone || node.value != Points::FromWhole(1)) {
        absl::StrAppend(&text, " ", node.value.ToString());
      }
      if (alone) return text;
      // A bare number after `per` would be its own.
      const MeasureNode& right = node.children[1];
      const std::string operand = Operand(right, true);
      return absl::StrCat(text, " ",
                          right.op == Op::kNumber ? absl::StrCat("(", operand, ")") : operand);
    }
    case Op::kCoverage: {
      std::string text =
          absl::StrCat("coverage(", SourceText(node.source), " of ", UnitsText(node.units));
      if (node.at_least != 1) absl::StrAppend(&text, " at least ", node.at_least);
      return text + ")";
    }
    case Op::kLeast:
      return absl::StrCat("least(", SourceText(node.source), " of ", UnitsText(node.units), ")");
    case Op::kYears: {
      std::string text = absl::StrCat("years(", SourceText(node.source));
      if (node.at_least != 1) absl::StrAppend(&text, " at least ", node.at_least);
      return text + ")";
    }
    case Op::kMean:
      return absl::StrCat("mean(", NodeText(node.children[0]), " of ", UnitsText(node.units), ")");
    case Op::kDenominator:
    case Op::kSize:
      return absl::StrCat(FunctionName(node.op), "(", UnitsText(node.units), ")");
    case Op::kGap:
    case Op::kLatest:
    case Op::kCount:
    case Op::kSum:
    case Op::kAverage:
    case Op::kMin:
    case Op::kMax:
    case Op::kDistinct:
    case Op::kLate:
    case Op::kOntime:
      return absl::StrCat(FunctionName(node.op), "(", SourceText(node.source), ")");
  }
  return "";
}

// ---- labels -------------------------------------------------------------------------------------

// Says a measure in one language.
class Labels {
 public:
  explicit Labels(bool zh) : zh_(zh) {}

  std::string Of(const MeasureNode& node) const {
    switch (node.op) {
      case Op::kNumber:
        return node.value.ToString();
      case Op::kAdd:
        return absl::StrCat(Of(node.children[0]), Say(" ＋ ", " + "), Of(node.children[1]));
      case Op::kSubtract:
        return absl::StrCat(Of(node.children[0]), Say(" － ", " − "), Wrapped(node.children[1]));
      case Op::kDivide:
        return absl::StrCat(Wrapped(node.children[0]), " ÷ ", Wrapped(node.children[1]));
      case Op::kPer:
        return Per(node);
      case Op::kCount:
        return Named(node.source, "", "");
      case Op::kSum:
        return node.source.span.has_value()
                   ? Timed(node.source, "累计", "total")
                   : Named(node.source, FieldWord(node.source), FieldWord(node.source));
      case Op::kAverage:
        return Quantity(node.source, "平均", "average");
      case Op::kMin:
        return Quantity(node.source, node.source.span.has_value() ? "最短" : "最小", "least");
      case Op::kMax:
        return Quantity(node.source, node.source.span.has_value() ? "最长" : "最大", "greatest");
      case Op::kDistinct:
        return Named(node.source, absl::StrCat("不同", FieldWord(node.source), "数"),
                     absl::StrCat("different ", FieldWord(node.source)));
      case Op::kLate:
        return Named(node.source, "逾期数", "late");
      case Op::kOntime:
        return Named(node.source, "按时率", "on time");
      case Op::kCoverage:
        return Named(node.source, absl::StrCat(Word(node.units), "覆盖率"),
                     absl::StrCat("coverage of ", Word(node.units)),
                     node.at_least == 1 ? ""
                                        : absl::StrCat(Say("每个至少", "at least "), node.at_least,
                                                       Say("件", " each")));
      case Op::kGap:
        return Named(node.source, "最长间隔天数", "longest gap in days");
      case Op::kLeast:
        return Named(node.source, absl::StrCat("每个", Word(node.units), "最少"),
                     absl::StrCat("fewest of any of ", Word(node.units)));
      case Op::kLatest:
        return Named(node.source, absl::StrCat("最新状态", FieldWord(node.source), "数"),
                     absl::StrCat("latest ", FieldWord(node.source)));
      case Op::kYears:
        return Named(node.source, "连续年数", "years in a row",
                     node.at_least == 1 ? ""
                                        : absl::StrCat(Say("每年至少", "at least "), node.at_least,
                                                       Say("件", " each")));
      case Op::kMean:
        return absl::StrCat(Say("全县", "mean over the county's "), Word(node.units),
                            Say("平均的", " of "), Wrapped(node.children[0]));
      case Op::kDenominator:
        return Word(node.units);
      case Op::kSize:
        return absl::StrCat(Say("", "number of "), Word(node.units), Say("数", ""));
    }
    return "";
  }

 private:
  std::string Say(absl::string_view zh, absl::string_view en) const {
    return std::string(zh_ ? zh : en);
  }
  std::string Name(const RecordField& field) const {
    return zh_ ? field.options.zh() : field.options.en();
  }
  std::string Name(const RecordType& type) const {
    return zh_ ? type.options().zh() : type.options().en();
  }
  std::string FieldWord(const Source& source) const {
    return source.field == nullptr ? "" : Name(*source.field);
  }

  std::string Wrapped(const MeasureNode& node) const {
    const bool joined = node.op == Op::kAdd || node.op == Op::kSubtract || node.op == Op::kDivide ||
                        node.op == Op::kPer;
    return joined ? absl::StrCat(Say("（", "("), Of(node), Say("）", ")")) : Of(node);
  }

  std::string Per(const MeasureNode& node) const {
    const std::string number = node.value == Points::FromWhole(1) ? "" : node.value.ToString();
    const std::string left = Wrapped(node.children[0]);
    if (node.children.size() == 1) {
      return absl::StrCat(left, Say("（以", " (in "), node.value.ToString(), Say("计）", "s)"));
    }
    const std::string right = Wrapped(node.children[1]);
    return zh_ ? absl::StrCat("每", number, right, "的", left)
               : absl::StrCat(left, " per ", number, number.empty() ? "" : " ", right);
  }

  std::string Word(const Units& units) const {
    if (const AreaSet* set = AreaSetOf(units.kind); set != nullptr) {
      return std::string(zh_ ? set->zh : set->en);
    }
    if (units.kind == Units::Kind::kFigure) return EntryWord(*units.figure, zh_);
    return Named(units.source, "", "");
  }

  std::string Quantity(const Source& source, absl::string_view zh, absl::string_view en) const {
    if (source.span.has_value()) return Timed(source, zh, en);
    return Named(source, absl::StrCat(zh, FieldWord(source)),
                 absl::StrCat(en, " ", FieldWord(source)));
  }

  std::string Timed(const Source& source, absl::string_view zh, absl::string_view en) const {
    const bool over = source.span->has_deadline();
    return Named(source, absl::StrCat(zh, over ? "超期天数" : "用时天数"),
                 absl::StrCat(en, over ? " days overdue" : " days"));
  }

  // 矛盾纠纷（处理结果为调解成功，一季度）, with what is said of it before the brackets.
  std::string Named(const Source& source, absl::string_view zh, absl::string_view en,
                    absl::string_view more = "") const {
    std::string label = Name(*source.type);
    if (!zh.empty() || !en.empty()) absl::StrAppend(&label, Say("", " "), zh_ ? zh : en);
    std::vector<std::string> parts;
    if (source.span.has_value()) parts.push_back(Word(*source.span));
    if (!IsEverything(source.filter)) parts.push_back(FilterWords(source.filter));
    if (source.by != nullptr) parts.push_back(absl::StrCat(Say("按", "by "), Name(*source.by)));
    const std::string language = Say("zh", "en");
    if (source.as_of) {
      parts.push_back(AsOfWord(source.period));
    } else if (source.period.ToString() != "year") {
      parts.push_back(source.period.Label(language));
    }
    if (!more.empty()) parts.emplace_back(more);
    if (parts.empty()) return label;
    return absl::StrCat(label, Say("（", " ("), absl::StrJoin(parts, Say("，", ", ")),
                        Say("）", ")"));
  }

  std::string AsOfWord(const Period& period) const {
    if (period.kind == Period::Kind::kDays) {
      return absl::StrCat(Say("截至", "as of "), FormatDay(period.days.last));
    }
    if (!zh_) return absl::StrCat("at the end of ", period.Label("en"));
    if (period.kind == Period::Kind::kYear) return period.years_back > 0 ? "上年末" : "年末";
    return absl::StrCat(period.Label("zh"), "末");
  }

  std::string Word(const DateSpan& span) const {
    const std::string to = Name(*span.to);
    if (span.due != nullptr) {
      return absl::StrCat(to, Say("不晚于", " not after "), Name(*span.due));
    }
    std::string text = span.from == nullptr ? absl::StrCat(Say("至", "to "), to)
                                            : absl::StrCat(Name(*span.from), Say("至", " to "), to);
    const bool working = span.unit == DateSpan::Unit::kWorkdays;
    if (span.within.has_value()) {
      absl::StrAppend(&text, Say("须在", " within "), *span.within,
                      working ? Say("个工作日内", " working days") : Say("日内", " days"));
      if (span.unit == DateSpan::Unit::kPlainDays) {
        absl::StrAppend(&text, Say("（不顺延）", ", not moved"));
      }
    } else if (working) {
      absl::StrAppend(&text, Say("，工作日", ", working days"));
    }
    return text;
  }

  // The filter for people: 处理结果为调解成功.
  std::string FilterWords(const FilterNode& node) const {
    switch (node.type) {
      case FilterNode::Type::kAnd:
      case FilterNode::Type::kOr: {
        const bool all = node.type == FilterNode::Type::kAnd;
        std::vector<std::string> parts;
        for (const FilterNode& child : node.children) {
          const bool joined =
              child.type == FilterNode::Type::kAnd || (all && child.type == FilterNode::Type::kOr);
          const std::string words = FilterWords(child);
          parts.push_back(joined ? absl::StrCat(Say("（", "("), words, Say("）", ")")) : words);
        }
        return absl::StrJoin(parts, all ? Say("且", " and ") : Say("或", " or "));
      }
      case FilterNode::Type::kNot:
        return absl::StrCat(Say("非（", "not ("), FilterWords(node.children[0]), Say("）", ")"));
      case FilterNode::Type::kCompare: {
        const std::string name = Name(*node.field);
        if (node.op == CompareOp::kPresent) return absl::StrCat(Say("有", "with "), name);
        std::string value =
            node.value.kind == ValueKind::kText ? node.value.text : ValueText(node.value);
        if (node.value.kind == ValueKind::kCode) {
          const auto* entry = FindEnumCode(node.field->descriptor->enum_type(), node.value.text);
          if (entry != nullptr) value = EntryWord(*entry, zh_);
        }
        if (node.value.kind == ValueKind::kBool && zh_)
          value = node.value.number != 0 ? "是" : "否";
        if (!zh_) return absl::StrCat(name, OpText(node.op), value);
        switch (node.op) {
          case CompareOp::kEq:
            return absl::StrCat(name, "为", value);
          case CompareOp::kNe:
            return absl::StrCat(name, "不为", value);
          case CompareOp::kHas:
            return absl::StrCat(name, "含", value);
          default:
            return absl::StrCat(name, OpText(node.op), value);
        }
      }
      case FilterNode::Type::kBlind:
        return "";
    }
    return "";
  }

  const bool zh_;
};

// At most kMaxLabel characters.
std::string Cut(std::string text) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (++characters == kMaxLabel) {
      // The character that begins here is the last one; it must also end the text.
      size_t end = i + 1;
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
      if (end < text.size()) return absl::StrCat(text.substr(0, i), "…");
    }
  }
  return text;
}

bool AnyNode(const MeasureNode& node, bool (*test)(const MeasureNode&)) {
  if (test(node)) return true;
  return std::any_of(node.children.begin(), node.children.end(),
                     [&](const MeasureNode& child) { return AnyNode(child, test); });
}

}  // namespace

absl::string_view UnitName(DateSpan::Unit unit) {
  switch (unit) {
    case DateSpan::Unit::kDays:
      return "days";
    case DateSpan::Unit::kWorkdays:
      return "workdays";
    case DateSpan::Unit::kPlainDays:
      return "plaindays";
  }
  return "";
}

std::string EntryWord(const google::protobuf::EnumValueDescriptor& entry, bool zh) {
  const common::Label& label = entry.options().GetExtension(common::label);
  const std::string& word = zh ? label.zh() : label.en();
  return word.empty() ? EnumCode(&entry) : word;
}

std::string KindWord(v1::MeasureKind kind, bool zh) {
  const auto* entry = v1::MeasureKind_descriptor()->FindValueByNumber(kind);
  return entry == nullptr ? "" : EntryWord(*entry, zh);
}

absl::optional<Period> Period::Parse(absl::string_view text) {
  for (const Kind kind : {Kind::kYear, Kind::kHalf, Kind::kQuarter, Kind::kMonth}) {
    const int count = kind == Kind::kHalf ? 2 : kind == Kind::kQuarter ? 4 : 12;
    for (int index = 1; index <= (kind == Kind::kYear ? 1 : count); ++index) {
      Period period;
      period.kind = kind;
      period.index = index;
      if (period.ToString() == text) return period;
    }
  }
  return absl::nullopt;
}

DayRange Period::In(int year) const {
  const int y = year - years_back;
  switch (kind) {
    case Kind::kYear:
      return YearRange(y);
    case Kind::kHalf:
      return DayRange{absl::CivilDay(y, index * 6 - 5, 1),
                      absl::CivilDay(absl::CivilMonth(y, index * 6 + 1)) - 1};
    case Kind::kQuarter:
      return DayRange{absl::CivilDay(y, index * 3 - 2, 1),
                      absl::CivilDay(absl::CivilMonth(y, index * 3 + 1)) - 1};
    case Kind::kMonth:
      return DayRange{absl::CivilDay(y, index, 1),
                      absl::CivilDay(absl::CivilMonth(y, index + 1)) - 1};
    case Kind::kDays:
      return days;
    case Kind::kRolling:
      return MonthsUntil(YearRange(y).last, index);
  }
  return YearRange(y);
}

DayRange MonthsUntil(absl::CivilDay last, int months) {
  const absl::CivilMonth month = absl::CivilMonth(last) - months;
  // The same day of the earlier month, or its last one.
  const absl::CivilDay same =
      std::min(absl::CivilDay(month + 1) - 1, absl::CivilDay(month) + (last.day() - 1));
  return DayRange{same + 1, last};
}

std::string Period::ToString() const {
  const std::string last = years_back > 0 ? "last " : "";
  switch (kind) {
    case Kind::kYear:
      return last + "year";
    case Kind::kHalf:
      return absl::StrCat(last, "H", index);
    case Kind::kQuarter:
      return absl::StrCat(last, "Q", index);
    case Kind::kMonth:
      return absl::StrCat(last, "M", index < 10 ? "0" : "", index);
    case Kind::kDays:
      return absl::StrCat(FormatDay(days.first), "..", FormatDay(days.last));
    case Kind::kRolling:
      return absl::StrCat("rolling ", index);
  }
  return "";
}

std::string Period::Label(absl::string_view language) const {
  if (kind == Kind::kDays) {
    return absl::StrCat(FormatDay(days.first), language == "en" ? " to " : "至",
                        FormatDay(days.last));
  }
  if (kind == Kind::kRolling) {
    return language == "en" ? absl::StrCat("the last ", index, " months")
                            : absl::StrCat("最近", index, "个月");
  }
  if (language == "en") {
    if (kind == Kind::kYear) return years_back > 0 ? "last year" : "whole year";
    return ToString();
  }
  const std::string last = years_back > 0 ? "上年" : "";
  switch (kind) {
    case Kind::kYear:
      return years_back > 0 ? "上年" : "全年";
    case Kind::kHalf:
      return last + (index == 1 ? "上半年" : "下半年");
    case Kind::kQuarter:
      return last + kQuarters[index - 1];
    case Kind::kMonth:
      return absl::StrCat(last, index, "月");
    case Kind::kDays:
    case Kind::kRolling:
      break;
  }
  return "";
}

v1::MeasureKind Measure::kind() const {
  return root == nullptr ? v1::MEASURE_KIND_UNSPECIFIED : root->kind;
}

bool Measure::is_ratio() const {
  return kind() == v1::MEASURE_KIND_RATIO || kind() == v1::MEASURE_KIND_POINTS;
}

bool Measure::counts_records() const { return root != nullptr && root->op == Op::kCount; }

bool Measure::is_text() const { return kind() == v1::MEASURE_KIND_TEXT; }

std::string ToString(const Measure& measure) {
  if (measure.root == nullptr) return "";
  std::string text = NodeText(*measure.root);
  if (!measure.label.empty()) absl::StrAppend(&text, " as ", Quoted(measure.label));
  return text;
}

std::string LabelOf(const Measure& measure, absl::string_view language) {
  if (!measure.label.empty()) return Cut(measure.label);
  return measure.root == nullptr ? "" : Cut(Labels(language != "en").Of(*measure.root));
}

bool MayBeEmpty(const Measure& measure) {
  return measure.root != nullptr && AnyNode(*measure.root, [](const MeasureNode& node) {
           switch (node.op) {
             case Op::kDivide:
             case Op::kAverage:
             case Op::kMin:
             case Op::kMax:
             case Op::kOntime:
             case Op::kCoverage:
             case Op::kGap:
             case Op::kLeast:
             case Op::kMean:
               return true;
             case Op::kPer:
               return node.children.size() > 1;
             case Op::kNumber:
             case Op::kAdd:
             case Op::kSubtract:
             case Op::kCount:
             case Op::kSum:
             case Op::kDistinct:
             case Op::kLate:
             case Op::kDenominator:  // a figure that is missing is no data
             case Op::kSize:
             case Op::kLatest:
             case Op::kYears:
               return false;
           }
           return false;
         });
}

bool NeedsAreas(const Measure& measure) {
  return measure.root != nullptr && AnyNode(*measure.root, [](const MeasureNode& node) {
           // A registered figure of a town may be the sum of its villages'.
           return node.op == Op::kCoverage || node.op == Op::kDenominator || node.op == Op::kSize ||
                  node.op == Op::kLeast || node.op == Op::kMean;
         });
}

}  // namespace fadu::scoring
