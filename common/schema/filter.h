// common/schema/filter.h
//
// AIP-160 filters: text in, tree typed against a record type out. One grammar for List, measures
// and rubrics.
//
//   filter     = factor { "AND" factor }
//   factor     = term { "OR" term }        (AIP-160: OR binds tighter than AND)
//   term       = [ "NOT" | "-" ] ( restriction | "(" filter ")" )
//   restriction= field ( "=" | "!=" | "<" | "<=" | ">" | ">=" | ":" ) value
//   value      = word | number | "quoted text"
//
// A word is letters and digits of ASCII, `_`, `.`, `-` and Chinese characters; all else, and a
// keyword that is meant as a value, is quoted with " or '.
// `:` on a repeated field means "has this item"; `field:*` means present. Logic is two-valued:
// comparing an absent value is false, but for `!=`, which is then true (SQL: IS DISTINCT FROM).
// Texts have no "contains": it would be a scan.
#ifndef FADU_COMMON_SCHEMA_FILTER_H_
#define FADU_COMMON_SCHEMA_FILTER_H_

#include <cstddef>
#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/schema/record_type.h"

namespace fadu {

enum class CompareOp { kEq, kNe, kLt, kLe, kGt, kGe, kHas, kPresent };

struct FilterNode {
  enum class Type { kAnd, kOr, kNot, kCompare, kBlind } type = Type::kAnd;
  std::vector<FilterNode> children;  // kAnd, kOr (any number; empty kAnd is "everything"); kNot (1)
  const RecordField* field = nullptr;      // kCompare
  const BlindIndexField* blind = nullptr;  // kBlind: equality on a sealed string
  CompareOp op = CompareOp::kEq;
  Value value;  // kCompare; kBlind: value.text is the clear text
};

// Which fields a filter may use.
enum class FilterUse {
  kList,     // fields with `filter`, and blind indexes
  kMeasure,  // fields with `measure`
};

// Parses all of `text`; empty text is everything.
// INVALID_ARGUMENT / REASON_FILTER_INVALID with `position` (1-based code point) and `problem`
// (Chinese): unknown field, wrong type of value, more than 100 terms, nesting over 20.
absl::StatusOr<FilterNode> ParseFilter(absl::string_view text, const RecordType& type,
                                       FilterUse use);

// Parses the longest filter at the start of `text` and sets `consumed` to its end in bytes. Stops
// before `)` at depth 0, `,`, `/`, or one of the bare words with which a measure goes on: as, at, by,
// due, except, from, in, of, per, through, to, until, where, within.
absl::StatusOr<FilterNode> ParseFilterPrefix(absl::string_view text, const RecordType& type,
                                             FilterUse use, size_t* consumed);

// Does the message satisfy the filter? kBlind nodes are a bug here.
bool Matches(const FilterNode& filter, const RecordType& type,
             const google::protobuf::Message& message);

}  // namespace fadu

#endif  // FADU_COMMON_SCHEMA_FILTER_H_
