#include "common/schema/filter.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/civil_day.h"
#include "common/base/points.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu {
namespace {

namespace v1 = ::fadu::common::v1;

constexpr int kMaxTerms = 100;
constexpr int kMaxDepth = 20;
constexpr size_t kMaxBytes = 2000;
// Words with which a measure goes on after its filter.
constexpr absl::string_view kMeasureWords[] = {"as",   "at",    "by",    "due",   "except",
                                               "from", "in",    "of",    "per",   "through",
                                               "to",   "until", "where", "within"};

enum class TokenType { kEnd, kWord, kQuoted, kOperator, kOpen, kClose, kMinus, kStar, kStop };

struct Token {
  TokenType type = TokenType::kEnd;
  std::string text;
  size_t begin = 0;  // bytes
  size_t end = 0;
};

// One code point of UTF-8; `size` 0 when the bytes are not one.
struct CodePoint {
  char32_t code = 0;
  size_t size = 0;
};

CodePoint CodePointAt(absl::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return {lead, 1};
  const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + size > text.size()) return {};
  char32_t code = lead & (0xFFU >> (size + 1));
  for (size_t i = at + 1; i < at + size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3FU);
  }
  const char32_t least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, size};
}

// What a bare word is made of: letters and digits of ASCII, _ . - and Chinese characters. Not
// Chinese punctuation: “，” written full-width is a slip, not a name.
bool IsWordCode(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-' || c == U'〇' || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3FFFF);
}

class Parser {
 public:
  Parser(absl::string_view text, const RecordType& type, FilterUse use, bool prefix)
      : text_(text), type_(type), use_(use), prefix_(prefix) {}

  absl::StatusOr<FilterNode> Parse(size_t* consumed) {
    if (!prefix_ && text_.size() > kMaxBytes) return Error(0, "筛选条件过长（最多 2000 字节）");
    FADU_RETURN_IF_ERROR(CheckText());
    FADU_RETURN_IF_ERROR(Next());
    FilterNode node;
    if (token_.type != TokenType::kEnd && token_.type != TokenType::kStop) {
      FADU_ASSIGN_OR_RETURN(node, Expression(0));
    }
    if (!prefix_ && token_.type != TokenType::kEnd) {
      return Error(token_.begin,
                   absl::StrCat("此处不应出现“", token_.text, "”，条件之间用 AND 或 OR 连接"));
    }
    if (prefix_ && token_.type != TokenType::kEnd && token_.type != TokenType::kStop) {
      return Error(token_.begin, absl::StrCat("此处不应出现“", token_.text, "”"));
    }
    if (last_end_ > kMaxBytes) return Error(0, "筛选条件过长（最多 2000 字节）");
    if (consumed != nullptr) *consumed = last_end_;
    return node;
  }

