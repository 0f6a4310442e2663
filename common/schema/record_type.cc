#include "common/schema/record_type.h"

#include <algorithm>
#include <limits>
#include <set>

#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status.h"
#include "common/schema/filter.h"

namespace fadu {
namespace {

namespace v1 = ::fadu::common::v1;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool IsSealed(v1::FieldClass field_class) {
  return field_class == v1::FIELD_CLASS_PERSONAL || field_class == v1::FIELD_CLASS_SENSITIVE;
}

// Sets what a scalar field is compared as; false when it is not comparable.
bool KindOf(const FieldDescriptor* field, ValueKind* kind) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      if (field->type() == FieldDescriptor::TYPE_BYTES) return false;
      *kind = field->options().GetExtension(v1::rules).format() == v1::FORMAT_DATE
                  ? ValueKind::kDate
                  : ValueKind::kText;
      return true;
    case FieldDescriptor::CPPTYPE_ENUM:
      *kind = ValueKind::kCode;
      return true;
    case FieldDescriptor::CPPTYPE_BOOL:
      *kind = ValueKind::kBool;
      return true;
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      *kind = ValueKind::kInt;
      return true;
    case FieldDescriptor::CPPTYPE_INT64:
      *kind = absl::EndsWith(field->name(), "_e4") ? ValueKind::kPoints : ValueKind::kInt;
      return true;
    default:
      return false;
  }
}

absl::Status Broken(const Descriptor* descriptor, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(descriptor->full_name(), ": ", why));
}

// Start of each code point, and the end. Bytes that continue nothing count one by one, so that
// what is not UTF-8 shows no more than what is.
std::vector<size_t> Boundaries(absl::string_view text) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool continues = (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
    if (!continues || starts.empty() || i - starts.back() >= 4) starts.push_back(i);
  }
  starts.push_back(text.size());
  return starts;
}

// Keeps `head` and `tail` code points; none when the text is too short to hide some.
std::string KeepEnds(const std::string& text, size_t head, size_t tail) {
  const std::vector<size_t> starts = Boundaries(text);
  const size_t length = starts.size() - 1;
  if (length <= head + tail) return "***";
  std::string masked = text.substr(0, starts[head]);
  masked.append(length - head - tail, '*');
  return masked + text.substr(starts[length - tail]);
}

std::string Masked(v1::Mask mask, const std::string& text) {
  if (text.empty()) return text;
  switch (mask) {
    case v1::MASK_NAME:
      return KeepEnds(text, 1, 0);
    case v1::MASK_PHONE:
    case v1::MASK_ID_NUMBER:
      return KeepEnds(text, 3, 4);
    default:
      return "***";
  }
}

void MaskStrings(Message& message) {
  const Reflection* reflection = message.GetReflection();
  // A field of a newer contract may be anything, also a name.
  reflection->MutableUnknownFields(&message)->Clear();
  std::vector<const FieldDescriptor*> set;
  reflection->ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    const v1::Mask mask = field->options().GetExtension(v1::field).mask();
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (field->is_repeated()) {
        for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
          MaskStrings(*reflection->MutableRepeatedMessage(&message, field, i));
        }
      } else {
        MaskStrings(*reflection->MutableMessage(&message, field));
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      if (field->is_repeated()) {
        for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
          reflection->SetRepeatedString(
              &message, field, i, Masked(mask, reflection->GetRepeatedString(message, field, i)));
        }
      } else {
        reflection->SetString(&message, field, Masked(mask, reflection->GetString(message, field)));
      }
    }
  }
}

// No class above internal beneath a top-level field. `seen` ends messages that hold each other.
absl::Status CheckNested(const Descriptor* root, const Descriptor* descriptor,
                         std::set<const Descriptor*>& seen) {
  if (!seen.insert(descriptor).second) return absl::OkStatus();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (IsSealed(field->options().GetExtension(v1::field).field_class())) {
      return Broken(root, absl::StrCat(field->full_name(),
                                       " is nested: only top-level fields have such a class"));
    }
    if (field->message_type() != nullptr) {
      FADU_RETURN_IF_ERROR(CheckNested(root, field->message_type(), seen));
    }
  }
  return absl::OkStatus();
}

bool IsText(const FieldDescriptor* field) { return field->type() == FieldDescriptor::TYPE_STRING; }

