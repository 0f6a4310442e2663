#include "common/schema/rules.h"

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

bool IsNameText(absl::string_view text) {
  bool segment = false;
  for (const char c : text) {
    if (c == '/') {
      if (!segment) return false;
      segment = false;
      continue;
    }
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    if (!allowed) return false;
    segment = true;
  }
  return segment;
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
      return absl::StartsWith(text, "areas/") && IsAreaCode(text.substr(6)) ? ""
                                                                            : "应形如 areas/421221106";
    default:
      return "";
  }
}

class Checker {
 public:
  std::vector<FieldViolation> violations;

  void Check(const Message& message, const std::string& prefix, int depth) {
    if (depth > kMaxDepth) return Add(prefix, "嵌套过深");
    const auto* descriptor = message.GetDescriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor* field = descriptor->field(i);
      const std::string path =
          prefix.empty() ? field->name() : absl::StrCat(prefix, ".", field->name());
      const v1::Rules& rules = field->options().GetExtension(v1::rules);
      if (field->is_map()) continue;
      if (field->is_repeated()) {
        CheckRepeated(message, field, rules, path, depth);
      } else {
        CheckSingular(message, field, rules, path, depth);
      }
    }
  }

 private:
  void Add(const std::string& field, absl::string_view description) {
    if (violations.size() < kMaxViolations) violations.push_back({field, std::string(description)});
  }

  static bool IsOpaque(const FieldDescriptor* field) {
    return absl::StartsWith(field->message_type()->full_name(), "google.protobuf.");
  }

  void CheckRepeated(const Message& message, const FieldDescriptor* field, const v1::Rules& rules,
                     const std::string& path, int depth) {
    const Reflection* reflection = message.GetReflection();
    const int size = reflection->FieldSize(message, field);
    if (rules.required() && size == 0) Add(path, "至少填写一项");
    if (rules.max_items() > 0 && size > static_cast<int>(rules.max_items())) {
      return Add(path, absl::StrCat("最多 ", rules.max_items(), " 项，现有 ", size, " 项"));
    }
    for (int i = 0; i < size; ++i) {
      const std::string item = absl::StrCat(path, "[", i, "]");
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_MESSAGE:
          if (!IsOpaque(field)) {
            Check(reflection->GetRepeatedMessage(message, field, i), item, depth + 1);
          }
          break;
        case FieldDescriptor::CPPTYPE_STRING:
          CheckText(field, rules, reflection->GetRepeatedString(message, field, i), item);
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
        default:
          break;
      }
    }
  }

  void CheckSingular(const Message& message, const FieldDescriptor* field, const v1::Rules& rules,
                     const std::string& path, int depth) {
    const Reflection* reflection = message.GetReflection();
    const bool present = reflection->HasField(message, field);
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (!present) {
          if (rules.required()) Add(path, "不能为空");
        } else if (!IsOpaque(field)) {
          Check(reflection->GetMessage(message, field), path, depth + 1);
        }
        return;
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string text = reflection->GetString(message, field);
        if (text.empty()) {
          if (rules.required()) Add(path, "不能为空");
          return;
        }
        return CheckText(field, rules, text, path);
      }
      case FieldDescriptor::CPPTYPE_ENUM:
        return CheckEnum(field, reflection->GetEnumValue(message, field), rules.required(), path);
      case FieldDescriptor::CPPTYPE_INT32:
        return CheckRequiredNumber(rules, reflection->GetInt32(message, field), path);
      case FieldDescriptor::CPPTYPE_INT64:
        return CheckRequiredNumber(rules, reflection->GetInt64(message, field), path);
      case FieldDescriptor::CPPTYPE_UINT32:
        return CheckRequiredNumber(rules, reflection->GetUInt32(message, field), path);
      default:
        return;
    }
  }

  void CheckText(const FieldDescriptor* field, const v1::Rules& rules, const std::string& text,
                 const std::string& path) {
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

  void CheckEnum(const FieldDescriptor* field, int number, bool required, const std::string& path) {
    if (number == 0) {
      if (required) Add(path, "请选择一项");
      return;
    }
    if (field->enum_type()->FindValueByNumber(number) == nullptr) {
      Add(path, absl::StrCat("没有编号为 ", number, " 的选项"));
    }
  }

  void CheckRequiredNumber(const v1::Rules& rules, int64_t number, const std::string& path) {
    if (number == 0 && rules.required()) return Add(path, "不能为空");
    CheckNumber(rules, number, path);
  }

  void CheckNumber(const v1::Rules& rules, int64_t number, const std::string& path) {
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
  checker.Check(message, "", 0);
  return std::move(checker.violations);
}

absl::Status CheckRules(const Message& message, absl::string_view prefix) {
  Checker checker;
  checker.Check(message, std::string(prefix), 0);
  if (checker.violations.empty()) return absl::OkStatus();
  const FieldViolation first = checker.violations.front();
  return Fail(absl::StatusCode::kInvalidArgument, v1::REASON_FIELD_INVALID,
              absl::StrCat("a field breaks its rules: ", first.field),
              {{"field", first.field}, {"problem", first.description}},
              std::move(checker.violations));
}

}  // namespace fadu
