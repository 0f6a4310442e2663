// services/registry/domain/area_import.h
//
// From a file and what is known to changes of the area tree, or to every error by line. Pure.
#ifndef FADU_SERVICES_REGISTRY_DOMAIN_AREA_IMPORT_H_
#define FADU_SERVICES_REGISTRY_DOMAIN_AREA_IMPORT_H_

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/types/optional.h"
#include "fadu/registry/v1/area.pb.h"

namespace fadu::registry {

// Most bytes of a file, and most errors that are listed.
inline constexpr size_t kMaxFileBytes = 2 << 20;
inline constexpr int kMaxFindings = 1000;

// An area during one span of days.
struct AreaSpan {
  std::string code;
  std::string name;
  std::string parent;
  absl::CivilDay from;
  absl::optional<absl::CivilDay> to;  // last day; nullopt: in force
  std::string successor;              // code under which it goes on
};

// One line of a file that could be read.
struct FileArea {
  int line = 0;  // 1-based; the header is line 1
  std::string code;
  std::string name;
  std::string parent;
};

// A file as it was read. Lines with errors in the code are not among `areas`.
struct AreaFile {
  std::string county;
  std::vector<FileArea> areas;
  std::vector<v1::AreaFinding> errors;
  std::vector<v1::AreaFinding> warnings;
};

// Reads a file of tab-separated lines `code`, `name`, `parent` with that header line, for a county
// of six digits. A byte order mark and CRLF are taken; any other control character, and characters
// that show nothing, are errors; private-use characters are warnings. Children may stand before
// their parents.
AreaFile ReadAreaFile(absl::string_view text, absl::string_view county);

// May be the name of an area: 1 to 50 characters, UTF-8, nothing that shows nothing, no space at
// either end.
bool IsAreaName(absl::string_view name);

// What is known before an import.
struct KnownAreas {
  // Every span of the county's areas and of those above it, by code and day.
  std::vector<AreaSpan> spans;
  // Codes above the county under which another county lies too.
  std::set<std::string> shared;
};

// An area that ends.
struct AreaEnd {
  std::string code;
  std::string successor;  // empty: none
};

// What an import does. Ends come before additions: a renamed area is both.
struct AreaPlan {
  std::vector<AreaEnd> ends;            // their last day is the one before `as_of`
  std::vector<AreaSpan> adds;           // from `as_of`
  std::vector<v1::AreaChange> changes;  // for people, by code
  int added = 0;
  int renamed = 0;
  int ended = 0;
  int moved = 0;
  int unchanged = 0;
  // Those of the file and those that only what is known tells, by line. When there is any, the rest
  // is empty.
  std::vector<v1::AreaFinding> errors;
};

// Compares a file with what is known. Towns and villages that the file lacks end; the county and
// what is above it never do. An area that ends while one of the same name begins, under the parent
// that takes the place of its own or as the only one of that name in the county, has moved.
//
// FAILED_PRECONDITION / REASON_AREA_DATE: there are changes, and `as_of` is not after every day on
// which the county's tree changed before, or more than 366 days after `today`.
absl::StatusOr<AreaPlan> PlanImport(const AreaFile& file, const KnownAreas& known,
                                    absl::CivilDay as_of, absl::CivilDay today);

// Algorithm byte and SHA-256, in hex, over code, name and parent of the areas given, which stand in
// the order of their codes.
std::string TreeVersion(const std::vector<AreaSpan>& areas);

}  // namespace fadu::registry

#endif  // FADU_SERVICES_REGISTRY_DOMAIN_AREA_IMPORT_H_
