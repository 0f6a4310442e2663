#include "services/gateway/domain/json.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/field_mask_util.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "common/schema/record_type.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/gateway/v1/reason.pb.h"
#include "services/gateway/domain/utf8.h"

namespace fadu::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::Reflection;

constexpr absl::string_view kTypePrefix = "type.googleapis.com/";
constexpr size_t kMaxShown = 60;  // bytes of a caller's text in a message

void AppendUtf8(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | code >> 6));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | code >> 12));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | code >> 18));
    out.push_back(static_cast<char>(0x80 | (code >> 12 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

// A caller's text as it may stand in a message: short, whole characters, no control characters.
std::string Shown(absl::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const size_t size = CharacterSize(text);
    if (shown.size() + size > kMaxShown) return shown + "…";
    const bool plain = size > 1 || (size == 1 && text[0] >= 0x20 && text[0] != 0x7f);
    absl::StrAppend(&shown, plain ? text.substr(0, size) : absl::string_view("?"));
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return shown;
}

absl::Status FieldInvalid(absl::string_view path, absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, fadu::common::v1::REASON_FIELD_INVALID,
              "the JSON does not fit the message",
              {{"field", std::string(path)}, {"problem", std::string(problem)}},
              {{std::string(path), std::string(problem)}});
}

// ---- Reading -----------------------------------------------------------------------------------

// Tokens of one text. Knows JSON and no messages.
class Scanner {
 public:
  explicit Scanner(absl::string_view text) : text_(text) {}

  absl::Status Invalid(absl::string_view problem) const {
    return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_JSON_INVALID, "not JSON",
                {{"position", absl::StrCat(at_ + 1)}, {"problem", std::string(problem)}});
  }

  // The next character that is not white space; 0 at the end.
  char Peek() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool Take(char wanted) {
    if (Peek() != wanted || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }

  // After an opening bracket.
  absl::Status Enter() {
    if (++depth_ <= kMaxJsonDepth) return absl::OkStatus();
    --at_;
    return Invalid(absl::StrCat("嵌套超过 ", kMaxJsonDepth, " 层"));
  }
  void Leave() { --depth_; }

  // true, false or null.
  bool TakeWord(absl::string_view word) {
    Peek();
    if (!absl::StartsWith(text_.substr(at_), word)) return false;
    at_ += word.size();
    return true;
  }

  absl::StatusOr<std::string> String() {
    if (!Take('"')) return Invalid("应为字符串");
    std::string value;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return value;
      }
      if (c == '\\') {
        FADU_RETURN_IF_ERROR(Escape(value));
        continue;
      }
      if (static_cast<unsigned char>(c) < 0x20) return Invalid("字符串中有未转义的控制字符");
      const size_t size = CharacterSize(text_.substr(at_));
      if (size == 0) return Invalid("不是有效的 UTF-8");
      value.append(text_.data() + at_, size);
      at_ += size;
    }
    return Invalid("字符串没有结束");
  }

  // A number as it stands.
  absl::StatusOr<absl::string_view> Number() {
    Peek();
    const size_t begin = at_;
    const auto digits = [this] {
      const size_t from = at_;
      while (at_ < text_.size() && absl::ascii_isdigit(static_cast<unsigned char>(text_[at_]))) {
        ++at_;
      }
      return at_ - from;
    };
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    const size_t whole = at_;
    const size_t count = digits();
    if (count == 0 || (count > 1 && text_[whole] == '0')) return Invalid("不是有效的值");
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      if (digits() == 0) return Invalid("小数点后没有数字");
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (digits() == 0) return Invalid("指数没有数字");
    }
    return text_.substr(begin, at_ - begin);
  }

  // Passes over one value of any kind, checking that it is JSON.
  absl::Status Skip() {
    const char next = Peek();
    if (next == '"') return String().status();
    if (next == '{' || next == '[') {
      const char close = next == '{' ? '}' : ']';
      ++at_;
      FADU_RETURN_IF_ERROR(Enter());
      if (!Take(close)) {
        do {
          if (next == '{') {
            FADU_RETURN_IF_ERROR(String().status());
            if (!Take(':')) return Invalid("键之后应为冒号");
          }
          FADU_RETURN_IF_ERROR(Skip());
        } while (Take(','));
        if (!Take(close)) return Invalid("应为逗号或右括号");
      }
      Leave();
      return absl::OkStatus();
    }
    if (TakeWord("true") || TakeWord("false") || TakeWord("null")) return absl::OkStatus();
    return Number().status();
  }

  absl::Status End() {
    return Peek() == '\0' && at_ >= text_.size() ? absl::OkStatus() : Invalid("值之后还有内容");
  }

  size_t at() const { return at_; }
  absl::string_view Since(size_t begin) const { return text_.substr(begin, at_ - begin); }
  // A scanner at the same place, to look ahead with.
  Scanner Ahead() const { return *this; }

 private:
  absl::StatusOr<uint32_t> Hex4() {
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ >= text_.size() || !absl::ascii_isxdigit(static_cast<unsigned char>(text_[at_]))) {
        return Invalid("\\u 之后应有四位十六进制数");
      }
      const char c = text_[at_];
      code = code * 16 + static_cast<uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return code;
  }

  absl::Status Escape(std::string& value) {
    ++at_;
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    switch (c) {
      case '"':
      case '\\':
      case '/':
        value.push_back(c);
        return absl::OkStatus();
      case 'b':
        value.push_back('\b');
        return absl::OkStatus();
      case 'f':
        value.push_back('\f');
        return absl::OkStatus();
      case 'n':
        value.push_back('\n');
        return absl::OkStatus();
      case 'r':
        value.push_back('\r');
        return absl::OkStatus();
      case 't':
        value.push_back('\t');
        return absl::OkStatus();
      case 'u':
        break;
      default:
        return Invalid("未知的转义");
    }
    FADU_ASSIGN_OR_RETURN(uint32_t code, Hex4());
    if (code >= 0xD800 && code < 0xDC00) {
      if (!absl::StartsWith(text_.substr(at_), "\\u")) return Invalid("代理对不完整");
      at_ += 2;
      FADU_ASSIGN_OR_RETURN(const uint32_t low, Hex4());
      if (low < 0xDC00 || low >= 0xE000) return Invalid("代理对不完整");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
      return Invalid("代理对不完整");
    }
    AppendUtf8(code, value);
    return absl::OkStatus();
  }

  absl::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