 private:
  absl::Status Error(size_t byte, absl::string_view problem) const {
    size_t position = 1;
    for (size_t i = 0; i < byte && i < text_.size(); ++i) {
      if ((static_cast<unsigned char>(text_[i]) & 0xC0) != 0x80) ++position;
    }
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_FILTER_INVALID,
                "the filter does not parse or does not fit the record type",
                {{"position", absl::StrCat(position)}, {"problem", std::string(problem)}});
  }

  // ---- tokens ----------------------------------------------------------------------------------

  // What is not UTF-8 could not be quoted in a problem; U+0000 is no text to PostgreSQL.
  absl::Status CheckText() const {
    for (size_t at = 0; at < text_.size();) {
      const CodePoint point = CodePointAt(text_, at);
      if (point.size == 0 || point.code == 0) {
        return Error(at, "含有无法识别的字符（须为 UTF-8，且不含空字符），请删去");
      }
      at += point.size;
    }
    return absl::OkStatus();
  }

  absl::Status Next() {
    last_end_ = token_.end;
    size_t at = token_.end;
    while (at < text_.size() &&
           (text_[at] == ' ' || text_[at] == '\t' || text_[at] == '\n' || text_[at] == '\r')) {
      ++at;
    }
    token_ = Token{TokenType::kEnd, "", at, at};
    if (at >= text_.size()) return absl::OkStatus();
    const char c = text_[at];
    const auto single = [&](TokenType type) {
      token_.type = type;
      token_.text = std::string(1, c);
      token_.end = at + 1;
      return absl::OkStatus();
    };
    switch (c) {
      case '(':
        ++open_;
        return single(TokenType::kOpen);
      case ')':
        if (open_ == 0 && prefix_) return single(TokenType::kStop);
        --open_;
        return single(TokenType::kClose);
      case '*':
        return single(TokenType::kStar);
      case ',':
      case '/':
        if (prefix_) return single(TokenType::kStop);
        return Error(at, absl::StrCat("不认识的符号“", std::string(1, c),
                                      "”；条件之间用 AND 或 OR 连接，含标点的值加引号"));
      case '=':
      case ':':
        return single(TokenType::kOperator);
      case '!':
      case '<':
      case '>': {
        const bool equals = at + 1 < text_.size() && text_[at + 1] == '=';
        if (c == '!' && !equals) return Error(at, "“!”后应为“=”；取反请用 NOT");
        token_.type = TokenType::kOperator;
        token_.text = std::string(text_.substr(at, equals ? 2 : 1));
        token_.end = at + token_.text.size();
        return absl::OkStatus();
      }
      case '"':
      case '\'':
        return Quoted(at, c);
      case '-':
        // A sign when a number follows, else the short form of NOT.
        if (at + 1 < text_.size() && text_[at + 1] >= '0' && text_[at + 1] <= '9') break;
        return single(TokenType::kMinus);
      default:
        break;
    }
    return Word(at);
  }

  absl::Status Quoted(size_t at, char quote) {
    std::string value;
    size_t i = at + 1;
    for (; i < text_.size() && text_[i] != quote; ++i) {
      if (text_[i] == '\\' && i + 1 < text_.size()) ++i;
      value.push_back(text_[i]);
    }
    if (i >= text_.size()) {
      return Error(at, absl::StrCat("引号没有结束，请在值后补上 ", std::string(1, quote)));
    }
    token_.type = TokenType::kQuoted;
    token_.text = std::move(value);
    token_.end = i + 1;
    return absl::OkStatus();
  }

  absl::Status Word(size_t at) {
    size_t i = at;
    while (i < text_.size()) {
      const CodePoint point = CodePointAt(text_, i);
      if (!IsWordCode(point.code)) break;
      i += point.size;
    }
    if (i == at) {
      return Error(at, absl::StrCat("不认识的符号“", text_.substr(at, CodePointAt(text_, at).size),
                                    "”；请使用半角符号，含空格或标点的值加引号"));
    }
    token_.text = std::string(text_.substr(at, i - at));
    token_.end = i;
    const bool stops = prefix_ && std::find(std::begin(kMeasureWords), std::end(kMeasureWords),
                                            token_.text) != std::end(kMeasureWords);
    token_.type = stops ? TokenType::kStop : TokenType::kWord;
    return absl::OkStatus();
  }

  bool At(absl::string_view word) const {
    return token_.type == TokenType::kWord && token_.text == word;
  }
  bool AtKeyword() const { return At("AND") || At("OR") || At("NOT"); }
  bool AtValue() const {
    return token_.type == TokenType::kQuoted || (token_.type == TokenType::kWord && !AtKeyword());
  }

  absl::Status NoValue(absl::string_view field) const {
    return Error(token_.begin, absl::StrCat("字段 ", field, " 缺少比较值",
                                            token_.type == TokenType::kEnd
                                                ? ""
                                                : "；含空格、标点或与关键字相同的值加引号"));
  }

  // ---- grammar ---------------------------------------------------------------------------------

  absl::StatusOr<FilterNode> Expression(int depth) {
    if (depth > kMaxDepth) return Error(token_.begin, "括号嵌套过深（最多 20 层）");
    FilterNode all;
    all.type = FilterNode::Type::kAnd;
    while (true) {
      FADU_ASSIGN_OR_RETURN(FilterNode factor, Factor(depth));
      all.children.push_back(std::move(factor));
      if (!At("AND")) break;
      FADU_RETURN_IF_ERROR(Next());
    }
    if (all.children.size() == 1) {
      FilterNode only = std::move(all.children[0]);
      return only;
    }
    return all;
  }

  absl::StatusOr<FilterNode> Factor(int depth) {
    FilterNode any;
    any.type = FilterNode::Type::kOr;
    while (true) {
      FADU_ASSIGN_OR_RETURN(FilterNode term, Term(depth));
      any.children.push_back(std::move(term));
      if (!At("OR")) break;
      FADU_RETURN_IF_ERROR(Next());
    }
    if (any.children.size() == 1) {
      FilterNode only = std::move(any.children[0]);
      return only;
    }
    return any;
  }

  absl::StatusOr<FilterNode> Term(int depth) {
    if (++terms_ > kMaxTerms) return Error(token_.begin, "条件过多（最多 100 个）");
    if (At("NOT") || token_.type == TokenType::kMinus) {
      FADU_RETURN_IF_ERROR(Next());
      FADU_ASSIGN_OR_RETURN(FilterNode inner, Simple(depth));
      FilterNode negated;
      negated.type = FilterNode::Type::kNot;
      negated.children.push_back(std::move(inner));
      return negated;
    }
    return Simple(depth);
  }

  absl::StatusOr<FilterNode> Simple(int depth) {
    if (token_.type == TokenType::kOpen) {
      FADU_RETURN_IF_ERROR(Next());
      FADU_ASSIGN_OR_RETURN(FilterNode inner, Expression(depth + 1));
      if (token_.type != TokenType::kClose) {
        return Error(token_.begin, "缺少右括号，请补上 )");
      }
      FADU_RETURN_IF_ERROR(Next());
      return inner;
    }
    return Restriction();
  }

  absl::StatusOr<FilterNode> Restriction() {
    if (token_.type != TokenType::kWord || AtKeyword()) {
      return Error(token_.begin,
                   absl::StrCat(token_.type == TokenType::kEnd ? "条件不完整，此处还应有字段名"
                                                               : "此处应为字段名",
                                "；可用：", absl::StrJoin(Names(), "、")));
    }
    const Token name = token_;
    FilterNode node;
    node.type = FilterNode::Type::kCompare;
    node.field = FindField(name.text);
    if (node.field == nullptr && use_ == FilterUse::kList) {
      for (const BlindIndexField& blind : type_.blind_indexes()) {
        if (blind.filter_name == name.text) node.blind = &blind;
      }
    }
    if (node.field == nullptr && node.blind == nullptr) {
      return Error(name.begin, absl::StrCat("没有可用的字段 ", name.text, "；可用：",
                                            absl::StrJoin(Names(), "、")));
    }
    FADU_RETURN_IF_ERROR(Next());
    if (token_.type != TokenType::kOperator) {
      return Error(token_.begin, absl::StrCat("字段 ", name.text, " 之后应为 = != < <= > >= 或 :"));
    }
    const Token op = token_;
    FADU_RETURN_IF_ERROR(Next());
    if (node.blind != nullptr) return Blind(std::move(node), op);
    FADU_RETURN_IF_ERROR(SetOperator(op, node));
    if (node.op == CompareOp::kPresent) {
      FADU_RETURN_IF_ERROR(Next());
      return node;
    }
    if (!AtValue()) return NoValue(name.text);
    FADU_ASSIGN_OR_RETURN(node.value, ReadValue(*node.field));
    FADU_RETURN_IF_ERROR(Next());
    return node;
  }

  absl::StatusOr<FilterNode> Blind(FilterNode node, const Token& op) {
    if (op.text != "=") {
      return Error(op.begin, absl::StrCat(node.blind->filter_name, " 加密保存，只能用 = 精确查找"));
    }
    if (!AtValue()) return NoValue(node.blind->filter_name);
    node.type = FilterNode::Type::kBlind;
    node.value.text = token_.text;
    FADU_RETURN_IF_ERROR(Next());
    return node;
  }

  absl::Status SetOperator(const Token& op, FilterNode& node) {
    const RecordField& field = *node.field;
    if (op.text == ":") {
      node.op = CompareOp::kHas;
      if (token_.type == TokenType::kStar) {
        node.op = CompareOp::kPresent;
      } else if (!field.repeated()) {
        return Error(op.begin, absl::StrCat(field.name(), " 不是多值字段，请用 =；“有值”写作 :*"));
      }
      return absl::OkStatus();
    }
    if (field.repeated()) {
      return Error(op.begin, absl::StrCat(field.name(), " 是多值字段，请用 :（含有）"));
    }
    if (op.text == "=") node.op = CompareOp::kEq;
    if (op.text == "!=") node.op = CompareOp::kNe;
    if (op.text == "<") node.op = CompareOp::kLt;
    if (op.text == "<=") node.op = CompareOp::kLe;
    if (op.text == ">") node.op = CompareOp::kGt;
    if (op.text == ">=") node.op = CompareOp::kGe;
    const bool ordered = node.op != CompareOp::kEq && node.op != CompareOp::kNe;
    if (ordered && (field.kind == ValueKind::kCode || field.kind == ValueKind::kBool)) {
      return Error(op.begin, absl::StrCat(field.name(), " 只能用 = 或 !="));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Value> ReadValue(const RecordField& field) {
    Value value;
    value.kind = field.kind;
    const std::string& text = token_.text;
    switch (field.kind) {
      case ValueKind::kText:
        value.text = text;
        return value;
      case ValueKind::kCode:
        return ReadCode(field);
      case ValueKind::kInt:
        if (!absl::SimpleAtoi(text, &value.number)) {
          return Error(token_.begin, absl::StrCat(field.name(), " 是整数，“", text, "”不是"));
        }
        return value;
      case ValueKind::kPoints: {
        const absl::StatusOr<Points> points = Points::Parse(text);
        if (!points.ok()) {
          return Error(token_.begin,
                       absl::StrCat(field.name(), " 是最多四位小数的数，“", text, "”不是"));
        }
        value.number = points->units();
        return value;
      }
      case ValueKind::kBool:
        if (text != "true" && text != "false") {
          return Error(token_.begin, absl::StrCat(field.name(), " 只能是 true 或 false"));
        }
        value.number = text == "true" ? 1 : 0;
        return value;
      case ValueKind::kDate:
        if (!ParseDay(text).ok()) {
          return Error(token_.begin,
                       absl::StrCat(field.name(), " 是日期，应形如 2024-03-15，“", text, "”不是"));
        }
        value.text = text;
        return value;
    }
    return value;
  }

  absl::StatusOr<Value> ReadCode(const RecordField& field) {
    Value value;
    value.kind = ValueKind::kCode;
    const auto* type = field.descriptor->enum_type();
    const auto* found = FindEnumCode(type, token_.text);
    std::vector<std::string> vocabulary;
    for (int i = 0; i < type->value_count(); ++i) {
      const auto* entry = type->value(i);
      if (entry->number() == 0) continue;
      const std::string& label = entry->options().GetExtension(v1::label).zh();
      if (found == nullptr && !label.empty() && label == token_.text) found = entry;
      vocabulary.push_back(label.empty() ? EnumCode(entry)
                                         : absl::StrCat(EnumCode(entry), "（", label, "）"));
    }
    if (found == nullptr || found->number() == 0) {
      return Error(token_.begin, absl::StrCat(field.name(), " 没有“", token_.text, "”；可用：",
                                              absl::StrJoin(vocabulary, "、")));
    }
    value.text = EnumCode(found);
    return value;
  }

  bool Usable(const RecordField& field) const {
    if (!field.comparable || field.sealed) return false;
    return use_ == FilterUse::kList ? field.options.filter() : field.options.measure();
  }

  const RecordField* FindField(absl::string_view name) const {
    const RecordField* field = type_.FindField(name);
    return field != nullptr && Usable(*field) ? field : nullptr;
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const RecordField& field : type_.fields()) {
      if (Usable(field)) names.push_back(field.name());
    }
    if (use_ == FilterUse::kList) {
      for (const BlindIndexField& blind : type_.blind_indexes()) names.push_back(blind.filter_name);
    }
    return names;
  }

  const absl::string_view text_;
  const RecordType& type_;
  const FilterUse use_;
  const bool prefix_;
  Token token_;
  size_t last_end_ = 0;  // of the token before token_
  int terms_ = 0;
  int open_ = 0;
};

