// common/records/references.h
//
// What a LockedLaw asks about the records that another record refers to.
#ifndef FADU_COMMON_RECORDS_REFERENCES_H_
#define FADU_COMMON_RECORDS_REFERENCES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/records/store.h"

namespace fadu::records {

// The record of `type` with this id that can be referred to from `area_code`: it stands (neither
// deleted nor withdrawn) and lies in the same town, by the first nine digits. nullopt when there is
// none, or `id` is no UUID.
absl::StatusOr<absl::optional<StoredRecord>> FindReferred(LockedView& view, const RecordType& type,
                                                          absl::string_view id,
                                                          absl::string_view area_code);

// True when a record of `type`, withdrawn ones not, names `id` in its field `field` (compared with
// `op`: "=" for one id, ":" for a list of them).
absl::StatusOr<bool> IsReferredTo(LockedView& view, const RecordType& type, absl::string_view field,
                                  absl::string_view op, const Uuid& id);

// A text as a literal of the filter language: in quotation marks, quotes and backslashes escaped.
std::string FilterLiteral(absl::string_view text);

// The change takes the record away from those who refer to it: delete or withdraw.
bool TakesAway(const LawContext& context);

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_REFERENCES_H_
