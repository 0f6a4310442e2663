#include "common/schema/rules.h"

#include <algorithm>
#include <limits>
#include <map>

#include <google/protobuf/descriptor.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/id.h"
#include "common/base/points.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu {
namespace {

namespace v1 = ::fadu::common::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kMaxViolations = 100;
constexpr int kMaxDepth = 32;
constexpr size_t kMaxNameBytes = 200;

// Code points of valid UTF-8 without U+0000; -1 when it is not.
int64_t CodePoints(absl::string_view text) {
  int64_t count = 0;
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    size_t length = 0;
    char32_t code = 0;
    if (first == 0) return -1;
    if (first < 0x80) {
      length = 1;
      code = first;
    } else if (first >= 0xC2 && first <= 0xDF) {
      length = 2;
      code = first & 0x1F;
    } else if (first >= 0xE0 && first <= 0xEF) {
      length = 3;
      code = first & 0x0F;
    } else if (first >= 0xF0 && first <= 0xF4) {
      length = 4;
      code = first & 0x07;
    } else {
      return -1;
    }
    if (i + length > text.size()) return -1;
    for (size_t j = 1; j < length; ++j) {
      const auto next = static_cast<unsigned char>(text[i + j]);
      if ((next & 0xC0) != 0x80) return -1;
      code = (code << 6) | (next & 0x3F);
    }
    const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    if (overlong || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) return -1;
    i += length;
    ++count;
  }
  return count;
}

