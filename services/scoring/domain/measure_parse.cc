#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "services/scoring/domain/measure.h"
#include "services/scoring/domain/measure_words.h"

namespace fadu::scoring {
namespace {

namespace common = ::fadu::common::v1;
using Op = MeasureNode::Op;

constexpr size_t kMaxBytes = 4000;
constexpr int kMaxDepth = 20;
constexpr int kMaxNodes = 200;
constexpr int kMaxDays = 3660;
constexpr int kMaxAtLeast = 1000000;
constexpr int kMaxMonths = 120;

bool IsNumeric(const RecordField& field) {
  return field.options.measure() && field.comparable && !field.repeated() &&
         (field.kind == ValueKind::kInt || field.kind == ValueKind::kPoints);
}
bool IsDate(const RecordField& field) {
  return field.options.measure() && field.comparable && !field.repeated() &&
         field.kind == ValueKind::kDate;
}
bool IsComparable(const RecordField& field) { return field.options.measure() && field.comparable; }

using FieldTest = bool (*)(const RecordField&);

std::string Names(const RecordType& type, FieldTest test) {
  std::vector<std::string> names;
  for (const RecordField& field : type.fields()) {
    if (test(field)) names.push_back(field.name());
  }
  return names.empty() ? "无" : absl::StrJoin(names, "、");
}

std::string FunctionNames() {
  std::vector<std::string> names;
  for (const MeasureFunction& function : kMeasureFunctions) names.emplace_back(function.name);
  return absl::StrJoin(names, "、");
}

const MeasureFunction* FindFunction(absl::string_view name) {
  const auto* found = std::find_if(std::begin(kMeasureFunctions), std::end(kMeasureFunctions),
                                   [&](const MeasureFunction& f) { return f.name == name; });
  return found == std::end(kMeasureFunctions) ? nullptr : found;
}

std::string AreasNames() {
  std::vector<std::string> names;
  for (const AreaSet& set : kAreaSets) names.push_back(absl::StrCat(set.name, "（", set.zh, "）"));
  return absl::StrJoin(names, "、");
}

bool FindAreas(absl::string_view name, Units::Kind& kind) {
  const auto* found = std::find_if(std::begin(kAreaSets), std::end(kAreaSets),
                                   [&](const AreaSet& set) { return set.name == name; });
  if (found == std::end(kAreaSets)) return false;
  kind = found->kind;
  return true;
}

// One code point of UTF-8 at the start of `text`; size 0 when there is none.
struct CodePoint {
  char32_t code = 0;
  size_t size = 0;
};

CodePoint CodePointOf(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return {};
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || size > text.size()) return {};
  char32_t code = lead & (0xFFU >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3FU);
  }
  const char32_t least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, size};
}

