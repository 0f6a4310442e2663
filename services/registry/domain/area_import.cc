#include "services/registry/domain/area_import.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/digest.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/registry/v1/registry_service.pb.h"

namespace fadu::registry {
namespace {

constexpr size_t kCountyDigits = 6;
constexpr size_t kMaxNameCharacters = 50;
constexpr size_t kShownCharacters = 60;
constexpr int kMaxDaysAhead = 366;
constexpr int kCodeColumn = 1;
constexpr int kNameColumn = 2;
constexpr int kParentColumn = 3;

// The code points of a text, up to where it is no longer UTF-8 (RFC 3629: no surrogates, shortest
// form).
struct Decoded {
  bool valid = false;
  std::u32string points;
};

Decoded Decode(absl::string_view text) {
  Decoded decoded;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    size_t more = 0;
    uint32_t point = lead;
    uint32_t least = 0;
    if (lead >= 0xF0 && lead <= 0xF4) {
      more = 3, point = lead & 0x07U, least = 0x10000;
    } else if (lead >= 0xE0 && lead < 0xF0) {
      more = 2, point = lead & 0x0FU, least = 0x800;
    } else if (lead >= 0xC2 && lead < 0xE0) {
      more = 1, point = lead & 0x1FU, least = 0x80;
    } else if (lead >= 0x80) {
      return decoded;
    }
    if (text.size() - i <= more) return decoded;
    for (size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0U) != 0x80U) return decoded;
      point = (point << 6) | (next & 0x3FU);
    }
    if (point < least || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
      return decoded;
    }
    decoded.points.push_back(static_cast<char32_t>(point));
    i += more + 1;
  }
  decoded.valid = true;
  return decoded;
}

// Controls, and what shows nothing but makes two equal-looking names differ.
bool IsControl(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

bool IsPrivateUse(char32_t c) {
  return (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xF0000 && c <= 0xFFFFD) ||
         (c >= 0x100000 && c <= 0x10FFFD);
}

bool IsSpace(char32_t c) { return c == ' ' || c == 0xA0 || c == 0x3000; }

std::string PointName(char32_t c) { return absl::StrFormat("U+%04X", static_cast<uint32_t>(c)); }

// A value as it is shown: cut to 60 characters, whatever is no UTF-8 left out.
std::string Shown(absl::string_view value) {
  if (!Decode(value).valid) return "";
  size_t characters = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(value[i]) & 0xC0U) != 0x80U;
    if (begins && ++characters > kShownCharacters) return absl::StrCat(value.substr(0, i), "…");
  }
  return std::string(value);
}

v1::AreaFinding Finding(int line, int column, v1::AreaIssue issue, absl::string_view value,
                        absl::string_view other = "") {
  v1::AreaFinding finding;
  finding.set_line(line);
  finding.set_column(column);
  finding.set_value(Shown(value));
  finding.set_issue(issue);
  const auto& label = v1::AreaIssue_descriptor()->FindValueByNumber(issue)->options().GetExtension(
      fadu::common::v1::label);
  finding.set_message(
      absl::StrReplaceAll(label.zh(), {{"{value}", finding.value()}, {"{other}", Shown(other)}}));
  return finding;
}

// Sorts by place, and cuts.
void Settle(std::vector<v1::AreaFinding>& findings, bool say_so) {
  std::stable_sort(
      findings.begin(), findings.end(), [](const v1::AreaFinding& a, const v1::AreaFinding& b) {
        return std::make_pair(a.line(), a.column()) < std::make_pair(b.line(), b.column());
      });
  if (findings.size() <= kMaxFindings) return;
  const int line = findings[kMaxFindings].line();
  findings.resize(kMaxFindings);
  if (say_so) findings.push_back(Finding(line, 0, v1::AREA_ISSUE_TOO_MANY, ""));
}

bool AllDigits(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
}

// Reads one file.
class Reader {
 public:
  explicit Reader(absl::string_view county) { file_.county = std::string(county); }