// Messages whose JSON is not an object of their fields.
enum class Special { kNone, kAny, kTimestamp, kDuration, kFieldMask, kOther };

Special SpecialOf(const Descriptor* type) {
  if (type->file()->package() != "google.protobuf") return Special::kNone;
  const std::string& name = type->name();
  if (name == "Any") return Special::kAny;
  if (name == "Timestamp") return Special::kTimestamp;
  if (name == "Duration") return Special::kDuration;
  if (name == "FieldMask") return Special::kFieldMask;
  if (name == "Struct" || name == "Value" || name == "ListValue" || absl::EndsWith(name, "Value")) {
    return Special::kOther;  // protobuf's own reader and writer; none of our contracts has them
  }
  return Special::kNone;
}

std::unique_ptr<Message> NewMessage(const Descriptor* type) {
  return std::unique_ptr<Message>(MessageFactory::generated_factory()->GetPrototype(type)->New());
}

class Reader {
 public:
  Reader(absl::string_view text, const Descriptor* any_type) : in_(text), any_type_(any_type) {}

  absl::Status Run(Message& message, const std::string& path) {
    FADU_RETURN_IF_ERROR(ReadMessage(message, path));
    return in_.End();
  }

  static const FieldDescriptor* FindField(const Descriptor& type, const std::string& key) {
    const FieldDescriptor* field = type.FindFieldByName(key);
    if (field != nullptr) return field;
    for (int i = 0; i < type.field_count(); ++i) {
      if (type.field(i)->json_name() == key) return type.field(i);
    }
    return nullptr;
  }