std::string UpperSnake(absl::string_view camel) {
  std::string out;
  for (size_t i = 0; i < camel.size(); ++i) {
    if (absl::ascii_isupper(static_cast<unsigned char>(camel[i])) && i > 0) out.push_back('_');
    out.push_back(absl::ascii_toupper(static_cast<unsigned char>(camel[i])));
  }
  return out;
}

bool IsSnakeCase(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) || c == '_';
  });
}

// What is missed is found by a filter: the start on or before a day, and still open.
absl::Status CheckDeadlines(const RecordType& type) {
  std::set<std::string> names;
  for (const v1::Deadline& deadline : type.options().deadlines()) {
    if (!IsSnakeCase(deadline.name()) || !names.insert(deadline.name()).second) {
      return Broken(type.descriptor(), "a deadline needs a snake_case name of its own");
    }
    const RecordField* from = type.FindField(deadline.from());
    if (from == nullptr || !from->options.filter() || from->repeated() ||
        from->kind != ValueKind::kDate) {
      return Broken(type.descriptor(),
                    absl::StrCat("deadline ", deadline.name(), " starts on no filterable date"));
    }
    if (deadline.days() < 0 || deadline.open().empty() ||
        !ParseFilter(deadline.open(), type, FilterUse::kList).ok()) {
      return Broken(type.descriptor(), absl::StrCat("deadline ", deadline.name(),
                                                    " has negative days or no filter that parses"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string EnumCode(const EnumValueDescriptor* value) {
  absl::string_view name = value->name();
  absl::ConsumePrefix(&name, absl::StrCat(UpperSnake(value->type()->name()), "_"));
  return std::string(name);
}

const EnumValueDescriptor* FindEnumCode(const EnumDescriptor* type, absl::string_view code) {
  for (int i = 0; i < type->value_count(); ++i) {
    const EnumValueDescriptor* value = type->value(i);
    if (value->name() == std::string(code) || EnumCode(value) == code) return value;
  }
  return nullptr;
}

absl::StatusOr<std::unique_ptr<RecordType>> RecordType::FromDescriptor(
    const Descriptor* descriptor) {
  if (!descriptor->options().HasExtension(v1::record)) {
    return Broken(descriptor, "no record option");
  }
  std::unique_ptr<RecordType> type(new RecordType);
  type->descriptor_ = descriptor;
  type->options_ = descriptor->options().GetExtension(v1::record);
  const v1::RecordOptions& options = type->options_;
  if (options.collection().empty() || options.singular().empty() || options.zh().empty() ||
      options.confirmed_by() == v1::LEVEL_UNSPECIFIED) {
    return Broken(descriptor, "collection, singular, zh and confirmed_by are required");
  }
  std::set<const Descriptor*> seen;
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    RecordField entry;
    entry.descriptor = field;
    entry.options = field->options().GetExtension(v1::field);
    entry.sealed = IsSealed(entry.options.field_class());
    entry.comparable = KindOf(field, &entry.kind);
    entry.column = field->name();
    if (entry.comparable && entry.kind == ValueKind::kCode) {
      const EnumDescriptor* values = field->enum_type();
      for (int j = 0; j < values->value_count(); ++j) {
        // Of several names of one number the first counts.
        entry.codes.emplace(values->value(j)->number(), EnumCode(values->value(j)));
      }
    }
    if (entry.sealed) type->sealed_.push_back(field);
    if (entry.sealed && (entry.options.measure() || entry.options.filter())) {
      return Broken(descriptor, absl::StrCat(field->name(), " is sealed: no measure, no filter"));
    }
    if (entry.options.filter() && !entry.comparable) {
      return Broken(descriptor, absl::StrCat(field->name(), " cannot be filtered"));
    }
    if (entry.options.index() && (!entry.options.filter() || field->is_repeated())) {
      return Broken(descriptor, absl::StrCat(field->name(), ": an index needs a singular filter"));
    }
    if (field->message_type() != nullptr) {
      FADU_RETURN_IF_ERROR(CheckNested(descriptor, field->message_type(), seen));
    }
    if (entry.options.blind_index()) {
      if (!entry.sealed || !IsText(field)) {
        return Broken(descriptor,
                      absl::StrCat(field->name(), ": a blind index needs a sealed string"));
      }
      type->blind_indexes_.push_back(
          BlindIndexField{{field}, field->name(), absl::StrCat(field->name(), "_blind")});
    }
    if (entry.sealed && field->message_type() != nullptr) {
      for (int j = 0; j < field->message_type()->field_count(); ++j) {
        const FieldDescriptor* inner = field->message_type()->field(j);
        if (inner->options().GetExtension(v1::field).blind_index()) {
          if (!IsText(inner)) {
            return Broken(descriptor,
                          absl::StrCat(inner->full_name(), ": a blind index needs a string"));
          }
          type->blind_indexes_.push_back(
              BlindIndexField{{field, inner},
                              absl::StrCat(field->name(), ".", inner->name()),
                              absl::StrCat(field->name(), "_", inner->name(), "_blind")});
        }
      }
    }
    type->fields_.push_back(std::move(entry));
  }
  const RecordField* area = type->FindField("area_code");
  if (area == nullptr || area->sealed || area->repeated() || !area->comparable ||
      area->kind != ValueKind::kText ||
      area->descriptor->options().GetExtension(v1::rules).format() != v1::FORMAT_AREA_CODE ||
      !area->descriptor->options().GetExtension(v1::rules).required()) {
    return Broken(descriptor, "no required area_code with FORMAT_AREA_CODE");
  }
  const RecordField* date = type->FindField(options.counting_date());
  if (date == nullptr || date->sealed || date->repeated() || !date->comparable ||
      date->kind != ValueKind::kDate ||
      !date->descriptor->options().GetExtension(v1::rules).required()) {
    return Broken(descriptor, "counting_date is not a required date field");
  }
  type->area_ = area->descriptor;
  type->counting_date_ = date->descriptor;
  FADU_RETURN_IF_ERROR(CheckDeadlines(*type));
  return type;
}

const RecordField* RecordType::FindField(absl::string_view name) const {
  for (const RecordField& field : fields_) {
    if (field.name() == name) return &field;
  }
  return nullptr;
}

std::unique_ptr<Message> RecordType::New() const {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor_)->New());
}

std::string RecordType::AreaOf(const Message& message) const {
  return message.GetReflection()->GetString(message, area_);
}

std::string RecordType::CountingDateOf(const Message& message) const {
  return message.GetReflection()->GetString(message, counting_date_);
}

std::vector<Value> RecordType::ValuesOf(const Message& message, const RecordField& field) const {
  std::vector<Value> values;
  if (!field.comparable) return values;
  const Reflection* reflection = message.GetReflection();
  const FieldDescriptor* descriptor = field.descriptor;
  const bool repeated = descriptor->is_repeated();
  const int count = repeated ? reflection->FieldSize(message, descriptor) : 1;
  for (int i = 0; i < count; ++i) {
    Value value;
    value.kind = field.kind;
    switch (descriptor->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        value.text = repeated ? reflection->GetRepeatedString(message, descriptor, i)
                              : reflection->GetString(message, descriptor);
        if (value.text.empty()) continue;
        break;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int number = repeated ? reflection->GetRepeatedEnumValue(message, descriptor, i)
                                    : reflection->GetEnumValue(message, descriptor);
        const auto code = field.codes.find(number);
        if (number == 0 || code == field.codes.end()) continue;
        value.text = code->second;
        break;
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        value.number = (repeated ? reflection->GetRepeatedBool(message, descriptor, i)
                                 : reflection->GetBool(message, descriptor))
                           ? 1
                           : 0;
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        value.number = repeated ? reflection->GetRepeatedInt32(message, descriptor, i)
                                : reflection->GetInt32(message, descriptor);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        value.number = repeated ? reflection->GetRepeatedUInt32(message, descriptor, i)
                                : reflection->GetUInt32(message, descriptor);
        break;
      case FieldDescriptor::CPPTYPE_UINT64: {
        const uint64_t number = repeated ? reflection->GetRepeatedUInt64(message, descriptor, i)
                                         : reflection->GetUInt64(message, descriptor);
        // bigint ends where int64 does.
        value.number =
            static_cast<int64_t>(std::min<uint64_t>(number, std::numeric_limits<int64_t>::max()));
        break;
      }
      case FieldDescriptor::CPPTYPE_INT64:
        value.number = repeated ? reflection->GetRepeatedInt64(message, descriptor, i)
                                : reflection->GetInt64(message, descriptor);
        break;
      default:
        continue;
    }
    values.push_back(std::move(value));
  }
  return values;
}

void RecordType::ClearOutputOnly(Message& message) const {
  for (const RecordField& field : fields_) {
    if (field.options.output_only())
      message.GetReflection()->ClearField(&message, field.descriptor);
  }
}

std::unique_ptr<Message> RecordType::TakeSealed(Message& message) const {
  std::unique_ptr<Message> sealed(message.New());
  const Reflection* reflection = message.GetReflection();
  reflection->SwapFields(&message, sealed.get(), sealed_);
  // Unknown fields are nobody's: they stay with neither.
  reflection->MutableUnknownFields(&message)->Clear();
  return sealed;
}

void RecordType::MergeSealed(const Message& sealed, Message& message) const {
  for (const FieldDescriptor* field : sealed_) {
    message.GetReflection()->ClearField(&message, field);
  }
  message.MergeFrom(sealed);
}

void RecordType::MaskSealed(Message& message) const {
  std::unique_ptr<Message> sealed = TakeSealed(message);
  MaskStrings(*sealed);
  MergeSealed(*sealed, message);
}

std::string RecordType::FactOf(const Message& message) const {
  std::unique_ptr<Message> fact(message.New());
  fact->CopyFrom(message);
  const Reflection* reflection = fact->GetReflection();
  for (const RecordField& field : fields_) {
    const bool kept =
        !field.sealed && (options_.whole_fact() || field.options.measure() ||
                          field.descriptor == area_ || field.descriptor == counting_date_);
    if (!kept) reflection->ClearField(fact.get(), field.descriptor);
  }
  reflection->MutableUnknownFields(fact.get())->Clear();
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    fact->SerializeToCodedStream(&coded);
  }
  return bytes;
}

std::vector<std::string> RecordType::BlindValuesOf(const Message& sealed,
                                                   const BlindIndexField& index) const {
  std::vector<std::string> values;
  const auto collect = [&](const Message& message, const FieldDescriptor* field) {
    const Reflection* reflection = message.GetReflection();
    if (field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
        values.push_back(reflection->GetRepeatedString(message, field, i));
      }
    } else {
      values.push_back(reflection->GetString(message, field));
    }
  };
  const Reflection* reflection = sealed.GetReflection();
  const FieldDescriptor* first = index.path[0];
  if (index.path.size() == 1) {
    collect(sealed, first);
  } else if (first->is_repeated()) {
    for (int i = 0; i < reflection->FieldSize(sealed, first); ++i) {
      collect(reflection->GetRepeatedMessage(sealed, first, i), index.path[1]);
    }
  } else if (reflection->HasField(sealed, first)) {
    collect(reflection->GetMessage(sealed, first), index.path[1]);
  }
  values.erase(std::remove(values.begin(), values.end(), ""), values.end());
  return values;
}