  AreaFile Read(absl::string_view text) {
    absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
    std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
    while (lines.size() > 1 && absl::StripSuffix(lines.back(), "\r").empty()) lines.pop_back();
    int number = 0;
    for (absl::string_view line : lines) {
      ++number;
      absl::ConsumeSuffix(&line, "\r");
      if (number == 1) {
        if (line != "code\tname\tparent") Error(1, 0, v1::AREA_ISSUE_HEADER, "");
      } else {
        ReadLine(number, line);
      }
    }
    FindDuplicateNames();
    const bool some = std::any_of(file_.areas.begin(), file_.areas.end(), [](const FileArea& area) {
      return area.code.size() > kCountyDigits;
    });
    if (!some && file_.errors.empty()) Error(number, 0, v1::AREA_ISSUE_EMPTY, "");
    Settle(file_.warnings, /*say_so=*/false);
    return std::move(file_);
  }

 private:
  void Error(int line, int column, v1::AreaIssue issue, absl::string_view value,
             absl::string_view other = "") {
    file_.errors.push_back(Finding(line, column, issue, value, other));
  }

  void ReadLine(int line, absl::string_view text) {
    if (!Decode(text).valid) return Error(line, 0, v1::AREA_ISSUE_ENCODING, "");
    const std::vector<absl::string_view> cells = absl::StrSplit(text, '\t');
    if (cells.size() != 3) {
      return Error(line, 0, v1::AREA_ISSUE_COLUMNS, absl::StrCat(cells.size()));
    }
    bool clean = true;
    for (size_t i = 0; i < cells.size(); ++i) {
      clean = CheckCharacters(line, static_cast<int>(i) + 1, cells[i]) && clean;
    }
    FileArea area{line, std::string(cells[0]), std::string(cells[1]), std::string(cells[2])};
    if (clean) CheckName(area);
    if (!clean || !CheckCode(area)) return;
    if (area.parent != ParentOf(area.code)) {
      Error(line, kParentColumn, v1::AREA_ISSUE_PARENT_MISMATCH, area.parent, ParentOf(area.code));
    }
    file_.areas.push_back(std::move(area));
  }

  bool CheckCharacters(int line, int column, absl::string_view cell) {
    const Decoded decoded = Decode(cell);
    for (const char32_t c : decoded.points) {
      if (IsControl(c)) {
        Error(line, column, v1::AREA_ISSUE_CONTROL_CHARACTER, PointName(c));
        return false;
      }
      if (IsPrivateUse(c)) {
        file_.warnings.push_back(Finding(line, column, v1::AREA_ISSUE_PRIVATE_USE, PointName(c)));
      }
    }
    return true;
  }

  void CheckName(const FileArea& area) {
    const std::u32string points = Decode(area.name).points;
    if (points.empty()) return Error(area.line, kNameColumn, v1::AREA_ISSUE_NAME_MISSING, "");
    if (points.size() > kMaxNameCharacters) {
      Error(area.line, kNameColumn, v1::AREA_ISSUE_NAME_LENGTH, area.name);
    }
    if (IsSpace(points.front()) || IsSpace(points.back())) {
      Error(area.line, kNameColumn, v1::AREA_ISSUE_NAME_SPACE, area.name);
    }
  }

  // The code alone, and against the codes before it.
  bool CheckCode(const FileArea& area) {
    const auto refuse = [&](v1::AreaIssue issue, absl::string_view other = "") {
      Error(area.line, kCodeColumn, issue, area.code, other);
      return false;
    };
    if (!AllDigits(area.code)) return refuse(v1::AREA_ISSUE_CODE_DIGITS);
    if (!IsAreaCode(area.code)) return refuse(v1::AREA_ISSUE_CODE_LENGTH);
    if (!IsWithin(area.code, file_.county) && !IsWithin(file_.county, area.code)) {
      return refuse(v1::AREA_ISSUE_OTHER_COUNTY, file_.county);
    }
    const auto [known, is_new] = lines_.emplace(area.code, area.line);
    if (!is_new) return refuse(v1::AREA_ISSUE_CODE_DUPLICATE, absl::StrCat(known->second));
    return true;
  }

  void FindDuplicateNames() {
    std::map<std::pair<std::string, std::string>, int> seen;
    for (const FileArea& area : file_.areas) {
      if (area.name.empty()) continue;
      const auto [known, is_new] =
          seen.emplace(std::make_pair(ParentOf(area.code), area.name), area.line);
      if (!is_new) {
        Error(area.line, kNameColumn, v1::AREA_ISSUE_NAME_DUPLICATE, area.name,
              absl::StrCat(known->second));
      }
    }
  }

  AreaFile file_;
  std::map<std::string, int> lines_;  // by code
};

