// common/schema/record_type.h
//
// A record type as its descriptor tells it: collection, columns, which fields are measures,
// which are sealed. Everything generic about records is derived here once.
#ifndef FADU_COMMON_SCHEMA_RECORD_TYPE_H_
#define FADU_COMMON_SCHEMA_RECORD_TYPE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "fadu/common/v1/options.pb.h"

namespace fadu {

// What a filterable field is stored and compared as.
enum class ValueKind {
  kText,    // string; text COLLATE "C"
  kCode,    // enum, by name without its type's prefix: "SETTLED"; text COLLATE "C"
  kInt,     // any integer; bigint
  kBool,    // boolean
  kDate,    // string with FORMAT_DATE; date
  kPoints,  // int64 whose name ends in _e4: decimal of 1/10,000; bigint
};

// One value of a field. Exactly one of the members counts, by kind.
struct Value {
  ValueKind kind = ValueKind::kText;
  std::string text;    // kText, kCode; kDate as YYYY-MM-DD
  int64_t number = 0;  // kInt, kPoints, kBool (0 or 1)
  friend bool operator==(const Value&, const Value&) = default;
};

// One top-level field of a record type.
struct RecordField {
  const google::protobuf::FieldDescriptor* descriptor = nullptr;
  fadu::common::v1::Field options;
  bool sealed = false;      // class personal or sensitive
  bool comparable = false;  // a scalar of one of the kinds below
  ValueKind kind = ValueKind::kText;
  std::string column;                // its typed column when options.filter()
  std::map<int, std::string> codes;  // kCode: of each value, by number
  const std::string& name() const { return descriptor->name(); }
  bool repeated() const { return descriptor->is_repeated(); }
};

// A sealed string that is found by exact value: `party_phone`, or `parties.phone` one level in.
struct BlindIndexField {
  std::vector<const google::protobuf::FieldDescriptor*> path;  // 1 or 2 long
  std::string filter_name;                                     // "parties.phone"
  std::string column;                                          // "parties_phone_blind", bytea[]
};

// A record type. Lives as long as the process.
class RecordType {
 public:
  // Fails with INVALID_ARGUMENT when the descriptor breaks the rules of record types: no record
  // option, no field `area_code` (string, required, FORMAT_AREA_CODE), a counting date that is not
  // a required date field, either of the two sealed, a nested class above internal, a sealed
  // measure or filter, an index without a filter, a blind index of what is not a sealed string, a
  // deadline without a name of its own, a filterable date to start on, or a filter that parses.
  static absl::StatusOr<std::unique_ptr<RecordType>> FromDescriptor(
      const google::protobuf::Descriptor* descriptor);

  const google::protobuf::Descriptor* descriptor() const { return descriptor_; }
  const fadu::common::v1::RecordOptions& options() const { return options_; }
  const std::string& full_name() const { return descriptor_->full_name(); }
  const std::string& collection() const { return options_.collection(); }
  const std::string& table() const { return options_.singular(); }
  const std::vector<RecordField>& fields() const { return fields_; }
  const std::vector<BlindIndexField>& blind_indexes() const { return blind_indexes_; }
  const RecordField* FindField(absl::string_view name) const;

  // A new empty message of this type.
  std::unique_ptr<google::protobuf::Message> New() const;

  // The record's area code and counting date, as the message says. The message passed Rules.
  std::string AreaOf(const google::protobuf::Message& message) const;
  std::string CountingDateOf(const google::protobuf::Message& message) const;

  // The values of one comparable field: one for a singular field, any number for a repeated one.
  // A singular string or date that is empty, and an enum that is UNSPECIFIED, has no value.
  std::vector<Value> ValuesOf(const google::protobuf::Message& message,
                              const RecordField& field) const;

  // Clears output-only fields (on what a caller sent).
  void ClearOutputOnly(google::protobuf::Message& message) const;
  // Moves sealed fields out of `message` into the returned message; both of this type.
  std::unique_ptr<google::protobuf::Message> TakeSealed(google::protobuf::Message& message) const;
  // Puts sealed fields back.
  void MergeSealed(const google::protobuf::Message& sealed,
                   google::protobuf::Message& message) const;
  // Masks every sealed string beneath `message` as its Mask says.
  void MaskSealed(google::protobuf::Message& message) const;
  // Serialised (deterministic) with only measure fields, area and counting date; the whole of the
  // unsealed message when the type says `whole_fact`.
  std::string FactOf(const google::protobuf::Message& message) const;
  // The clear values under a blind index.
  std::vector<std::string> BlindValuesOf(const google::protobuf::Message& sealed,
                                         const BlindIndexField& index) const;

 private:
  RecordType() = default;
  const google::protobuf::Descriptor* descriptor_ = nullptr;
  fadu::common::v1::RecordOptions options_;
  std::vector<RecordField> fields_;
  std::vector<BlindIndexField> blind_indexes_;
  const google::protobuf::FieldDescriptor* area_ = nullptr;
  const google::protobuf::FieldDescriptor* counting_date_ = nullptr;
  std::vector<const google::protobuf::FieldDescriptor*> sealed_;
};

// Record types by message name and by collection.
class RecordTypes {
 public:
  // All messages with a record option in the proto packages given ("fadu.mediation.v1") of the
  // generated pool. The types' messages must be linked in.
  static absl::StatusOr<std::unique_ptr<RecordTypes>> FromPackages(
      const std::vector<std::string>& packages);
  // All messages of the given descriptors.
  static absl::StatusOr<std::unique_ptr<RecordTypes>> FromDescriptors(
      const std::vector<const google::protobuf::Descriptor*>& descriptors);

  const RecordType* FindByName(absl::string_view full_name) const;
  const RecordType* FindByCollection(absl::string_view collection) const;
  const std::vector<std::unique_ptr<RecordType>>& all() const { return types_; }

 private:
  std::vector<std::unique_ptr<RecordType>> types_;  // by collection
};

// "SETTLED" for OUTCOME_SETTLED of enum Outcome: the name without its type's prefix, as filters,
// columns, workbooks and people write it.
std::string EnumCode(const google::protobuf::EnumValueDescriptor* value);
// The enumerator of a code or of a full name; null when there is none.
const google::protobuf::EnumValueDescriptor* FindEnumCode(
    const google::protobuf::EnumDescriptor* type, absl::string_view code);

}  // namespace fadu

#endif  // FADU_COMMON_SCHEMA_RECORD_TYPE_H_