absl::StatusOr<std::unique_ptr<RecordTypes>> RecordTypes::FromDescriptors(
    const std::vector<const Descriptor*>& descriptors) {
  auto types = std::make_unique<RecordTypes>();
  for (const Descriptor* descriptor : descriptors) {
    FADU_ASSIGN_OR_RETURN(std::unique_ptr<RecordType> type, RecordType::FromDescriptor(descriptor));
    if (types->FindByCollection(type->collection()) != nullptr) {
      return Broken(descriptor, absl::StrCat("collection ", type->collection(), " is taken"));
    }
    types->types_.push_back(std::move(type));
  }
  std::sort(types->types_.begin(), types->types_.end(),
            [](const auto& a, const auto& b) { return a->collection() < b->collection(); });
  return types;
}

absl::StatusOr<std::unique_ptr<RecordTypes>> RecordTypes::FromPackages(
    const std::vector<std::string>& packages) {
  // The generated pool loads files when they are asked for; the database knows all that are linked.
  std::vector<std::string> files;
  google::protobuf::DescriptorPool::internal_generated_database()->FindAllFileNames(&files);
  std::sort(files.begin(), files.end());
  std::vector<const Descriptor*> descriptors;
  for (const std::string& name : files) {
    const auto* file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    if (file == nullptr ||
        std::find(packages.begin(), packages.end(), file->package()) == packages.end()) {
      continue;
    }
    for (int i = 0; i < file->message_type_count(); ++i) {
      if (file->message_type(i)->options().HasExtension(v1::record)) {
        descriptors.push_back(file->message_type(i));
      }
    }
  }
  return FromDescriptors(descriptors);
}

const RecordType* RecordTypes::FindByName(absl::string_view full_name) const {
  for (const auto& type : types_) {
    if (type->full_name() == full_name) return type.get();
  }
  return nullptr;
}

const RecordType* RecordTypes::FindByCollection(absl::string_view collection) const {
  for (const auto& type : types_) {
    if (type->collection() == collection) return type.get();
  }
  return nullptr;
}

}  // namespace fadu