// Compares one file with what is known.
class Planner {
 public:
  Planner(const AreaFile& file, const KnownAreas& known, absl::CivilDay as_of)
      : file_(file), known_(known), as_of_(as_of) {
    for (const AreaSpan& span : known.spans) latest_[span.code] = &span;  // by day: the last stays
    for (const FileArea& area : file.areas) in_file_.emplace(area.code, &area);
  }

  AreaPlan Plan() {
    plan_.errors = file_.errors;
    for (const FileArea& area : file_.areas) Compare(area);
    if (!plan_.errors.empty()) {
      std::vector<v1::AreaFinding> errors = std::move(plan_.errors);
      Settle(errors, /*say_so=*/true);
      plan_ = AreaPlan();
      plan_.errors = std::move(errors);
      return std::move(plan_);
    }
    for (const auto& [code, span] : latest_) {
      const bool gone = !span->to && code.size() > kCountyDigits && in_file_.count(code) == 0;
      if (gone) gone_.push_back(span);
    }
    MatchMoves();
    Describe();
    return std::move(plan_);
  }

 private:
  bool InForce(const std::string& code) const {
    const auto found = latest_.find(code);
    return found != latest_.end() && !found->second->to;
  }

  void Compare(const FileArea& area) {
    const auto error = [&](int column, v1::AreaIssue issue, absl::string_view value,
                           absl::string_view other = "") {
      plan_.errors.push_back(Finding(area.line, column, issue, value, other));
    };
    const std::string parent = ParentOf(area.code);
    // Only what is above the county may be known without standing in the file: towns that the file
    // lacks end.
    const bool has_parent = parent.empty() || in_file_.count(parent) > 0 ||
                            (parent.size() <= kCountyDigits && InForce(parent));
    if (!has_parent) error(kParentColumn, v1::AREA_ISSUE_PARENT_MISSING, parent);
    const auto found = latest_.find(area.code);
    if (found == latest_.end()) {
      fresh_.push_back(&area);
      return;
    }
    const AreaSpan& span = *found->second;
    if (span.to) {
      // Its end was a mistake when it comes back under its own name.
      if (span.name == area.name) {
        fresh_.push_back(&area);
      } else {
        error(kCodeColumn, v1::AREA_ISSUE_CODE_REUSED, area.code, span.name);
      }
    } else if (span.name == area.name) {
      ++plan_.unchanged;
    } else if (known_.shared.count(area.code) > 0) {
      error(kNameColumn, v1::AREA_ISSUE_ANCESTOR_SHARED, area.code, span.name);
    } else {
      renamed_.push_back(&area);
    }
  }

  // Towns before villages, so that a village is looked for under the town that takes the place of
  // its own; then by a name that only one of each has.
  void MatchMoves() {
    for (const size_t digits : {size_t{9}, size_t{12}}) {
      Match(digits, [this](const std::string& parent, const std::string& name) {
        const auto moved = successor_.find(parent);
        return absl::StrCat(moved == successor_.end() ? parent : moved->second, "\t", name);
      });
      Match(digits, [](const std::string&, const std::string& name) { return name; });
    }
  }

  template <typename KeyOf>
  void Match(size_t digits, KeyOf key_of) {
    std::map<std::string, std::vector<const AreaSpan*>> from;
    std::map<std::string, std::vector<const FileArea*>> to;
    for (const AreaSpan* span : gone_) {
      const bool free = span->code.size() == digits && successor_.count(span->code) == 0;
      if (free) from[key_of(span->parent, span->name)].push_back(span);
    }
    for (const FileArea* area : fresh_) {
      const bool free = area->code.size() == digits && former_.count(area->code) == 0;
      if (free) to[key_of(area->parent, area->name)].push_back(area);
    }
    for (const auto& [key, spans] : from) {
      const auto areas = to.find(key);
      if (spans.size() != 1 || areas == to.end() || areas->second.size() != 1) continue;
      successor_[spans[0]->code] = areas->second[0]->code;
      former_[areas->second[0]->code] = spans[0]->code;
    }
  }

  v1::AreaChange& Change(v1::AreaChangeKind kind, const std::string& code,
                         const std::string& name) {
    v1::AreaChange& change = plan_.changes.emplace_back();
    change.set_kind(kind);
    change.set_code(code);
    change.set_title(name);
    return change;
  }

  void Add(const FileArea& area) {
    plan_.adds.push_back(AreaSpan{area.code, area.name, area.parent, as_of_, absl::nullopt, ""});
  }

