#include "services/scoring/domain/measure.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/area_code.h"
#include "common/base/points.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/scoring/v1/scoring_service.pb.h"

namespace fadu::scoring {
namespace {

namespace common = ::fadu::common::v1;
__extension__ typedef __int128 Wide;

constexpr const char* kQuarters[] = {"一季度", "二季度", "三季度", "四季度"};

class Parser {
 public:
  Parser(absl::string_view text, const RecordTypes& types) : text_(text), types_(types) {}

  absl::StatusOr<Measure> Parse() {
    Measure measure;
    FADU_ASSIGN_OR_RETURN(measure.numerator, ParseTerm());
    Skip();
    if (Take("/")) {
      FADU_ASSIGN_OR_RETURN(Term denominator, ParseTerm());
      measure.denominator = std::move(denominator);
      Skip();
    }
    if (TakeWord("as")) {
      Skip();
      FADU_ASSIGN_OR_RETURN(measure.label, Quoted());
      Skip();
    }
    if (at_ != text_.size()) return Error(at_, "表达式到此应已结束");
    return measure;
  }

 private:
  absl::Status Error(size_t byte, absl::string_view problem) const {
    size_t position = 1;
    for (size_t i = 0; i < byte && i < text_.size(); ++i) {
      if ((static_cast<unsigned char>(text_[i]) & 0xC0) != 0x80) ++position;
    }
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_MEASURE_INVALID,
                "the measure does not parse or does not fit the record types",
                {{"position", absl::StrCat(position)}, {"problem", std::string(problem)}});
  }

