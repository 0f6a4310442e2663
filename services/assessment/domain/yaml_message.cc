#include "services/assessment/domain/yaml_message.h"

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/points.h"
#include "common/schema/record_type.h"
#include "fadu/common/v1/options.pb.h"

namespace fadu::assessment {
namespace {

namespace common = ::fadu::common::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Points of a line: what 500 of them add up to stays far inside 64 bits.
constexpr int64_t kMaxPoints = 1000000 * Points::kScale;
// What a measure is compared with: money, people.
constexpr int64_t kMaxValue = std::numeric_limits<int64_t>::max() / 4;
constexpr size_t kMaxItems = 500;

struct ComparisonKey {
  const char* name;
  v1::Comparison value;
};
constexpr ComparisonKey kComparisons[] = {{"at_least", v1::COMPARISON_AT_LEAST},
                                          {"more_than", v1::COMPARISON_MORE_THAN},
                                          {"at_most", v1::COMPARISON_AT_MOST},
                                          {"less_than", v1::COMPARISON_LESS_THAN},
                                          {"equal", v1::COMPARISON_EQUAL}};

// How a field is written where it is not by its own name.
enum class Writing { kPlain, kComparison, kNowhere, kSide, kGate };

Writing WritingOf(const FieldDescriptor& field) {
  const bool compares = field.containing_type()->FindFieldByName("comparison") != nullptr;
  if (field.name() == "comparison") return Writing::kComparison;
  if (compares && field.name() == "threshold_e4") return Writing::kNowhere;
  if (field.full_name() == "fadu.assessment.v1.RateStep.above") return Writing::kSide;
  if (field.full_name() == "fadu.assessment.v1.Gate.effect") return Writing::kGate;
  return Writing::kPlain;
}

bool IsDecimal(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_INT64 && absl::EndsWith(field.name(), "_e4");
}

// Decimals that measures are compared with: a percent sign may follow them.
bool IsValue(const FieldDescriptor& field) {
  for (const char* name :
       {"threshold_e4", "value_e4", "from_e4", "over_e4", "to_e4", "under_e4", "target_e4",
        "floor_e4", "quota_e4", "step_e4", "weight_e4", "score_e4", "base_e4", "amounts_e4"}) {
    if (field.name() == name) return true;
  }
  return absl::EndsWith(field.name(), "percent_e4");
}

std::string NameOf(const FieldDescriptor& field) {
  if (WritingOf(field) == Writing::kSide) return "side";
  if (WritingOf(field) == Writing::kGate) return "form";
  absl::string_view name = field.name();
  if (IsDecimal(field)) {
    absl::ConsumeSuffix(&name, "_e4");
    if (name != "percent") absl::ConsumeSuffix(&name, "_percent");
  }
  return std::string(name);
}

std::vector<YamlChoice> ChoicesOf(const FieldDescriptor& field) {
  if (WritingOf(field) == Writing::kGate) {
    return {{"G02", v1::GATE_EFFECT_UNQUALIFIED},
            {"G03", v1::GATE_EFFECT_NO_AWARD},
            {"G04", v1::GATE_EFFECT_ENTRY}};
  }
  std::vector<YamlChoice> choices;
  for (int i = 1; i < field.enum_type()->value_count(); ++i) {
    const auto* value = field.enum_type()->value(i);
    choices.push_back({absl::AsciiStrToLower(EnumCode(value)), value->number()});
  }
  return choices;
}

void ReadComparison(const YamlSection& section, const FieldDescriptor& field, Message& message) {
  const auto* reflection = message.GetReflection();
  const FieldDescriptor* threshold = field.containing_type()->FindFieldByName("threshold_e4");
  int given = 0;
  for (const ComparisonKey& comparison : kComparisons) {
    if (!section.Has(comparison.name)) continue;
    if (++given > 1) {
      section.Error(comparison.name, "KEY_DUPLICATE",
                    "at_least、more_than、at_most、less_than、equal 只能写一个");
      continue;
    }
    const auto value = section.Decimal(comparison.name, true, -kMaxValue, kMaxValue, true);
    reflection->SetEnumValue(&message, &field, comparison.value);
    reflection->SetInt64(&message, threshold, value.value_or(0));
  }
  // A check of one measure says how it is compared; elsewhere "at least one" goes without saying.
  const bool needed =
      field.options().GetExtension(common::rules).required() ||
      (field.containing_type() == v1::Check::descriptor() && section.Has("measure"));
  if (given == 0 && needed) {
    section.Error("at_least", "KEY_MISSING",
                  "缺少比较条件：at_least（不少于）、more_than（多于）、at_most（不多于）、"
                  "less_than（少于）、equal（等于）之一");
  }
}

void ReadList(const YamlSection& section, const FieldDescriptor& field, const std::string& key,
              Message& message) {
  const common::Rules& rules = field.options().GetExtension(common::rules);
  const std::vector<YAML::Node> items =
      section.List(key, rules.required(), rules.max_items() > 0 ? rules.max_items() : kMaxItems);
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string path = ItemPath(section.PathOf(key), i);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      ReadMessage(section.report(), items[i], path,
                  *message.GetReflection()->AddMessage(&message, &field));
      continue;
    }
    section.report().Put(path, items[i].Mark());
    if (!items[i].IsScalar()) {
      section.report().Error(items[i].Mark(), path, "TYPE_WRONG",
                             absl::StrCat(key, " 的每项应为一个值"));
      continue;
    }
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
      const absl::StatusOr<Points> value =
          Points::Parse(absl::StripAsciiWhitespace(items[i].Scalar()));
      const int64_t bound = IsValue(field) ? kMaxValue : kMaxPoints;
      if (!value.ok() || value->units() < 0 || value->units() > bound) {
        section.report().Error(
            items[i].Mark(), path, "VALUE_INVALID",
            absl::StrCat(key, " 的每项应为不小于 0 的数字，现为 ", QuotedText(items[i].Scalar())));
        continue;
      }
      message.GetReflection()->AddInt64(&message, &field, value->units());
      continue;
    }
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      const std::string name = items[i].Scalar();
      const auto* value = FindEnumCode(field.enum_type(), absl::AsciiStrToUpper(name));
      if (value == nullptr) {
        section.report().Error(items[i].Mark(), path, "VALUE_INVALID",
                               absl::StrCat(key, " 不能是 ", QuotedText(name)));
        continue;
      }
      message.GetReflection()->AddEnum(&message, &field, value);
      continue;
    }
    message.GetReflection()->AddString(&message, &field,
                                       std::string(absl::StripAsciiWhitespace(items[i].Scalar())));
  }
}

