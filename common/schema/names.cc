#include "common/schema/names.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/area_code.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu {
namespace {

absl::Status Invalid(absl::string_view field, absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, ::fadu::common::v1::REASON_FIELD_INVALID,
              "not a resource name of this form",
              {{"field", std::string(field)}, {"problem", std::string(problem)}},
              {{std::string(field), std::string(problem)}});
}

bool IsCounty(absl::string_view code) { return code.size() == 6 && IsAreaCode(code); }

// lowerCamelCase, as RecordOptions.collection is written.
bool IsCollection(absl::string_view text) {
  if (text.empty() || !absl::ascii_islower(static_cast<unsigned char>(text.front()))) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); });
}

}  // namespace

std::string RecordName::ToString() const {
  return absl::StrCat("counties/", county, "/", collection, "/", id.ToString());
}

absl::StatusOr<RecordName> ParseRecordName(absl::string_view name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  if (parts.size() == 4 && parts[0] == "counties" && IsCounty(parts[1]) && IsCollection(parts[2])) {
    const absl::StatusOr<Uuid> id = Uuid::Parse(parts[3]);
    if (id.ok()) return RecordName{parts[1], parts[2], *id};
  }
  return Invalid("name", "应形如 counties/421221/disputes/{uuid}");
}

absl::StatusOr<std::string> ParseCountyName(absl::string_view name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  if (parts.size() == 2 && parts[0] == "counties" && IsCounty(parts[1])) return parts[1];
  return Invalid("parent", "应形如 counties/421221");
}

}  // namespace fadu