bool IsWordCode(char32_t c) {
  return (c < 0x80 && (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_')) ||
         (c >= 0x3400 && c <= 0x9FFF);
}

class Parser {
 public:
  Parser(absl::string_view text, const RecordTypes& types) : text_(text), types_(types) {}

  absl::StatusOr<Measure> Parse() {
    if (text_.size() > kMaxBytes) return Error(kMaxBytes, "表达式过长（最多 4000 字节）");
    FADU_RETURN_IF_ERROR(CheckText());
    FADU_ASSIGN_OR_RETURN(MeasureNode root, Expression(0));
    Measure measure;
    Skip();
    if (TakeWord("as")) {
      Skip();
      FADU_ASSIGN_OR_RETURN(measure.label, Quoted());
      Skip();
    }
    if (at_ != text_.size()) {
      return Error(at_, "表达式到此应已结束；可接 + - / per，或 as \"名称\"");
    }
    measure.root = std::make_shared<const MeasureNode>(std::move(root));
    return measure;
  }

 private:
  // ---- text -------------------------------------------------------------------------------------

  absl::Status Error(size_t byte, absl::string_view problem) const {
    size_t position = 1;
    for (size_t i = 0; i < byte && i < text_.size(); ++i) {
      if ((static_cast<unsigned char>(text_[i]) & 0xC0) != 0x80) ++position;
    }
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_MEASURE_INVALID,
                "the measure does not parse or does not fit the record types",
                {{"position", absl::StrCat(position)}, {"problem", std::string(problem)}});
  }

  absl::Status CheckText() const {
    for (size_t at = 0; at < text_.size();) {
      const CodePoint point = CodePointOf(text_.substr(at));
      if (point.size == 0 || point.code == 0) {
        return Error(at, "含有无法识别的字符（须为 UTF-8，且不含空字符），请删去");
      }
      at += point.size;
    }
    return absl::OkStatus();
  }

  void Skip() {
    while (at_ < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  bool Take(absl::string_view token) {
    Skip();
    if (!absl::StartsWith(text_.substr(at_), token)) return false;
    at_ += token.size();
    return true;
  }

  // The word at `at_`: letters, digits, _ and Chinese characters. Empty when there is none.
  absl::string_view PeekWord() {
    Skip();
    size_t end = at_;
    while (end < text_.size()) {
      const CodePoint point = CodePointOf(text_.substr(end));
      if (!IsWordCode(point.code)) break;
      end += point.size;
    }
    return text_.substr(at_, end - at_);
  }

  std::string Word() {
    const absl::string_view word = PeekWord();
    at_ += word.size();
    return std::string(word);
  }

  bool TakeWord(absl::string_view word) {
    if (PeekWord() != word) return false;
    at_ += word.size();
    return true;
  }

  // What stands at `at_`, for a problem: a word, a symbol, or the end.
  std::string Here() {
    absl::string_view word = PeekWord();
    if (word.empty()) word = text_.substr(at_, CodePointOf(text_.substr(at_)).size);
    return word.empty() ? "表达式已结束" : absl::StrCat("这里是“", word, "”");
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

  absl::Status Close() {
    if (Take(")")) return absl::OkStatus();
    return Error(at_, absl::StrCat("缺少右括号，", Here()));
  }

  // ---- arithmetic -------------------------------------------------------------------------------

  bool AtNumber() {
    Skip();
    return at_ < text_.size() && absl::ascii_isdigit(static_cast<unsigned char>(text_[at_]));
  }

  // A decimal above zero with at most four places.
  absl::StatusOr<Points> Number() {
    Skip();
    const size_t begin = at_;
    while (at_ < text_.size() &&
           (absl::ascii_isdigit(static_cast<unsigned char>(text_[at_])) || text_[at_] == '.')) {
      ++at_;
    }
    const absl::StatusOr<Points> value = Points::Parse(text_.substr(begin, at_ - begin));
    if (!value.ok()) return Error(begin, "数应为最多四位小数、整数部分最多 14 位的十进制数");
    return *value;
  }

  absl::StatusOr<int> Integer(int least, int most, absl::string_view what) {
    Skip();
    const size_t begin = at_;
    const std::string word = Word();
    int value = 0;
    const bool digits = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
      return absl::ascii_isdigit(static_cast<unsigned char>(c));
    });
    if (!digits || !absl::SimpleAtoi(word, &value) || value < least || value > most) {
      return Error(begin, absl::StrCat(what, "应为 ", least, " 至 ", most, " 的整数"));
    }
    return value;
  }

  absl::Status Counted(size_t begin) {
    if (++nodes_ <= kMaxNodes) return absl::OkStatus();
    return Error(begin, absl::StrCat("表达式过于复杂（最多 ", kMaxNodes, " 个部分）"));
  }

  absl::StatusOr<MeasureNode> Expression(int depth) {
    Skip();
    const size_t begin = at_;
    if (depth > kMaxDepth) return Error(at_, "括号嵌套过深（最多 20 层）");
    FADU_ASSIGN_OR_RETURN(MeasureNode left, Product(depth));
    while (true) {
      Skip();
      const size_t sign_at = at_;
      const bool add = Take("+");
      if (!add && !Take("-")) return left;
      FADU_ASSIGN_OR_RETURN(MeasureNode right, Product(depth));
      if (left.kind != right.kind) {
        return Error(sign_at, absl::StrCat("“", KindWord(left.kind, true), "”与“",
                                           KindWord(right.kind, true),
                                           "”不能相加减；比率的分子分母请各加括号"));
      }
      MeasureNode node;
      node.op = add ? Op::kAdd : Op::kSubtract;
      node.kind = !add && left.kind == v1::MEASURE_KIND_RATIO ? v1::MEASURE_KIND_POINTS : left.kind;
      node.children.push_back(std::move(left));
      node.children.push_back(std::move(right));
      FADU_RETURN_IF_ERROR(Counted(begin));
      left = std::move(node);
    }
  }

  absl::StatusOr<MeasureNode> Product(int depth) {
    FADU_ASSIGN_OR_RETURN(MeasureNode left, Operand(depth));
    while (true) {
      Skip();
      const size_t sign_at = at_;
      if (Take("/")) {
        FADU_ASSIGN_OR_RETURN(MeasureNode right, Operand(depth));
        if (left.kind != right.kind || !Divides(left.kind)) {
          return Error(sign_at, absl::StrCat("“", KindWord(left.kind, true), "”不能除以“",
                                             KindWord(right.kind, true),
                                             "”；比率写作 数量 / 数量，平均数写作 数量 per 数量"));
        }
        left = Joined(Op::kDivide, v1::MEASURE_KIND_RATIO, std::move(left), std::move(right));
      } else if (PeekWord() == "per") {
        at_ += 3;
        if (!Divides(left.kind)) {
          return Error(sign_at, absl::StrCat("“", KindWord(left.kind, true),
                                             "”不能用 per，per 之前应为数量"));
        }
        FADU_ASSIGN_OR_RETURN(left, Per(std::move(left), sign_at, depth));
      } else {
        return left;
      }
      FADU_RETURN_IF_ERROR(Counted(sign_at));
    }
  }

  static bool Divides(v1::MeasureKind kind) {
    return kind == v1::MEASURE_KIND_NUMBER || kind == v1::MEASURE_KIND_DAYS;
  }

  static MeasureNode Joined(Op op, v1::MeasureKind kind, MeasureNode left, MeasureNode right) {
    MeasureNode node;
    node.op = op;
    node.kind = kind;
    node.children.push_back(std::move(left));
    node.children.push_back(std::move(right));
    return node;
  }

  // After `per`: a number, a value, or both.
  absl::StatusOr<MeasureNode> Per(MeasureNode left, size_t begin, int depth) {
    MeasureNode node;
    node.op = Op::kPer;
    node.kind = left.kind;
    node.value = Points::FromWhole(1);
    node.children.push_back(std::move(left));
    const bool scaled = AtNumber();
    if (scaled) {
      FADU_ASSIGN_OR_RETURN(node.value, Number());
      if (node.value == Points()) return Error(begin, "per 之后的数应大于零");
    }
    Skip();
    const absl::string_view word = PeekWord();
    const bool value = (at_ < text_.size() && text_[at_] == '(') || FindFunction(word) != nullptr;
    if (value) {
      FADU_ASSIGN_OR_RETURN(MeasureNode right, Operand(depth));
      if (right.kind != v1::MEASURE_KIND_NUMBER) {
        return Error(begin,
                     absl::StrCat("per 之后应为数量，不是“", KindWord(right.kind, true), "”"));
      }
      node.children.push_back(std::move(right));
    } else if (!scaled) {
      return Error(at_,
                   absl::StrCat("per 之后应为数或函数，", Here(), "；可用：", FunctionNames()));
    }
    return node;
  }

  absl::StatusOr<MeasureNode> Operand(int depth) {
    Skip();
    const size_t begin = at_;
    FADU_RETURN_IF_ERROR(Counted(begin));
    if (Take("(")) {
      FADU_ASSIGN_OR_RETURN(MeasureNode inner, Expression(depth + 1));
      FADU_RETURN_IF_ERROR(Close());
      return inner;
    }
    if (AtNumber()) {
      MeasureNode node;
      FADU_ASSIGN_OR_RETURN(node.value, Number());
      return node;
    }
    const std::string name = Word();
    const MeasureFunction* function = FindFunction(name);
    if (function == nullptr) {
      return Error(begin, name.empty()
                              ? absl::StrCat("此处应为函数，", Here(), "；可用：", FunctionNames())
                              : absl::StrCat("没有函数 ", name, "；可用：", FunctionNames()));
    }
    if (!Take("(")) return Error(at_, absl::StrCat(name, " 之后应为左括号"));
    MeasureNode node;
    node.op = function->op;
    node.kind = function->kind;
    FADU_RETURN_IF_ERROR(Arguments(*function, node, depth));
    FADU_RETURN_IF_ERROR(Close());
    return node;
  }

  // ---- functions --------------------------------------------------------------------------------

  absl::Status Arguments(const MeasureFunction& function, MeasureNode& node, int depth) {
    switch (function.takes) {
      case Takes::kFigure:
        return Figure(node.units);
      case Takes::kAreas:
        return Areas(function, node.units);
      case Takes::kCoverage:
        return Coverage(function, node);
      case Takes::kMean:
        return Mean(function, node, depth);
      default:
        break;
    }
    Skip();
    const size_t begin = at_;
    FADU_RETURN_IF_ERROR(ParseSource(node.source));
    const Source& source = node.source;
    const bool spans = function.takes == Takes::kQuantity || function.takes == Takes::kDeadline;
    if (source.span.has_value() && !spans) {
      return Error(span_at_, absl::StrCat(function.name, " 不用时限（from、to）；",
                                          "late、ontime、sum、average、min、max 才用"));
    }
    switch (function.takes) {
      case Takes::kRecords:
      case Takes::kYears:
        if (source.field != nullptr) {
          return Error(begin,
                       absl::StrCat(function.name, " 不需要字段，写作 ", function.name, "(类型)"));
        }
        return function.takes == Takes::kYears ? AtLeast(node) : absl::OkStatus();
      case Takes::kField:
        if (source.field == nullptr) {
          return Error(source_end_,
                       absl::StrCat(function.name, " 需要字段，写作 ", function.name,
                                    "(类型.字段)；可用：", Names(*source.type, IsComparable)));
        }
        return absl::OkStatus();
      case Takes::kQuantity:
        if (source.span.has_value()) {
          if (source.field != nullptr) {
            return Error(field_at_, "字段与时限（from、to）不能同时用");
          }
          node.kind = v1::MEASURE_KIND_DAYS;
          return absl::OkStatus();
        }
        if (source.field == nullptr) {
          return Error(source_end_,
                       absl::StrCat(function.name, " 需要数值字段，写作 ", function.name,
                                    "(类型.字段)；可用：", Names(*source.type, IsNumeric)));
        }
        if (!IsNumeric(*source.field)) {
          return Error(field_at_, absl::StrCat(source.field->name(), " 不是数值字段；可用：",
                                               Names(*source.type, IsNumeric)));
        }
        return absl::OkStatus();
      default:
        if (!source.span.has_value() || !source.span->has_deadline()) {
          return Error(source_end_,
                       absl::StrCat(function.name, " 需要时限，写作 ", function.name,
                                    "(类型 from 日期字段 to 日期字段 within 天数 days|workdays)；",
                                    "日期字段：", Names(*source.type, IsDate)));
        }
        if (source.field != nullptr) return Error(field_at_, "字段与时限（from、to）不能同时用");
        return absl::OkStatus();
    }
  }

  absl::Status Areas(const MeasureFunction& function, Units& units) {
    Skip();
    const size_t begin = at_;
    if (FindAreas(Word(), units.kind)) return absl::OkStatus();
    return Error(begin, absl::StrCat(function.name, " 需要一组区划，可用：", AreasNames()));
  }

  absl::Status Mean(const MeasureFunction& function, MeasureNode& node, int depth) {
    FADU_ASSIGN_OR_RETURN(MeasureNode inner, Expression(depth + 1));
    node.kind = inner.kind;
    node.children.push_back(std::move(inner));
    if (!TakeWord("of")) {
      return Error(at_,
                   absl::StrCat("mean 需要对哪些区划取平均，写作 of ", AreasNames(), "，", Here()));
    }
    return Areas(function, node.units);
  }

  // [ at least n ]
  absl::Status AtLeast(MeasureNode& node) {
    if (PeekWord() != "at") return absl::OkStatus();
    at_ += 2;
    if (!TakeWord("least")) return Error(at_, "at 之后应为 least，写作 at least 2");
    FADU_ASSIGN_OR_RETURN(node.at_least, Integer(1, kMaxAtLeast, "at least 之后"));
    return absl::OkStatus();
  }

  absl::Status Coverage(const MeasureFunction& function, MeasureNode& node) {
    FADU_RETURN_IF_ERROR(ParseSource(node.source));
    if (node.source.span.has_value()) {
      return Error(span_at_, absl::StrCat(function.name, " 不用时限（from、to）"));
    }
    const RecordField* field = node.source.field;
    const size_t field_at = field_at_;
    Skip();
    if (!TakeWord("of")) {
      return Error(at_, absl::StrCat(function.name, " 需要以什么为分母，写作 of ", AreasNames(),
                                     "、记录类型或基数类别，", Here()));
    }
    Skip();
    const size_t units_at = at_;
    FADU_RETURN_IF_ERROR(ParseUnits(node.units));
    if (field != nullptr && field->kind != ValueKind::kText) {
      return Error(field_at, absl::StrCat(field->name(), " 不是文本字段，不能对应", "到单位"));
    }
    if (node.units.kind == Units::Kind::kRecords && field == nullptr) {
      return Error(units_at, absl::StrCat("覆盖 ", node.units.source.type->collection(),
                                          " 需要写明哪个字段指向它，如 ", function.name, "(",
                                          node.source.type->collection(), ".字段 of …)"));
    }
    if (node.op != Op::kLeast) return AtLeast(node);
    if (node.units.kind != Units::Kind::kFigure) return absl::OkStatus();
    return Error(units_at, "least 逐个单位数，不能以登记的基数为单位");
  }

  // ---- sets -------------------------------------------------------------------------------------

  const RecordType* DenominatorType() const { return types_.FindByCollection("denominators"); }

  const google::protobuf::EnumDescriptor* FigureKinds() const {
    const RecordType* type = DenominatorType();
    const RecordField* kind = type == nullptr ? nullptr : type->FindField("kind");
    return kind == nullptr ? nullptr : kind->descriptor->enum_type();
  }

  std::string FigureNames() const {
    std::vector<std::string> names;
    const auto* kinds = FigureKinds();
    for (int i = 0; kinds != nullptr && i < kinds->value_count(); ++i) {
      if (kinds->value(i)->number() == 0) continue;
      names.push_back(absl::StrCat(EnumCode(kinds->value(i)), "（",
                                   kinds->value(i)->options().GetExtension(common::label).zh(),
                                   "）"));
    }
    return names.empty() ? "无" : absl::StrJoin(names, "、");
  }

  // A kind of denominator by code or Chinese label.
  bool FindFigure(const std::string& word, Units& units) const {
    const auto* kinds = FigureKinds();
    if (kinds == nullptr || word.empty()) return false;
    for (int i = 0; i < kinds->value_count(); ++i) {
      const auto* entry = kinds->value(i);
      if (entry->number() == 0) continue;
      if (EnumCode(entry) == word || entry->options().GetExtension(common::label).zh() == word) {
        units.kind = Units::Kind::kFigure;
        units.figure = entry;
        units.source.type = DenominatorType();
        return true;
      }
    }
    return false;
  }

  absl::Status Figure(Units& units) {
    Skip();
    const size_t begin = at_;
    const std::string word = Word();
    if (FindFigure(word, units)) return absl::OkStatus();
    return Error(begin, absl::StrCat("没有基数类别 ", word, "；可用：", FigureNames()));
  }

  absl::Status ParseUnits(Units& units) {
    Skip();
    const size_t begin = at_;
    const std::string word = Word();
    if (FindAreas(word, units.kind)) return absl::OkStatus();
    if (FindFigure(word, units)) return absl::OkStatus();
    units.source.type = types_.FindByCollection(word);
    if (units.source.type == nullptr) {
      return Error(begin, absl::StrCat("不能以 ", word, " 为分母；可用区划 ", AreasNames(),
                                       "，记录类型 ", Collections(), "，基数 ", FigureNames()));
    }
    units.kind = Units::Kind::kRecords;
    if (Take(".")) {
      FADU_RETURN_IF_ERROR(ParseField(units.source));
      if (units.source.field->kind != ValueKind::kText) {
        return Error(field_at_, absl::StrCat(units.source.field->name(), " 不是文本字段"));
      }
    }
    if (TakeWord("where")) FADU_RETURN_IF_ERROR(ParseWhere(units.source));
    const std::string end(PeekWord());
    if (end == "until" || end == "through") {
      at_ += end.size();
      units.source.through = end == "through";
      FADU_ASSIGN_OR_RETURN(units.source.until, DateField(*units.source.type));
    }
    return absl::OkStatus();
  }

  // ---- sources ----------------------------------------------------------------------------------

  std::string Collections() const {
    std::vector<std::string> names;
    for (const auto& type : types_.all()) names.push_back(type->collection());
    return absl::StrJoin(names, "、");
  }

  absl::Status ParseField(Source& source) {
    Skip();
    field_at_ = at_;
    const std::string name = Word();
    source.field = source.type->FindField(name);
    if (source.field == nullptr || !IsComparable(*source.field)) {
      return Error(field_at_, absl::StrCat(source.type->collection(), " 没有可用的字段 ", name,
                                           "；可用：", Names(*source.type, IsComparable)));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<const RecordField*> DateField(const RecordType& type) {
    Skip();
    const size_t begin = at_;
    const std::string name = Word();
    const RecordField* field = type.FindField(name);
    if (field == nullptr || !IsDate(*field)) {
      return Error(begin, absl::StrCat(name, " 不是可用的日期字段；可用：", Names(type, IsDate)));
    }
    return field;
  }

  absl::Status ParseSource(Source& source) {
    Skip();
    const size_t begin = at_;
    const std::string collection = Word();
    source.type = types_.FindByCollection(collection);
    if (source.type == nullptr) {
      return Error(begin, absl::StrCat("没有记录类型 ", collection, "；可用：", Collections()));
    }
    source_end_ = at_;
    if (Take(".")) {
      FADU_RETURN_IF_ERROR(ParseField(source));
      source_end_ = at_;
    }
    return ParseClauses(source);
  }

  absl::Status ParseClauses(Source& source) {
    bool has_where = false;
    bool has_when = false;
    size_t until_at = 0;
    while (true) {
      Skip();
      const size_t begin = at_;
      const std::string word(PeekWord());
      const auto repeated = [&](bool known) {
        return known ? Error(begin, absl::StrCat("重复的 ", word)) : absl::OkStatus();
      };
      if (word == "where") {
        FADU_RETURN_IF_ERROR(repeated(has_where));
        has_where = true;
        at_ += word.size();
        FADU_RETURN_IF_ERROR(ParseWhere(source));
      } else if (word == "by") {
        FADU_RETURN_IF_ERROR(repeated(source.by != nullptr));
        at_ += word.size();
        FADU_ASSIGN_OR_RETURN(source.by, DateField(*source.type));
      } else if (word == "in" || word == "as") {
        if (has_when) return Error(begin, "in 与 as of 只能用一次，且不能同时用");
        has_when = true;
        at_ += word.size();
        source.as_of = word == "as";
        if (source.as_of && !TakeWord("of")) {
          return Error(at_, "as 之后应为 of，写作 as of year；名称写在右括号之外");
        }
        FADU_RETURN_IF_ERROR(ParsePeriod(source));
      } else if (word == "until" || word == "through") {
        FADU_RETURN_IF_ERROR(repeated(source.until != nullptr));
        until_at = begin;
        at_ += word.size();
        source.through = word == "through";
        FADU_ASSIGN_OR_RETURN(source.until, DateField(*source.type));
      } else if (word == "from" || word == "to") {
        FADU_RETURN_IF_ERROR(repeated(source.span.has_value()));
        span_at_ = begin;
        FADU_RETURN_IF_ERROR(ParseSpan(source));
      } else {
        break;
      }
    }
    if (source.until != nullptr && !source.as_of) {
      return Error(until_at, "until、through 说明存量何时终止，只与 as of 同用");
    }
    return CheckEnd();
  }

  // After the clauses: what closes the source or belongs to its function.
  absl::Status CheckEnd() {
    const absl::string_view word = PeekWord();
    if (word.empty() || word == "of" || word == "at" || word == "per") return absl::OkStatus();
    return Error(at_, absl::StrCat("不认识的“", word,
                                   "”；可用：where、by、in、as of、until、through、from、to"));
  }

  absl::Status ParseSpan(Source& source) {
    DateSpan span;
    if (TakeWord("from")) {
      FADU_ASSIGN_OR_RETURN(span.from, DateField(*source.type));
    }
    if (!TakeWord("to")) {
      return Error(at_, absl::StrCat("from 日期字段之后应为 to 日期字段，", Here()));
    }
    FADU_ASSIGN_OR_RETURN(span.to, DateField(*source.type));
    Skip();
    const size_t begin = at_;
    if (TakeWord("within")) {
      FADU_ASSIGN_OR_RETURN(const int days, Integer(0, kMaxDays, "within 之后的天数"));
      span.within = days;
      if (!TakeUnit(span)) {
        return Error(at_,
                     absl::StrCat("天数之后应为 days（自然日，遇休息日顺延）、workdays（工作日）",
                                  "或 plaindays（自然日，不顺延），", Here()));
      }
    } else if (TakeWord("due")) {
      if (span.from != nullptr) {
        return Error(begin, "due 写明最后期限，不与 from 同用，写作 to 日期字段 due 日期字段");
      }
      FADU_ASSIGN_OR_RETURN(span.due, DateField(*source.type));
      span.unit = DateSpan::Unit::kPlainDays;
      TakeUnit(span);
    } else {
      TakeUnit(span);
    }
    source.span = span;
    return absl::OkStatus();
  }

  bool TakeUnit(DateSpan& span) {
    for (const DateSpan::Unit unit :
         {DateSpan::Unit::kDays, DateSpan::Unit::kWorkdays, DateSpan::Unit::kPlainDays}) {
      if (!TakeWord(UnitName(unit))) continue;
      span.unit = unit;
      return true;
    }
    return false;
  }

  absl::Status ParseWhere(Source& source) {
    const size_t begin = at_;
    size_t used = 0;
    absl::StatusOr<FilterNode> filter =
        ParseFilterPrefix(text_.substr(at_), *source.type, FilterUse::kMeasure, &used);
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
    if (absl::StripAsciiWhitespace(text_.substr(begin, used)).empty()) {
      return Error(begin, "where 之后应为筛选条件");
    }
    source.filter = *std::move(filter);
    at_ = begin + used;
    return absl::OkStatus();
  }

  // YYYY-MM-DD as it stands.
  absl::StatusOr<absl::CivilDay> Day() {
    Skip();
    const size_t begin = at_;
    const absl::string_view text = text_.substr(at_, 10);
    const absl::StatusOr<absl::CivilDay> day = ParseDay(text);
    if (!day.ok()) return Error(begin, "日期应形如 2024-03-15");
    at_ += text.size();
    return *day;
  }

  absl::Status ParsePeriod(Source& source) {
    Skip();
    const size_t begin = at_;
    Period& period = source.period;
    // A day: four digits and a hyphen.
    if (AtNumber()) {
      period.kind = Period::Kind::kDays;
      FADU_ASSIGN_OR_RETURN(period.days.first, Day());
      period.days.last = period.days.first;
      if (source.as_of) return absl::OkStatus();
      if (!Take("..")) return Error(at_, "起止日期写作 2024-03-01..2024-05-31");
      FADU_ASSIGN_OR_RETURN(period.days.last, Day());
      if (period.days.last < period.days.first) return Error(begin, "截止日期早于起始日期");
      return absl::OkStatus();
    }
    if (!source.as_of && TakeWord("rolling")) {
      period.kind = Period::Kind::kRolling;
      FADU_ASSIGN_OR_RETURN(period.index, Integer(1, kMaxMonths, "rolling 之后的月数"));
      return absl::OkStatus();
    }
    const bool last = TakeWord("last");
    Skip();
    const size_t word_at = at_;
    const absl::optional<Period> named = Period::Parse(Word());
    if (!named.has_value()) {
      return Error(last ? word_at : begin,
                   "期间应为 year、H1、H2、Q1 至 Q4、M01 至 M12（上年同期前加 last）、rolling "
                   "月数，或起止日期 2024-03-01..2024-05-31");
    }
    period = *named;
    period.years_back = last ? 1 : 0;
    return absl::OkStatus();
  }

  const absl::string_view text_;
  const RecordTypes& types_;
  size_t at_ = 0;
  int nodes_ = 0;
  // Of the source parsed last: where its field, its span and its clauses begin.
  size_t field_at_ = 0;
  size_t span_at_ = 0;
  size_t source_end_ = 0;
};

}  // namespace

absl::StatusOr<Measure> ParseMeasure(absl::string_view text, const RecordTypes& types) {
  return Parser(text, types).Parse();
}

}  // namespace fadu::scoring