  void Skip() {
    while (at_ < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  bool Take(absl::string_view token) {
    if (!absl::StartsWith(text_.substr(at_), token)) return false;
    at_ += token.size();
    return true;
  }

  static bool IsWordByte(char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
  }

  std::string Word() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsWordByte(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  bool TakeWord(absl::string_view word) {
    const size_t begin = at_;
    if (Word() == std::string(word)) return true;
    at_ = begin;
    return false;
  }

  absl::StatusOr<std::string> Quoted() {
    const size_t begin = at_;
    if (at_ >= text_.size() || text_[at_] != '"') return Error(at_, "as 之后应为带引号的名称");
    std::string value;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value.push_back(text_[at_]);
    }
    if (at_ >= text_.size()) return Error(begin, "引号没有结束");
    ++at_;
    return value;
  }

  absl::StatusOr<Term> ParseTerm() {
    Term term;
    Skip();
    const size_t begin = at_;
    const std::string function = Word();
    if (function == "sum") {
      term.function = Term::Function::kSum;
    } else if (function != "count") {
      return Error(begin, "应以 count( 或 sum( 开头");
    }
    Skip();
    if (!Take("(")) return Error(at_, absl::StrCat(function, " 之后应为左括号"));
    FADU_RETURN_IF_ERROR(ParseSource(term));
    Skip();
    if (!Take(")")) return Error(at_, "缺少右括号");
    return term;
  }

  absl::Status ParseSource(Term& term) {
    Skip();
    const size_t begin = at_;
    const std::string collection = Word();
    term.type = types_.FindByCollection(collection);
    if (term.type == nullptr) {
      std::vector<std::string> names;
      for (const auto& type : types_.all()) names.push_back(type->collection());
      return Error(
          begin, absl::StrCat("没有记录类型 ", collection, "；可用：", absl::StrJoin(names, "、")));
    }
    if (Take(".")) {
      const size_t field_at = at_;
      const std::string name = Word();
      term.field = term.type->FindField(name);
      const bool numeric =
          term.field != nullptr && term.field->options.measure() && term.field->comparable &&
          !term.field->repeated() &&
          (term.field->kind == ValueKind::kInt || term.field->kind == ValueKind::kPoints);
      if (!numeric) {
        std::vector<std::string> names;
        for (const RecordField& field : term.type->fields()) {
          if (field.options.measure() && field.comparable && !field.repeated() &&
              (field.kind == ValueKind::kInt || field.kind == ValueKind::kPoints)) {
            names.push_back(field.name());
          }
        }
        return Error(field_at, absl::StrCat(name, " 不是可以求和的数值字段；可用：",
                                            absl::StrJoin(names, "、")));
      }
    }
    if (term.function == Term::Function::kSum && term.field == nullptr) {
      return Error(at_, "sum 需要数值字段，写作 sum(类型.字段)");
    }
    if (term.function == Term::Function::kCount && term.field != nullptr) {
      return Error(begin, "count 不需要字段，写作 count(类型)");
    }
    Skip();
    if (TakeWord("where")) FADU_RETURN_IF_ERROR(ParseWhere(term));
    Skip();
    if (TakeWord("by")) {
      Skip();
      const size_t by_at = at_;
      const std::string name = Word();
      term.by = term.type->FindField(name);
      if (term.by == nullptr || !term.by->comparable || term.by->kind != ValueKind::kDate ||
          !term.by->options.measure() || term.by->repeated()) {
        return Error(by_at, absl::StrCat(name, " 不是可用的日期字段"));
      }
      Skip();
    }
    if (TakeWord("in")) FADU_RETURN_IF_ERROR(ParsePeriod(term));
    return absl::OkStatus();
  }

  absl::Status ParseWhere(Term& term) {
    const size_t begin = at_;
    size_t used = 0;
    absl::StatusOr<FilterNode> filter =
        ParseFilterPrefix(text_.substr(at_), *term.type, FilterUse::kMeasure, &used);
    if (!filter.ok()) {
      // The filter's own position counts from where it begins.
      const ErrorDetail detail = DetailOf(filter.status());
      int position = 1;
      if (const auto found = detail.metadata.find("position"); found != detail.metadata.end()) {
        (void)absl::SimpleAtoi(found->second, &position);
      }
      size_t byte = begin;
      for (int left = position - 1; left > 0 && byte < text_.size(); --left) {
        ++byte;
        while (byte < text_.size() && (static_cast<unsigned char>(text_[byte]) & 0xC0) == 0x80)
          ++byte;
      }
      const auto problem = detail.metadata.find("problem");
      return Error(byte, problem == detail.metadata.end() ? "筛选条件有误" : problem->second);
    }
    term.filter = *std::move(filter);
    term.filter_text = std::string(absl::StripAsciiWhitespace(text_.substr(begin, used)));
    if (term.filter_text.empty()) return Error(begin, "where 之后应为筛选条件");
    at_ = begin + used;
    return absl::OkStatus();
  }

  absl::Status ParsePeriod(Term& term) {
    Skip();
    const size_t begin = at_;
    const std::string word = Word();
    int index = 0;
    const bool numbered = word.size() >= 2 && absl::SimpleAtoi(word.substr(1), &index);
    if (word == "year") {
      term.period = Period{};
    } else if (numbered && word[0] == 'H' && word.size() == 2 && index >= 1 && index <= 2) {
      term.period = Period{Period::Kind::kHalf, index};
    } else if (numbered && word[0] == 'Q' && word.size() == 2 && index >= 1 && index <= 4) {
      term.period = Period{Period::Kind::kQuarter, index};
    } else if (numbered && word[0] == 'M' && word.size() == 3 && index >= 1 && index <= 12) {
      term.period = Period{Period::Kind::kMonth, index};
    } else {
      return Error(begin, "期间应为 year、H1、H2、Q1 至 Q4 或 M01 至 M12");
    }
    return absl::OkStatus();
  }

  const absl::string_view text_;
  const RecordTypes& types_;
  size_t at_ = 0;
};

std::string ValueText(const Value& value) {
  switch (value.kind) {
    case ValueKind::kText: {
      std::string text = "\"";
      for (const char c : value.text) {
        if (c == '"' || c == '\\') text.push_back('\\');
        text.push_back(c);
      }
      return text + "\"";
    }
    case ValueKind::kCode:
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

// The filter in canonical spelling. OR binds tighter than AND, so an OR inside an AND needs no
// parentheses, an AND inside an OR does.
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
    case FilterNode::Type::kNot:
      return absl::StrCat("NOT ", FilterText(node.children[0], true));
    case FilterNode::Type::kCompare:
      return absl::StrCat(node.field->name(), OpText(node.op),
                          node.op == CompareOp::kPresent ? "" : ValueText(node.value));
    case FilterNode::Type::kBlind:
      return "";
  }
  return "";
}

bool IsEverything(const FilterNode& node) {
  return node.type == FilterNode::Type::kAnd && node.children.empty();
}

// The filter for people: 处理结果为调解成功.
std::string FilterWords(const FilterNode& node, bool zh) {
  switch (node.type) {
    case FilterNode::Type::kAnd:
    case FilterNode::Type::kOr: {
      std::vector<std::string> parts;
      for (const FilterNode& child : node.children) parts.push_back(FilterWords(child, zh));
      const bool all = node.type == FilterNode::Type::kAnd;
      return absl::StrJoin(parts, zh ? (all ? "且" : "或") : (all ? " and " : " or "));
    }
    case FilterNode::Type::kNot:
      return absl::StrCat(zh ? "非（" : "not (", FilterWords(node.children[0], zh),
                          zh ? "）" : ")");
    case FilterNode::Type::kCompare: {
      const std::string name = zh ? node.field->options.zh() : node.field->options.en();
      if (node.op == CompareOp::kPresent) return absl::StrCat(zh ? "有" : "with ", name);
      std::string value = ValueText(node.value);
      if (node.value.kind == ValueKind::kCode) {
        const auto* entry = FindEnumCode(node.field->descriptor->enum_type(), node.value.text);
        if (entry != nullptr) {
          const auto& label = entry->options().GetExtension(common::label);
          value = zh ? label.zh() : label.en();
        }
      }
      if (!zh) return absl::StrCat(name, OpText(node.op), value);
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

std::string TermText(const Term& term) {
  std::string text = absl::StrCat(term.function == Term::Function::kSum ? "sum(" : "count(",
                                  term.type->collection());
  if (term.field != nullptr) absl::StrAppend(&text, ".", term.field->name());
  if (!IsEverything(term.filter)) absl::StrAppend(&text, " where ", FilterText(term.filter, false));
  if (term.by != nullptr) absl::StrAppend(&text, " by ", term.by->name());
  if (term.period.kind != Period::Kind::kYear)
    absl::StrAppend(&text, " in ", term.period.ToString());
  return text + ")";
}

std::string TermLabel(const Term& term, bool zh) {
  std::string label = zh ? term.type->options().zh() : term.type->options().en();
  if (term.field != nullptr) {
    absl::StrAppend(&label, zh ? "" : " ",
                    zh ? term.field->options.zh() : term.field->options.en());
  }
  std::vector<std::string> parts;
  if (!IsEverything(term.filter)) parts.push_back(FilterWords(term.filter, zh));
  if (term.period.kind != Period::Kind::kYear) parts.push_back(term.period.Label(zh ? "zh" : "en"));
  if (!parts.empty()) {
    absl::StrAppend(&label, zh ? "（" : " (", absl::StrJoin(parts, zh ? "，" : ", "),
                    zh ? "）" : ")");
  }
  return label;
}

struct TermValue {
  Wide sum = 0;
  std::vector<std::string> records;
};

TermValue EvaluateTerm(const Term& term, const FactSet& facts, const EvalScope& scope) {
  TermValue result;
  const DayRange range = term.period.In(scope.year);
  for (const FactView* fact : facts.OfType(term.type)) {
    if (!IsWithin(fact->area_code, scope.area_code)) continue;
    if (!fact->confirmed && !scope.include_unconfirmed) continue;
    absl::CivilDay day = fact->counted_on;
    if (term.by != nullptr) {
      const std::vector<Value> dates = term.type->ValuesOf(*fact->values, *term.by);
      const absl::StatusOr<absl::CivilDay> parsed =
          dates.empty() ? absl::InvalidArgumentError("absent") : ParseDay(dates[0].text);
      if (!parsed.ok()) continue;
      day = *parsed;
    }
    if (!range.Contains(day) || (scope.within.has_value() && !scope.within->Contains(day)))
      continue;
    if (!Matches(term.filter, *term.type, *fact->values)) continue;
    if (term.field != nullptr) {
      const std::vector<Value> values = term.type->ValuesOf(*fact->values, *term.field);
      if (!values.empty()) result.sum += values[0].number;
    } else {
      ++result.sum;
    }
    result.records.push_back(fact->RecordName());
  }
  std::sort(result.records.begin(), result.records.end());
  return result;
}

int64_t Clamped(Wide value) {
  if (value > std::numeric_limits<int64_t>::max() || value < std::numeric_limits<int64_t>::min()) {
    (void)FADU_BUG("a measure left 64 bits");
    return value > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
  }
  return static_cast<int64_t>(value);
}

std::string NumberText(const Term& term, int64_t value) {
  const bool points = term.field != nullptr && term.field->kind == ValueKind::kPoints;
  return points ? Points::FromUnits(value).ToString() : absl::StrCat(value);
}

}  // namespace

DayRange Period::In(int year) const {
  switch (kind) {
    case Kind::kYear:
      return YearRange(year);
    case Kind::kHalf:
      return DayRange{absl::CivilDay(year, index * 6 - 5, 1),
                      absl::CivilDay(absl::CivilMonth(year, index * 6 + 1)) - 1};
    case Kind::kQuarter:
      return DayRange{absl::CivilDay(year, index * 3 - 2, 1),
                      absl::CivilDay(absl::CivilMonth(year, index * 3 + 1)) - 1};
    case Kind::kMonth:
      return DayRange{absl::CivilDay(year, index, 1),
                      absl::CivilDay(absl::CivilMonth(year, index + 1)) - 1};
  }
  return YearRange(year);
}

std::string Period::ToString() const {
  switch (kind) {
    case Kind::kYear:
      return "year";
    case Kind::kHalf:
      return absl::StrCat("H", index);
    case Kind::kQuarter:
      return absl::StrCat("Q", index);
    case Kind::kMonth:
      return absl::StrCat("M", index < 10 ? "0" : "", index);
  }
  return "";
}

std::string Period::Label(absl::string_view language) const {
  if (language == "en") return kind == Kind::kYear ? "whole year" : ToString();
  switch (kind) {
    case Kind::kYear:
      return "全年";
    case Kind::kHalf:
      return index == 1 ? "上半年" : "下半年";
    case Kind::kQuarter:
      return kQuarters[index - 1];
    case Kind::kMonth:
      return absl::StrCat(index, "月");
  }
  return "";
}

absl::StatusOr<Measure> ParseMeasure(absl::string_view text, const RecordTypes& types) {
  return Parser(text, types).Parse();
}

std::string ToString(const Measure& measure) {
  std::string text = TermText(measure.numerator);
  if (measure.denominator.has_value())
    absl::StrAppend(&text, " / ", TermText(*measure.denominator));
  if (!measure.label.empty()) {
    std::string quoted;
    for (const char c : measure.label) {
      if (c == '"' || c == '\\') quoted.push_back('\\');
      quoted.push_back(c);
    }
    absl::StrAppend(&text, " as \"", quoted, "\"");
  }
  return text;
}

Evaluation Evaluate(const Measure& measure, const FactSet& facts, const EvalScope& scope,
                    absl::string_view language) {
  const bool zh = language != "en";
  Evaluation evaluation;
  TermValue numerator = EvaluateTerm(measure.numerator, facts, scope);
  v1::MeasureValue& value = evaluation.value;
  value.set_numerator(Clamped(numerator.sum));
  value.set_denominator(1);
  value.set_is_ratio(measure.is_ratio());
  value.set_expression(ToString(measure));
  evaluation.records = std::move(numerator.records);
  value.set_label(measure.label.empty() ? TermLabel(measure.numerator, zh) : measure.label);
  if (!measure.is_ratio()) {
    value.set_text(NumberText(measure.numerator, value.numerator()));
    return evaluation;
  }
  TermValue denominator = EvaluateTerm(*measure.denominator, facts, scope);
  value.set_denominator(Clamped(denominator.sum));
  evaluation.denominator_records = std::move(denominator.records);
  if (measure.label.empty()) {
    value.set_label(absl::StrCat(value.label(), " ÷ ", TermLabel(*measure.denominator, zh)));
  }
  value.set_text(value.denominator() == 0
                     ? (zh ? "无（分母为零）" : "none (denominator is zero)")
                     : absl::StrCat(Ratio{value.numerator(), value.denominator()}
                                        .Percent(2, Rounding::kHalfUp)
                                        .ToString(),
                                    "%"));
  return evaluation;
}

}  // namespace fadu::scoring