  // One scalar, or one item of a repeated one, from its text; `quoted` when it stood as a string.
  static absl::Status SetScalar(Message& message, const FieldDescriptor& field,
                                absl::string_view text, bool quoted, const std::string& path) {
    const Reflection* reflection = message.GetReflection();
    const bool many = field.is_repeated();
    const auto wrong = [&](absl::string_view what) {
      return FieldInvalid(path, absl::StrCat("“", Shown(text), "”", what));
    };
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32: {
        int32_t value = 0;
        if (!ToInt(text, &value)) return wrong("不是 32 位整数");
        many ? reflection->AddInt32(&message, &field, value)
             : reflection->SetInt32(&message, &field, value);
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_INT64: {
        int64_t value = 0;
        if (!ToInt(text, &value)) return wrong("不是整数");
        many ? reflection->AddInt64(&message, &field, value)
             : reflection->SetInt64(&message, &field, value);
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_UINT32: {
        uint32_t value = 0;
        if (!ToInt(text, &value)) return wrong("不是非负整数");
        many ? reflection->AddUInt32(&message, &field, value)
             : reflection->SetUInt32(&message, &field, value);
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_UINT64: {
        uint64_t value = 0;
        if (!ToInt(text, &value)) return wrong("不是非负整数");
        many ? reflection->AddUInt64(&message, &field, value)
             : reflection->SetUInt64(&message, &field, value);
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_DOUBLE: {
        const absl::optional<double> value = ToDouble(text, quoted);
        if (!value) return wrong("不是数字");
        many ? reflection->AddDouble(&message, &field, *value)
             : reflection->SetDouble(&message, &field, *value);
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_FLOAT: {
        const absl::optional<double> value = ToDouble(text, quoted);
        if (!value) return wrong("不是数字");
        many ? reflection->AddFloat(&message, &field, static_cast<float>(*value))
             : reflection->SetFloat(&message, &field, static_cast<float>(*value));
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_BOOL: {
        // As a string only where it is the key of a map.
        const bool key = field.containing_type()->options().map_entry() && field.number() == 1;
        if ((text != "true" && text != "false") || (quoted && !key))
          return wrong("应为 true 或 false");
        many ? reflection->AddBool(&message, &field, text == "true")
             : reflection->SetBool(&message, &field, text == "true");
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_ENUM: {
        const EnumValueDescriptor* value = ToEnum(field.enum_type(), text, quoted);
        if (value == nullptr) return wrong("不是可选的值");
        many ? reflection->AddEnum(&message, &field, value)
             : reflection->SetEnum(&message, &field, value);
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_STRING: {
        if (!quoted) return FieldInvalid(path, "应为字符串");
        std::string value(text);
        if (field.type() == FieldDescriptor::TYPE_BYTES) {
          std::string bytes;
          if (!absl::Base64Unescape(text, &bytes) && !absl::WebSafeBase64Unescape(text, &bytes)) {
            return FieldInvalid(path, "不是 base64");
          }
          value = std::move(bytes);
        }
        many ? reflection->AddString(&message, &field, std::move(value))
             : reflection->SetString(&message, &field, std::move(value));
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        break;
    }
    return FADU_BUG("a message is no scalar");
  }

  // Timestamp, Duration or FieldMask from its text.
  static absl::Status TextToMessage(const std::string& text, Message& message,
                                    const std::string& path) {
    namespace util = google::protobuf::util;
    switch (SpecialOf(message.GetDescriptor())) {
      case Special::kTimestamp:
        return util::TimeUtil::FromString(text, static_cast<google::protobuf::Timestamp*>(&message))
                   ? absl::OkStatus()
                   : FieldInvalid(path, "不是 RFC 3339 时间");
      case Special::kDuration:
        return util::TimeUtil::FromString(text, static_cast<google::protobuf::Duration*>(&message))
                   ? absl::OkStatus()
                   : FieldInvalid(path, "不是时长，如 3.5s");
      case Special::kFieldMask: {
        auto* mask = static_cast<google::protobuf::FieldMask*>(&message);
        if (text.find('_') != std::string::npos) {  // names as in the proto
          util::FieldMaskUtil::FromString(text, mask);
          return absl::OkStatus();
        }
        return util::FieldMaskUtil::FromJsonString(text, mask)
                   ? absl::OkStatus()
                   : FieldInvalid(path, "不是字段列表，如 title,foundDate");
      }
      default:
        return FieldInvalid(path, "值的类型不符");
    }
  }

 private:
  // An integer as JSON writes it: digits, or a number with a point or exponent that is whole.
  template <typename Int>
  static bool ToInt(absl::string_view text, Int* value) {
    if (text.find_first_not_of("-0123456789") == absl::string_view::npos) {
      return absl::SimpleAtoi(text, value);
    }
    double number = 0;
    if (text.find_first_not_of("-+.eE0123456789") != absl::string_view::npos ||
        !absl::SimpleAtod(text, &number)) {
      return false;
    }
    // Up to 2^53, above which a double skips integers.
    if (std::floor(number) != number || std::fabs(number) > 9007199254740992.0) return false;
    if (number < static_cast<double>(std::numeric_limits<Int>::min()) ||
        number > static_cast<double>(std::numeric_limits<Int>::max())) {
      return false;
    }
    *value = static_cast<Int>(number);
    return true;
  }

  static absl::optional<double> ToDouble(absl::string_view text, bool quoted) {
    if (quoted && text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (quoted && text == "Infinity") return std::numeric_limits<double>::infinity();
    if (quoted && text == "-Infinity") return -std::numeric_limits<double>::infinity();
    double number = 0;
    if (text.find_first_not_of("-+.eE0123456789") != absl::string_view::npos ||
        !absl::SimpleAtod(text, &number) || !std::isfinite(number)) {
      return absl::nullopt;
    }
    return number;
  }

  static const EnumValueDescriptor* ToEnum(const EnumDescriptor* type, absl::string_view text,
                                           bool quoted) {
    if (quoted) return FindEnumCode(type, text);
    int number = 0;
    return ToInt(text, &number) ? type->FindValueByNumber(number) : nullptr;
  }

  static std::string Join(absl::string_view path, absl::string_view field) {
    return path.empty() ? std::string(field) : absl::StrCat(path, ".", field);
  }

  absl::Status ReadMessage(Message& message, const std::string& path) {
    switch (SpecialOf(message.GetDescriptor())) {
      case Special::kNone:
        return ReadObject(message, path, /*is_any=*/false);
      case Special::kAny:
        return ReadAny(message, path);
      case Special::kTimestamp:
      case Special::kDuration:
      case Special::kFieldMask:
        return ReadText(message, path);
      case Special::kOther:
        break;
    }
    const size_t begin = in_.at();
    FADU_RETURN_IF_ERROR(in_.Skip());
    const auto parsed =
        google::protobuf::util::JsonStringToMessage(std::string(in_.Since(begin)), &message);
    return parsed.ok() ? absl::OkStatus() : FieldInvalid(path, "值的类型不符");
  }

  // The fields of `message`; with `is_any` "@type" is passed over.
  absl::Status ReadObject(Message& message, const std::string& path, bool is_any) {
    const Descriptor* type = message.GetDescriptor();
    if (!in_.Take('{')) return FieldInvalid(path, "应为对象");
    FADU_RETURN_IF_ERROR(in_.Enter());
    std::set<const FieldDescriptor*> seen;
    std::set<const void*> seen_oneofs;
    bool seen_type = false;
    if (!in_.Take('}')) {
      do {
        FADU_ASSIGN_OR_RETURN(const std::string key, in_.String());
        if (!in_.Take(':')) return in_.Invalid("键之后应为冒号");
        if (is_any && key == "@type") {
          if (seen_type) return FieldInvalid(Join(path, key), "重复出现");
          seen_type = true;
          FADU_RETURN_IF_ERROR(in_.Skip());
          continue;
        }
        const FieldDescriptor* field = FindField(*type, key);
        if (field == nullptr) return FieldInvalid(Join(path, Shown(key)), "没有这个字段");
        const std::string inner = Join(path, field->name());
        if (!seen.insert(field).second) return FieldInvalid(inner, "重复出现");
        if (in_.TakeWord("null")) continue;
        if (const auto* oneof = field->real_containing_oneof();
            oneof != nullptr && !seen_oneofs.insert(oneof).second) {
          return FieldInvalid(inner, "与同组的另一字段不能同时填写");
        }
        FADU_RETURN_IF_ERROR(ReadField(message, *field, inner));
      } while (in_.Take(','));
      if (!in_.Take('}')) return in_.Invalid("应为逗号或右括号");
    }
    in_.Leave();
    return absl::OkStatus();
  }

  absl::Status ReadField(Message& message, const FieldDescriptor& field, const std::string& path) {
    if (field.is_map()) return ReadMap(message, field, path);
    if (!field.is_repeated()) return ReadValue(message, field, path);
    if (!in_.Take('[')) return FieldInvalid(path, "应为数组");
    FADU_RETURN_IF_ERROR(in_.Enter());
    if (!in_.Take(']')) {
      int index = 0;
      do {
        FADU_RETURN_IF_ERROR(ReadValue(message, field, absl::StrCat(path, "[", index++, "]")));
      } while (in_.Take(','));
      if (!in_.Take(']')) return in_.Invalid("应为逗号或右括号");
    }
    in_.Leave();
    return absl::OkStatus();
  }

  absl::Status ReadMap(Message& message, const FieldDescriptor& field, const std::string& path) {
    if (!in_.Take('{')) return FieldInvalid(path, "应为对象");
    FADU_RETURN_IF_ERROR(in_.Enter());
    std::set<std::string> seen;
    if (!in_.Take('}')) {
      do {
        FADU_ASSIGN_OR_RETURN(const std::string key, in_.String());
        const std::string inner = absl::StrCat(path, "[", Shown(key), "]");
        if (!seen.insert(key).second) return FieldInvalid(inner, "重复出现");
        if (!in_.Take(':')) return in_.Invalid("键之后应为冒号");
        Message* entry = message.GetReflection()->AddMessage(&message, &field);
        const FieldDescriptor* key_field = entry->GetDescriptor()->map_key();
        FADU_RETURN_IF_ERROR(SetScalar(*entry, *key_field, key, /*quoted=*/true, inner));
        FADU_RETURN_IF_ERROR(ReadValue(*entry, *entry->GetDescriptor()->map_value(), inner));
      } while (in_.Take(','));
      if (!in_.Take('}')) return in_.Invalid("应为逗号或右括号");
    }
    in_.Leave();
    return absl::OkStatus();
  }

  // One value of a singular field, or one item of a repeated one.
  absl::Status ReadValue(Message& message, const FieldDescriptor& field, const std::string& path) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const Reflection* reflection = message.GetReflection();
      Message* inner = field.is_repeated() ? reflection->AddMessage(&message, &field)
                                           : reflection->MutableMessage(&message, &field);
      return ReadMessage(*inner, path);
    }
    const char next = in_.Peek();
    if (next == '"') {
      FADU_ASSIGN_OR_RETURN(const std::string text, in_.String());
      return SetScalar(message, field, text, /*quoted=*/true, path);
    }
    if (next == '{' || next == '[') return FieldInvalid(path, "值的类型不符");
    for (const char* word : {"true", "false"}) {
      if (in_.TakeWord(word)) {
        if (field.cpp_type() != FieldDescriptor::CPPTYPE_BOOL) {
          return FieldInvalid(path, "值的类型不符");
        }
        return SetScalar(message, field, word, /*quoted=*/false, path);
      }
    }
    if (in_.TakeWord("null")) return FieldInvalid(path, "不能为 null");
    FADU_ASSIGN_OR_RETURN(const absl::string_view number, in_.Number());
    return SetScalar(message, field, number, /*quoted=*/false, path);
  }

  absl::Status ReadText(Message& message, const std::string& path) {
    if (in_.Peek() != '"') return FieldInvalid(path, "应为字符串");
    FADU_ASSIGN_OR_RETURN(const std::string text, in_.String());
    return TextToMessage(text, message, path);
  }

  absl::Status ReadAny(Message& message, const std::string& path) {
    FADU_ASSIGN_OR_RETURN(const std::string url, FindType(path));
    const Descriptor* type = any_type_;
    std::string type_url = url;
    if (!url.empty()) {
      absl::string_view name = url;
      type = absl::ConsumePrefix(&name, kTypePrefix)
                 ? DescriptorPool::generated_pool()->FindMessageTypeByName(std::string(name))
                 : nullptr;
    } else if (type != nullptr) {
      type_url = absl::StrCat(kTypePrefix, type->full_name());
    }
    const std::string where = Join(path, "@type");
    if (type == nullptr && url.empty()) return FieldInvalid(where, "不能为空");
    if (type == nullptr) return FieldInvalid(where, absl::StrCat("没有类型 ", Shown(url)));
    if (SpecialOf(type) != Special::kNone) return FieldInvalid(where, "不是记录类型");
    const std::unique_ptr<Message> inner = NewMessage(type);
    FADU_RETURN_IF_ERROR(ReadObject(*inner, path, /*is_any=*/true));
    auto& any = static_cast<google::protobuf::Any&>(message);
    any.set_type_url(type_url);
    return inner->SerializeToString(any.mutable_value()) ? absl::OkStatus()
                                                         : FADU_BUG("not serialised");
  }

  // Looks ahead for "@type" of the object that begins here; "" when it has none.
  absl::StatusOr<std::string> FindType(const std::string& path) {
    Scanner ahead = in_.Ahead();
    if (!ahead.Take('{')) return FieldInvalid(path, "应为对象");
    FADU_RETURN_IF_ERROR(ahead.Enter());
    if (ahead.Take('}')) return std::string();
    do {
      FADU_ASSIGN_OR_RETURN(const std::string key, ahead.String());
      if (!ahead.Take(':')) return ahead.Invalid("键之后应为冒号");
      if (key == "@type") {
        if (ahead.Peek() != '"') return FieldInvalid(Join(path, key), "应为字符串");
        return ahead.String();
      }
      FADU_RETURN_IF_ERROR(ahead.Skip());
    } while (ahead.Take(','));
    return std::string();
  }

  Scanner in_;
  const Descriptor* const any_type_;
};

// ---- Writing -----------------------------------------------------------------------------------

class Writer {
 public:
  absl::Status Write(const Message& message) {
    switch (SpecialOf(message.GetDescriptor())) {
      case Special::kNone:
        out_.push_back('{');
        FADU_RETURN_IF_ERROR(Fields(message, /*first=*/true));
        out_.push_back('}');
        return absl::OkStatus();
      case Special::kAny:
        return WriteAny(message);
      case Special::kTimestamp:
        AppendJsonString(google::protobuf::util::TimeUtil::ToString(
                             static_cast<const google::protobuf::Timestamp&>(message)),
                         out_);
        return absl::OkStatus();
      case Special::kDuration:
        AppendJsonString(google::protobuf::util::TimeUtil::ToString(
                             static_cast<const google::protobuf::Duration&>(message)),
                         out_);
        return absl::OkStatus();
      case Special::kFieldMask: {
        std::string mask;
        if (!google::protobuf::util::FieldMaskUtil::ToJsonString(
                static_cast<const google::protobuf::FieldMask&>(message), &mask)) {
          return absl::InternalError("a field mask that JSON cannot say");
        }
        AppendJsonString(mask, out_);
        return absl::OkStatus();
      }
      case Special::kOther: {
        std::string text;
        if (!google::protobuf::util::MessageToJsonString(message, &text).ok()) {
          return absl::InternalError("not written as JSON");
        }
        out_.append(text);
        return absl::OkStatus();
      }
    }
    return absl::OkStatus();
  }

  std::string Take() { return std::move(out_); }

 private:
  absl::Status WriteAny(const Message& message) {
    const auto& any = static_cast<const google::protobuf::Any&>(message);
    if (any.type_url().empty()) {
      out_.append("{}");
      return absl::OkStatus();
    }
    const size_t slash = any.type_url().rfind('/');
    const Descriptor* type = slash == std::string::npos
                                 ? nullptr
                                 : DescriptorPool::generated_pool()->FindMessageTypeByName(
                                       any.type_url().substr(slash + 1));
    if (type == nullptr) {
      return absl::InternalError(absl::StrCat("no type ", any.type_url(), " is linked in"));
    }
    const std::unique_ptr<Message> inner = NewMessage(type);
    if (!inner->ParseFromString(any.value())) {
      return absl::InternalError(absl::StrCat("not a ", type->full_name()));
    }
    out_.append("{\"@type\":");
    AppendJsonString(any.type_url(), out_);
    if (SpecialOf(type) == Special::kNone) {
      FADU_RETURN_IF_ERROR(Fields(*inner, /*first=*/false));
    } else {
      out_.append(",\"value\":");
      FADU_RETURN_IF_ERROR(Write(*inner));
    }
    out_.push_back('}');
    return absl::OkStatus();
  }

  absl::Status Fields(const Message& message, bool first) {
    const Reflection* reflection = message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection->ListFields(message, &fields);  // those that are set, by number
    for (const FieldDescriptor* field : fields) {
      if (!first) out_.push_back(',');
      first = false;
      AppendJsonString(field->json_name(), out_);
      out_.push_back(':');
      if (field->is_map()) {
        FADU_RETURN_IF_ERROR(Map(message, *field));
      } else if (field->is_repeated()) {
        out_.push_back('[');
        for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
          if (i > 0) out_.push_back(',');
          FADU_RETURN_IF_ERROR(Value(message, *field, i));
        }
        out_.push_back(']');
      } else {
        FADU_RETURN_IF_ERROR(Value(message, *field, -1));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Map(const Message& message, const FieldDescriptor& field) {
    const Reflection* reflection = message.GetReflection();
    out_.push_back('{');
    for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
      if (i > 0) out_.push_back(',');
      const Message& entry = reflection->GetRepeatedMessage(message, &field, i);
      std::string key;
      std::swap(key, out_);
      FADU_RETURN_IF_ERROR(Value(entry, *entry.GetDescriptor()->map_key(), -1));
      std::swap(key, out_);
      if (key.empty() || key[0] != '"') key = absl::StrCat("\"", key, "\"");
      out_.append(key);
      out_.push_back(':');
      FADU_RETURN_IF_ERROR(Value(entry, *entry.GetDescriptor()->map_value(), -1));
    }
    out_.push_back('}');
    return absl::OkStatus();
  }

  // One value; `index` below 0: the field is singular.
  absl::Status Value(const Message& message, const FieldDescriptor& field, int index) {
    const Reflection* r = message.GetReflection();
    const bool one = index < 0;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        absl::StrAppend(&out_, one ? r->GetInt32(message, &field)
                                   : r->GetRepeatedInt32(message, &field, index));
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_UINT32:
        absl::StrAppend(&out_, one ? r->GetUInt32(message, &field)
                                   : r->GetRepeatedUInt32(message, &field, index));
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_INT64:
        absl::StrAppend(
            &out_, "\"",
            one ? r->GetInt64(message, &field) : r->GetRepeatedInt64(message, &field, index), "\"");
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_UINT64:
        absl::StrAppend(
            &out_, "\"",
            one ? r->GetUInt64(message, &field) : r->GetRepeatedUInt64(message, &field, index),
            "\"");
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_DOUBLE:
        Real(one ? r->GetDouble(message, &field) : r->GetRepeatedDouble(message, &field, index),
             17);
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_FLOAT:
        Real(static_cast<double>(one ? r->GetFloat(message, &field)
                                     : r->GetRepeatedFloat(message, &field, index)),
             9);
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_BOOL:
        out_.append((one ? r->GetBool(message, &field) : r->GetRepeatedBool(message, &field, index))
                        ? "true"
                        : "false");
        return absl::OkStatus();
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int number = one ? r->GetEnumValue(message, &field)
                               : r->GetRepeatedEnumValue(message, &field, index);
        const EnumValueDescriptor* value = field.enum_type()->FindValueByNumber(number);
        if (value == nullptr) {
          absl::StrAppend(&out_, number);
        } else {
          AppendJsonString(value->name(), out_);
        }
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_STRING: {
        std::string scratch;
        const std::string& text =
            one ? r->GetStringReference(message, &field, &scratch)
                : r->GetRepeatedStringReference(message, &field, index, &scratch);
        if (field.type() == FieldDescriptor::TYPE_BYTES) {
          absl::StrAppend(&out_, "\"", absl::Base64Escape(text), "\"");
        } else {
          AppendJsonString(text, out_);
        }
        return absl::OkStatus();
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Write(one ? r->GetMessage(message, &field)
                         : r->GetRepeatedMessage(message, &field, index));
    }
    return absl::OkStatus();
  }

  void Real(double value, int digits) {
    if (std::isnan(value)) {
      out_.append("\"NaN\"");
    } else if (std::isinf(value)) {
      out_.append(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    } else {
      char text[40];
      std::snprintf(text, sizeof text, "%.*g", digits, value);
      out_.append(text);
    }
  }

  std::string out_;
};

}  // namespace

void AppendJsonString(absl::string_view text, std::string& out) {
  static constexpr char kHexDigits[] = "0123456789abcdef";
  out.push_back('"');
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text[0]);
    if (c < 0x80) {
      switch (c) {
        case '"':
          out.append("\\\"");
          break;
        case '\\':
          out.append("\\\\");
          break;
        case '\n':
          out.append("\\n");
          break;
        case '\r':
          out.append("\\r");
          break;
        case '\t':
          out.append("\\t");
          break;
        default:
          if (c < 0x20 || c == '<' || c == '>' || c == '&' || c == 0x7f) {
            out.append("\\u00");
            out.push_back(kHexDigits[c >> 4]);
            out.push_back(kHexDigits[c & 0xF]);
          } else {
            out.push_back(static_cast<char>(c));
          }
      }
      text.remove_prefix(1);
      continue;
    }
    const size_t size = CharacterSize(text);
    absl::StrAppend(&out, size == 0 ? absl::string_view("\xEF\xBF\xBD") : text.substr(0, size));
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out.push_back('"');
}

absl::Status JsonToMessage(absl::string_view text, Message& message, const Descriptor* any_type,
                           absl::string_view path) {
  return Reader(text, any_type).Run(message, std::string(path));
}

absl::Status SetField(Message& message, absl::string_view path, absl::string_view text) {
  Message* inner = &message;
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  for (size_t i = 0; i < names.size(); ++i) {
    const FieldDescriptor* field = Reader::FindField(*inner->GetDescriptor(), names[i]);
    if (field == nullptr) return FieldInvalid(Shown(path), "没有这个字段");
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (i + 1 == names.size() && !is_message) {
      // In a URL everything is text, true and false too.
      const bool quoted = field->cpp_type() != FieldDescriptor::CPPTYPE_BOOL;
      return Reader::SetScalar(*inner, *field, text, quoted, Shown(path));
    }
    if (!is_message || field->is_repeated()) return FieldInvalid(Shown(path), "不能写在网址中");
    inner = inner->GetReflection()->MutableMessage(inner, field);
    if (i + 1 == names.size()) return Reader::TextToMessage(std::string(text), *inner, Shown(path));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> MessageToJson(const Message& message) {
  Writer writer;
  FADU_RETURN_IF_ERROR(writer.Write(message));
  return writer.Take();
}

}  // namespace fadu::gateway