// Segments of letters, digits, `-` and `_` between slashes, each beginning with a lower-case
// letter or a digit: collections are lowerCamelCase, ids are codes or UUIDs.
bool IsNameText(absl::string_view text) {
  if (text.size() > kMaxNameBytes) return false;
  bool starts = true;
  for (const char c : text) {
    if (c == '/') {
      if (starts) return false;
      starts = true;
      continue;
    }
    const bool first = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool later = (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    if (!first && (starts || !later)) return false;
    starts = false;
  }
  return !starts;
}

// Numbers above the greatest int64 count as it: `min` and `max` are int64 too.
int64_t Clamped(uint64_t number) {
  return static_cast<int64_t>(
      std::min<uint64_t>(number, static_cast<uint64_t>(std::numeric_limits<int64_t>::max())));
}

// What is wrong with a non-empty string's form; empty when nothing is.
std::string FormProblem(v1::Format format, absl::string_view text) {
  switch (format) {
    case v1::FORMAT_UUID:
      return Uuid::Parse(text).ok() ? "" : "应为小写 UUID";
    case v1::FORMAT_DATE:
      return ParseDay(text).ok() ? "" : "应为存在的日期，形如 2024-03-15";
    case v1::FORMAT_AREA_CODE:
      return IsAreaCode(text) ? "" : "应为 2、4、6、9 或 12 位数字的区划代码";
    case v1::FORMAT_NAME:
      return IsNameText(text) ? "" : "应为资源名称，形如 counties/421221/disputes/{uuid}";
    case v1::FORMAT_DECIMAL:
      return Points::Parse(text).ok() ? "" : "应为最多四位小数的数";
    case v1::FORMAT_AREA_NAME:
      return absl::StartsWith(text, "areas/") && IsAreaCode(text.substr(6))
                 ? ""
                 : "应形如 areas/421221106";
    default:
      return "";
  }
}

// Where in a message: `services["scoring"].listen`. Spelled out only when something is wrong there.
struct Path {
  const Path* parent = nullptr;
  absl::string_view name;   // of a field, or of the whole when there is no parent; or
  absl::string_view entry;  // of a map, quoted where it is text; or
  int item = -1;            // of a repeated field

  std::string Text() const {
    if (item >= 0) return absl::StrCat(parent->Text(), "[", item, "]");
    if (!entry.empty()) return absl::StrCat(parent->Text(), "[", entry, "]");
    const std::string before = parent == nullptr ? "" : parent->Text();
    return before.empty() ? std::string(name) : absl::StrCat(before, ".", name);
  }
};

class Checker {
 public:
  std::vector<FieldViolation> violations;

  void Check(const Message& message, const Path& prefix, int depth) {
    if (depth > kMaxDepth) return Add(prefix, "嵌套过深（最多 32 层）");
    const auto* descriptor = message.GetDescriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor* field = descriptor->field(i);
      const Path path{&prefix, field->name(), "", -1};
      const v1::Rules& rules = field->options().GetExtension(v1::rules);
      if (violations.size() >= kMaxViolations) return;
      if (field->is_map()) {
        CheckMap(message, field, rules, path, depth);
      } else if (field->is_repeated()) {
        CheckRepeated(message, field, rules, path, depth);
      } else {
        CheckSingular(message, field, rules, path, depth);
      }
    }
  }

 private:
  void Add(const Path& path, absl::string_view description) {
    if (violations.size() < kMaxViolations) {
      violations.push_back({path.Text(), std::string(description)});
    }
  }

  static bool IsOpaque(const FieldDescriptor* field) {
    return absl::StartsWith(field->message_type()->full_name(), "google.protobuf.");
  }

  // Says whether the number of items is right; their content is not looked at when there are too
  // many.
  bool CheckSize(const v1::Rules& rules, int size, const Path& path) {
    if (rules.required() && size == 0) Add(path, "至少填写一项");
    if (rules.max_items() == 0 || static_cast<uint32_t>(size) <= rules.max_items()) return true;
    Add(path, absl::StrCat("最多 ", rules.max_items(), " 项，现有 ", size, " 项"));
    return false;
  }

  // Entries in the order of their keys, as the message has none of its own. An entry's path is
  // services["scoring"].listen.
  void CheckMap(const Message& message, const FieldDescriptor* field, const v1::Rules& rules,
                const Path& path, int depth) {
    const Reflection* reflection = message.GetReflection();
    const int size = reflection->FieldSize(message, field);
    if (!CheckSize(rules, size, path)) return;
    const FieldDescriptor* key = field->message_type()->map_key();
    const FieldDescriptor* value = field->message_type()->map_value();
    // Only text keys are in use; an entry of any other key goes by its place.
    std::map<std::string, const Message*> entries;
    for (int i = 0; i < size; ++i) {
      const Message& entry = reflection->GetRepeatedMessage(message, field, i);
      std::string place = absl::StrCat(i);
      if (key->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        const std::string text = entry.GetReflection()->GetString(entry, key);
        if (CodePoints(text) < 0) {
          Add(path, "含有无法识别的字符（须为 UTF-8，且不含空字符）");
          continue;
        }
        place = absl::StrCat("\"", text, "\"");
      }
      entries[place] = &entry;
    }
    for (const auto& [place, entry] : entries) {
      CheckSingular(*entry, value, rules, Path{&path, "", place, -1}, depth);
    }
  }

  void CheckRepeated(const Message& message, const FieldDescriptor* field, const v1::Rules& rules,
                     const Path& path, int depth) {
    const Reflection* reflection = message.GetReflection();
    const int size = reflection->FieldSize(message, field);
    if (!CheckSize(rules, size, path)) return;
    for (int i = 0; i < size && violations.size() < kMaxViolations; ++i) {
      const Path item{&path, "", "", i};
      std::string scratch;
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_MESSAGE:
          if (!IsOpaque(field)) {
            Check(reflection->GetRepeatedMessage(message, field, i), item, depth + 1);
          }
          break;
        case FieldDescriptor::CPPTYPE_STRING:
          CheckText(field, rules,
                    reflection->GetRepeatedStringReference(message, field, i, &scratch), item);
          break;
        case FieldDescriptor::CPPTYPE_ENUM:
          CheckEnum(field, reflection->GetRepeatedEnumValue(message, field, i), /*required=*/true,
                    item);
          break;
        case FieldDescriptor::CPPTYPE_INT32:
          CheckNumber(rules, reflection->GetRepeatedInt32(message, field, i), item);
          break;
        case FieldDescriptor::CPPTYPE_INT64:
          CheckNumber(rules, reflection->GetRepeatedInt64(message, field, i), item);
          break;
        case FieldDescriptor::CPPTYPE_UINT32:
          CheckNumber(rules, reflection->GetRepeatedUInt32(message, field, i), item);
          break;
        case FieldDescriptor::CPPTYPE_UINT64:
          CheckNumber(rules, Clamped(reflection->GetRepeatedUInt64(message, field, i)), item);
          break;
        default:
          break;
      }
    }
  }

  void CheckSingular(const Message& message, const FieldDescriptor* field, const v1::Rules& rules,
                     const Path& path, int depth) {
    const Reflection* reflection = message.GetReflection();
    const bool present = reflection->HasField(message, field);
    // A field that can be absent (optional, oneof) and is absent has no value to be wrong.
    if (!present && field->has_presence()) {
      if (rules.required()) Add(path, "不能为空");
      return;
    }
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (!IsOpaque(field)) Check(reflection->GetMessage(message, field), path, depth + 1);
        return;
      case FieldDescriptor::CPPTYPE_STRING: {
        std::string scratch;
        const std::string& text = reflection->GetStringReference(message, field, &scratch);
        if (text.empty()) {
          if (rules.required()) Add(path, "不能为空");
          return;
        }
        return CheckText(field, rules, text, path);
      }
      case FieldDescriptor::CPPTYPE_ENUM:
        return CheckEnum(field, reflection->GetEnumValue(message, field), rules.required(), path);
      case FieldDescriptor::CPPTYPE_INT32:
        return CheckRequiredNumber(field, rules, reflection->GetInt32(message, field), path);
      case FieldDescriptor::CPPTYPE_INT64:
        return CheckRequiredNumber(field, rules, reflection->GetInt64(message, field), path);
      case FieldDescriptor::CPPTYPE_UINT32:
        return CheckRequiredNumber(field, rules, reflection->GetUInt32(message, field), path);
      case FieldDescriptor::CPPTYPE_UINT64:
        return CheckRequiredNumber(field, rules, Clamped(reflection->GetUInt64(message, field)),
                                   path);
      default:
        if (rules.required() && !present) Add(path, "不能为空");
        return;
    }
  }

  void CheckText(const FieldDescriptor* field, const v1::Rules& rules, const std::string& text,
                 const Path& path) {
    if (field->type() == FieldDescriptor::TYPE_BYTES) {
      if (rules.max_len() > 0 && text.size() > rules.max_len()) {
        Add(path, absl::StrCat("最多 ", rules.max_len(), " 字节"));
      }
      return;
    }
    const int64_t length = CodePoints(text);
    if (length < 0) return Add(path, "含有无法识别的字符（须为 UTF-8，且不含空字符）");
    if (rules.max_len() > 0 && length > static_cast<int64_t>(rules.max_len())) {
      return Add(path, absl::StrCat("最多 ", rules.max_len(), " 个字，现有 ", length, " 个字"));
    }
    const std::string problem = FormProblem(rules.format(), text);
    if (!problem.empty()) Add(path, problem);
  }

  void CheckEnum(const FieldDescriptor* field, int number, bool required, const Path& path) {
    if (number == 0) {
      if (required) Add(path, "请选择一项");
      return;
    }
    if (field->enum_type()->FindValueByNumber(number) == nullptr) {
      Add(path, absl::StrCat("没有编号为 ", number, " 的选项"));
    }
  }

  // Zero is missing, but where absence can be told from it.
  void CheckRequiredNumber(const FieldDescriptor* field, const v1::Rules& rules, int64_t number,
                           const Path& path) {
    if (number == 0 && rules.required() && !field->has_presence()) return Add(path, "不能为空");
    CheckNumber(rules, number, path);
  }

  void CheckNumber(const v1::Rules& rules, int64_t number, const Path& path) {
    if (rules.has_min() && number < rules.min()) {
      Add(path, absl::StrCat("不能小于 ", rules.min()));
    } else if (rules.has_max() && number > rules.max()) {
      Add(path, absl::StrCat("不能大于 ", rules.max()));
    }
  }
};

}  // namespace

std::vector<FieldViolation> FindViolations(const Message& message) {
  Checker checker;
  checker.Check(message, Path(), 0);
  return std::move(checker.violations);
}

absl::Status CheckRules(const Message& message, absl::string_view prefix) {
  Checker checker;
  checker.Check(message, Path{nullptr, prefix, "", -1}, 0);
  if (checker.violations.empty()) return absl::OkStatus();
  const FieldViolation first = checker.violations.front();
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_FIELD_INVALID,
              absl::StrCat("a field breaks its rules: ", first.field),
              {{"field", first.field}, {"problem", first.description}},
              std::move(checker.violations));
}

}  // namespace fadu