void ReadNumber(const YamlSection& section, const FieldDescriptor& field, const std::string& key,
                Message& message) {
  const common::Rules& rules = field.options().GetExtension(common::rules);
  const auto* reflection = message.GetReflection();
  absl::optional<int64_t> value;
  if (IsDecimal(field)) {
    const int64_t bound = IsValue(field) ? kMaxValue : kMaxPoints;
    value = section.Decimal(key, rules.required(), rules.has_min() ? rules.min() : -bound,
                            rules.has_max() ? rules.max() : bound, IsValue(field));
  } else {
    value = section.Whole(key, rules.required(), rules.has_min() ? rules.min() : 0,
                          rules.has_max() ? rules.max() : 1000000);
  }
  if (!value.has_value()) return;
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
    reflection->SetInt64(&message, &field, *value);
  } else {
    reflection->SetInt32(&message, &field, static_cast<int32_t>(*value));
  }
}

void ReadField(const YamlSection& section, const FieldDescriptor& field, Message& message) {
  const auto* reflection = message.GetReflection();
  const bool required = field.options().GetExtension(common::rules).required();
  const std::string key = NameOf(field);
  if (WritingOf(field) == Writing::kComparison) return ReadComparison(section, field, message);
  if (WritingOf(field) == Writing::kNowhere) return;
  if (field.is_repeated()) return ReadList(section, field, key, message);
  if (!section.Has(key) && !required) return;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const YAML::Node* node = section.Find(key, required);
      if (node == nullptr) return;
      return ReadMessage(section.report(), *node, section.PathOf(key),
                         *reflection->MutableMessage(&message, &field));
    }
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->SetString(&message, &field, section.Text(key, required));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection->SetEnumValue(&message, &field,
                                      section.OneOf(key, required, ChoicesOf(field), 0));
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool side = WritingOf(field) == Writing::kSide;
      const std::vector<YamlChoice> choices =
          side ? std::vector<YamlChoice>{{"below", 0}, {"above", 1}}
               : std::vector<YamlChoice>{{"false", 0}, {"true", 1}};
      return reflection->SetBool(&message, &field, section.OneOf(key, required, choices, 0) != 0);
    }
    default:
      return ReadNumber(section, field, key, message);
  }
}

bool IsPlainField(const FieldDescriptor& field) { return field.real_containing_oneof() == nullptr; }

}  // namespace

std::vector<YamlKey> KeysOf(const Descriptor& descriptor, absl::string_view prefix) {
  std::vector<YamlKey> keys;
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (!IsPlainField(field) || WritingOf(field) == Writing::kNowhere) continue;
    if (WritingOf(field) == Writing::kComparison) {
      for (const ComparisonKey& comparison : kComparisons) {
        keys.push_back({comparison.name, JoinPath(prefix, "threshold_e4")});
      }
      continue;
    }
    keys.push_back({NameOf(field), JoinPath(prefix, field.name())});
  }
  return keys;
}

void ReadFields(const YamlSection& section, Message& message, const std::set<std::string>& but) {
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (IsPlainField(field) && but.count(field.name()) == 0) ReadField(section, field, message);
  }
}

void ReadGiven(YamlReport& report, const YAML::Node& node, const std::string& path,
               Message& message) {
  const YamlSection section(report, node, path, KeysOf(*message.GetDescriptor(), ""));
  if (!section.valid()) return;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (section.Has(NameOf(field))) ReadField(section, field, message);
  }
}

void ReadMessage(YamlReport& report, const YAML::Node& node, const std::string& path,
                 Message& message) {
  const YamlSection section(report, node, path, KeysOf(*message.GetDescriptor(), ""));
  if (section.valid()) ReadFields(section, message);
}

}  // namespace fadu::assessment