// -1, 0, 1 of two values of one kind.
int Compare(const Value& a, const Value& b) {
  switch (a.kind) {
    case ValueKind::kText:
    case ValueKind::kCode:
    case ValueKind::kDate: {
      const int order = a.text.compare(b.text);
      return order < 0 ? -1 : order > 0 ? 1 : 0;
    }
    case ValueKind::kInt:
    case ValueKind::kPoints:
    case ValueKind::kBool:
      return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
  }
  return 0;
}

bool Holds(CompareOp op, const std::vector<Value>& values, const Value& value) {
  const bool present = !values.empty();
  switch (op) {
    case CompareOp::kPresent:
      return present;
    case CompareOp::kHas:
      return std::any_of(values.begin(), values.end(),
                         [&](const Value& item) { return Compare(item, value) == 0; });
    case CompareOp::kEq:
      return present && Compare(values[0], value) == 0;
    case CompareOp::kNe:
      return !present || Compare(values[0], value) != 0;
    case CompareOp::kLt:
      return present && Compare(values[0], value) < 0;
    case CompareOp::kLe:
      return present && Compare(values[0], value) <= 0;
    case CompareOp::kGt:
      return present && Compare(values[0], value) > 0;
    case CompareOp::kGe:
      return present && Compare(values[0], value) >= 0;
  }
  return false;
}

}  // namespace

