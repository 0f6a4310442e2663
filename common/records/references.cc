#include "common/records/references.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace fadu::records {
namespace {

constexpr size_t kTownDigits = 9;
// References are few; of more, the first ones tell as much.
constexpr int kMost = 200;

bool IsWithdrawn(const StoredRecord& record) {
  return record.review_state == fadu::common::v1::REVIEW_STATE_WITHDRAWN;
}

}  // namespace

absl::StatusOr<absl::optional<StoredRecord>> FindReferred(LockedView& view, const RecordType& type,
                                                          absl::string_view id,
                                                          absl::string_view area_code) {
  const absl::StatusOr<Uuid> parsed = Uuid::Parse(id);
  if (!parsed.ok()) return absl::optional<StoredRecord>();
  FADU_ASSIGN_OR_RETURN(absl::optional<StoredRecord> found, view.Get(type, *parsed));
  const bool stands = found.has_value() && !found->deleted_at.has_value() && !IsWithdrawn(*found) &&
                      absl::string_view(found->area_code).substr(0, kTownDigits) ==
                          area_code.substr(0, kTownDigits);
  return stands ? found : absl::optional<StoredRecord>();
}

absl::StatusOr<bool> IsReferredTo(LockedView& view, const RecordType& type, absl::string_view field,
                                  absl::string_view op, const Uuid& id) {
  FADU_ASSIGN_OR_RETURN(
      const std::vector<StoredRecord> found,
      view.Find(type, absl::StrCat(field, " ", op, " ", FilterLiteral(id.ToString())), kMost));
  return std::any_of(found.begin(), found.end(),
                     [](const StoredRecord& record) { return !IsWithdrawn(record); });
}

std::string FilterLiteral(absl::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') literal.push_back('\\');
    literal.push_back(c);
  }
  return literal + "\"";
}

bool TakesAway(const LawContext& context) {
  return context.operation == Operation::kDelete || context.operation == Operation::kWithdraw;
}

}  // namespace fadu::records
