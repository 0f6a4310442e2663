#include "services/assessment/domain/rubric_diff.h"

#include <algorithm>
#include <set>
#include <utility>

#include <google/protobuf/message.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/base/points.h"
#include "common/schema/record_type.h"
#include "common/schema/rules.h"

namespace fadu::assessment {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Kind = RubricChange::Kind;

bool IsDecimal(const FieldDescriptor& field) { return absl::EndsWith(field.name(), "_e4"); }

// per_missing_e4 → per_missing, target_percent_e4 → target.
std::string KeyOf(const FieldDescriptor& field) {
  absl::string_view name = field.name();
  if (absl::ConsumeSuffix(&name, "_e4") && name != "percent") {
    absl::ConsumeSuffix(&name, "_percent");
  }
  return std::string(name);
}

std::string TextOf(const Message& message);

std::string ScalarText(const Message& message, const FieldDescriptor& field, int index) {
  const auto* reflection = message.GetReflection();
  const bool many = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64: {
      const int64_t value = many ? reflection->GetRepeatedInt64(message, &field, index)
                                 : reflection->GetInt64(message, &field);
      return IsDecimal(field) ? Points::FromUnits(value).ToString() : absl::StrCat(value);
    }
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(many ? reflection->GetRepeatedInt32(message, &field, index)
                               : reflection->GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(message, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::AsciiStrToLower(
          EnumCode(many ? reflection->GetRepeatedEnum(message, &field, index)
                        : reflection->GetEnum(message, &field)));
    case FieldDescriptor::CPPTYPE_STRING:
      return many ? reflection->GetRepeatedString(message, &field, index)
                  : reflection->GetString(message, &field);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return TextOf(many ? reflection->GetRepeatedMessage(message, &field, index)
                         : reflection->GetMessage(message, &field));
    default:
      return "";
  }
}

bool IsSaid(const Message& message, const FieldDescriptor& field) {
  const auto* reflection = message.GetReflection();
  return field.is_repeated() ? reflection->FieldSize(message, &field) > 0
                             : reflection->HasField(message, &field);
}

std::string FieldText(const Message& message, const FieldDescriptor& field) {
  if (!IsSaid(message, field)) return "";
  if (!field.is_repeated()) return ScalarText(message, field, -1);
  std::vector<std::string> items;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    items.push_back(ScalarText(message, field, i));
  }
  return absl::StrCat("[", absl::StrJoin(items, ", "), "]");
}

// {measure: count(disputes), per: 3}
std::string TextOf(const Message& message) {
  std::vector<std::string> parts;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (!IsSaid(message, field)) continue;
    parts.push_back(absl::StrCat(KeyOf(field), ": ", FieldText(message, field)));
  }
  return absl::StrCat("{", absl::StrJoin(parts, ", "), "}");
}

// The field by which members of a list are told apart; null when it has none.
const FieldDescriptor* IdentityOf(const google::protobuf::Descriptor& type) {
  for (const char* name : {"id", "key", "name", "class"}) {
    const FieldDescriptor* field = type.FindFieldByName(name);
    if (field != nullptr && field->cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
        !field->is_repeated()) {
      return field;
    }
  }
  return nullptr;
}

class Differ {
 public:
  std::vector<RubricChange> Run(const v1::Rubric& before, const v1::Rubric& after) {
    Fields(before, after, "", {"lines", "total_e4"});
    for (const v1::Line& line : before.lines()) {
      at_.line = line.id();
      const v1::Line* same = LineOf(after, line.id());
      if (same == nullptr) {
        Add(Kind::kRemoved, "", TextOf(line), "");
      } else {
        Lines(line, *same);
      }
    }
    for (const v1::Line& line : after.lines()) {
      at_.line = line.id();
      if (LineOf(before, line.id()) == nullptr) Add(Kind::kAdded, "", "", TextOf(line));
    }
    return std::move(changes_);
  }

 private:
  static const v1::Line* LineOf(const v1::Rubric& rubric, const std::string& id) {
    for (const v1::Line& line : rubric.lines()) {
      if (line.id() == id) return &line;
    }
    return nullptr;
  }