absl::StatusOr<FilterNode> ParseFilter(absl::string_view text, const RecordType& type,
                                       FilterUse use) {
  return Parser(text, type, use, /*prefix=*/false).Parse(nullptr);
}

absl::StatusOr<FilterNode> ParseFilterPrefix(absl::string_view text, const RecordType& type,
                                             FilterUse use, size_t* consumed) {
  return Parser(text, type, use, /*prefix=*/true).Parse(consumed);
}

bool Matches(const FilterNode& filter, const RecordType& type,
             const google::protobuf::Message& message) {
  switch (filter.type) {
    case FilterNode::Type::kAnd:
      return std::all_of(filter.children.begin(), filter.children.end(),
                         [&](const FilterNode& child) { return Matches(child, type, message); });
    case FilterNode::Type::kOr:
      return std::any_of(filter.children.begin(), filter.children.end(),
                         [&](const FilterNode& child) { return Matches(child, type, message); });
    case FilterNode::Type::kNot:
      return !Matches(filter.children[0], type, message);
    case FilterNode::Type::kCompare:
      return Holds(filter.op, type.ValuesOf(message, *filter.field), filter.value);
    case FilterNode::Type::kBlind:
      (void)FADU_BUG("a sealed field in a filter over facts");
      return false;
  }
  return false;
}

}  // namespace fadu