  void Describe() {
    for (const FileArea* area : fresh_) {
      Add(*area);
      const auto former = former_.find(area->code);
      if (former == former_.end()) {
        ++plan_.added;
        Change(v1::AREA_CHANGE_KIND_ADDED, area->code, area->name);
      } else {
        ++plan_.moved;
        Change(v1::AREA_CHANGE_KIND_MOVED, area->code, area->name).set_former_code(former->second);
      }
    }
    for (const FileArea* area : renamed_) {
      ++plan_.renamed;
      plan_.ends.push_back(AreaEnd{area->code, ""});
      Add(*area);
      Change(v1::AREA_CHANGE_KIND_RENAMED, area->code, area->name)
          .set_former_title(latest_.at(area->code)->name);
    }
    for (const AreaSpan* span : gone_) {
      const auto successor = successor_.find(span->code);
      const bool moved = successor != successor_.end();
      plan_.ends.push_back(AreaEnd{span->code, moved ? successor->second : ""});
      if (moved) continue;
      ++plan_.ended;
      Change(v1::AREA_CHANGE_KIND_ENDED, span->code, span->name);
    }
    const auto by_code = [](const auto& a, const auto& b) { return a.code < b.code; };
    std::sort(plan_.ends.begin(), plan_.ends.end(), by_code);
    std::sort(plan_.adds.begin(), plan_.adds.end(), by_code);
    std::stable_sort(
        plan_.changes.begin(), plan_.changes.end(),
        [](const v1::AreaChange& a, const v1::AreaChange& b) { return a.code() < b.code(); });
  }

  const AreaFile& file_;
  const KnownAreas& known_;
  const absl::CivilDay as_of_;
  std::map<std::string, const AreaSpan*> latest_;   // by code
  std::map<std::string, const FileArea*> in_file_;  // by code
  std::vector<const FileArea*> fresh_;
  std::vector<const FileArea*> renamed_;
  std::vector<const AreaSpan*> gone_;
  std::map<std::string, std::string> successor_;  // former code → new code
  std::map<std::string, std::string> former_;     // new code → former code
  AreaPlan plan_;
};

// The last day on which the county's tree, or an area that now changes, changed.
absl::optional<absl::CivilDay> LastChange(const AreaPlan& plan, const KnownAreas& known) {
  std::set<std::string> touched;
  for (const AreaEnd& end : plan.ends) touched.insert(end.code);
  for (const AreaSpan& add : plan.adds) touched.insert(add.code);
  absl::optional<absl::CivilDay> last;
  for (const AreaSpan& span : known.spans) {
    if (span.code.size() < kCountyDigits && touched.count(span.code) == 0) continue;
    const absl::CivilDay day = span.to ? std::max(span.from, *span.to + 1) : span.from;
    last = last ? std::max(*last, day) : day;
  }
  return last;
}

}  // namespace

AreaFile ReadAreaFile(absl::string_view text, absl::string_view county) {
  return Reader(county).Read(text);
}

bool IsAreaName(absl::string_view name) {
  const Decoded decoded = Decode(name);
  return decoded.valid && !decoded.points.empty() && decoded.points.size() <= kMaxNameCharacters &&
         !IsSpace(decoded.points.front()) && !IsSpace(decoded.points.back()) &&
         std::none_of(decoded.points.begin(), decoded.points.end(), IsControl);
}

absl::StatusOr<AreaPlan> PlanImport(const AreaFile& file, const KnownAreas& known,
                                    absl::CivilDay as_of, absl::CivilDay today) {
  AreaPlan plan = Planner(file, known, as_of).Plan();
  if (plan.adds.empty() && plan.ends.empty()) return plan;
  const absl::optional<absl::CivilDay> last = LastChange(plan, known);
  if ((last && as_of <= *last) || as_of > today + kMaxDaysAhead) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_AREA_DATE,
                "the import's date is not after the last change, or too far ahead",
                {{"date", FormatDay(as_of)}, {"last", last ? FormatDay(*last) : "-"}});
  }
  return plan;
}

std::string TreeVersion(const std::vector<AreaSpan>& areas) {
  std::string text;
  for (const AreaSpan& area : areas) {
    absl::StrAppend(&text, area.code, "\t", area.name, "\t", area.parent, "\n");
  }
  return Hex(StoredDigest(text));
}

}  // namespace fadu::registry