  void Add(Kind kind, const std::string& key, std::string before, std::string after) {
    RubricChange change = at_;
    change.kind = kind;
    change.key = key;
    change.before = std::move(before);
    change.after = std::move(after);
    changes_.push_back(std::move(change));
  }

  void Lines(const v1::Line& before, const v1::Line& after) {
    Fields(before, after, "", {"clauses"});
    for (int i = 0; i < std::max(before.clauses_size(), after.clauses_size()); ++i) {
      at_.clause = i;
      if (i >= after.clauses_size()) {
        Add(Kind::kRemoved, "", TextOf(before.clauses(i)), "");
      } else if (i >= before.clauses_size()) {
        Add(Kind::kAdded, "", "", TextOf(after.clauses(i)));
      } else if (before.clauses(i).form_case() != after.clauses(i).form_case()) {
        // Another form has other keys: the clause is told as a whole.
        Add(Kind::kChanged, "", TextOf(before.clauses(i)), TextOf(after.clauses(i)));
      } else {
        Fields(before.clauses(i), after.clauses(i), "", {});
      }
    }
    at_.clause = -1;
  }

  void Fields(const Message& before, const Message& after, const std::string& prefix,
              const std::set<std::string>& but) {
    for (int i = 0; i < before.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& field = *before.GetDescriptor()->field(i);
      if (but.count(field.name()) > 0) continue;
      // A form's keys stand beside the clause's in YAML.
      const bool beside = field.real_containing_oneof() != nullptr;
      const std::string key =
          prefix.empty() ? KeyOf(field) : absl::StrCat(prefix, ".", KeyOf(field));
      Field(before, after, field, beside ? prefix : key);
    }
  }

  void Field(const Message& before, const Message& after, const FieldDescriptor& field,
             const std::string& key) {
    const bool was = IsSaid(before, field);
    const bool is = IsSaid(after, field);
    if (!was && !is) return;
    const bool message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (message && field.is_repeated()) return List(before, after, field, key);
    if (message && was && is) {
      return Fields(before.GetReflection()->GetMessage(before, &field),
                    after.GetReflection()->GetMessage(after, &field), key, {});
    }
    const std::string old_text = FieldText(before, field);
    const std::string new_text = FieldText(after, field);
    if (old_text == new_text && was == is) return;
    Add(!was ? Kind::kAdded : !is ? Kind::kRemoved : Kind::kChanged, key, old_text, new_text);
  }

  // Each member with what tells it apart.
  using Members = std::vector<std::pair<std::string, const Message*>>;
  static Members MembersOf(const Message& message, const FieldDescriptor& field) {
    Members members;
    const FieldDescriptor* identity = IdentityOf(*field.message_type());
    for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
      const Message& member = message.GetReflection()->GetRepeatedMessage(message, &field, i);
      members.emplace_back(identity == nullptr
                               ? absl::StrCat(i)
                               : member.GetReflection()->GetString(member, identity),
                           &member);
    }
    return members;
  }

  static const Message* MemberOf(const Members& members, const std::string& name) {
    for (const auto& [known, member] : members) {
      if (known == name) return member;
    }
    return nullptr;
  }

  void List(const Message& before, const Message& after, const FieldDescriptor& field,
            const std::string& key) {
    const Members old_members = MembersOf(before, field);
    const Members new_members = MembersOf(after, field);
    for (const auto& [name, member] : old_members) {
      const std::string at = absl::StrCat(key, "[", name, "]");
      const Message* same = MemberOf(new_members, name);
      if (same == nullptr) {
        Add(Kind::kRemoved, at, TextOf(*member), "");
      } else {
        Fields(*member, *same, at, {});
      }
    }
    for (const auto& [name, member] : new_members) {
      if (MemberOf(old_members, name) != nullptr) continue;
      Add(Kind::kAdded, absl::StrCat(key, "[", name, "]"), "", TextOf(*member));
    }
  }

  RubricChange at_;
  std::vector<RubricChange> changes_;
};

}  // namespace

std::vector<RubricChange> DiffRubrics(const v1::Rubric& before, const v1::Rubric& after) {
  return Differ().Run(before, after);
}

}  // namespace fadu::assessment
