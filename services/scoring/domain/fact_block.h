// services/scoring/domain/fact_block.h
//
// The facts of one type that count in one year, as columns: rows sorted by (area, counting day,
// record), so that an area subtree is a range of rows, and every field a plain array of 64-bit
// integers, so that a filter is a pass over arrays without branches.
#ifndef FADU_SERVICES_SCORING_DOMAIN_FACT_BLOCK_H_
#define FADU_SERVICES_SCORING_DOMAIN_FACT_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/types/optional.h"
#include "common/base/id.h"
#include "common/schema/filter.h"
#include "common/schema/record_type.h"
#include "services/scoring/domain/facts.h"

namespace fadu::scoring {

// No value: an empty text or date, an enum that says nothing.
inline constexpr int64_t kAbsent = std::numeric_limits<int64_t>::min();

// Days since 1970-01-01.
inline int64_t DayNumber(absl::CivilDay day) { return day - absl::CivilDay(1970, 1, 1); }
inline absl::CivilDay DayOfNumber(int64_t number) { return absl::CivilDay(1970, 1, 1) + number; }

// One field of all rows. Integers, decimals (of 1/10,000) and booleans are themselves, dates are
// DayNumbers, enums their numbers, texts places in `words`.
struct Column {
  bool repeated = false;
  std::vector<int64_t> values;     // one a row; of a repeated field one an item
  std::vector<uint32_t> offsets;   // repeated: row r has values [offsets[r], offsets[r + 1])
  std::vector<std::string> words;  // sorted, without duplicates; for texts
};

// A range of rows, `end` not included.
struct RowRange {
  size_t begin = 0;
  size_t end = 0;
  size_t size() const { return end - begin; }
};

// Immutable.
class FactBlock {
 public:
  // All of `facts` are of `type` and count in `year`; in any order. `type` outlives the block.
  static std::shared_ptr<const FactBlock> Build(const RecordType& type, int year,
                                                std::vector<FactView> facts);

  const RecordType& type() const { return *type_; }
  int year() const { return year_; }
  size_t rows() const { return days_.size(); }
  // The rows that lie in `area` or under it.
  RowRange Within(absl::string_view area) const;

  const std::vector<int64_t>& days() const { return days_; }            // counting dates
  const std::vector<uint8_t>& confirmed() const { return confirmed_; }  // 0 or 1
  // Of a field that measures may use; else empty.
  const Column& column(const RecordField& field) const;
  std::string AreaOf(size_t row) const;
  const Uuid& IdOf(size_t row) const { return ids_[row]; }
  // The row of a record; absent when it is not here.
  absl::optional<size_t> RowOf(const Uuid& id) const;
  // counties/{county}/{collection}/{id}
  std::string RecordName(size_t row) const;

 private:
  FactBlock() = default;

  const RecordType* type_ = nullptr;
  int year_ = 0;
  std::vector<int64_t> areas_;  // keys that sort as a tree does
  std::vector<int64_t> days_;
  std::vector<uint8_t> confirmed_;
  std::vector<Uuid> ids_;
  std::vector<uint32_t> by_id_;  // rows in the order of ids
  std::vector<Column> columns_;  // by place of the field in its type
};

// mask[i] becomes 0 where the value of row range.begin + i is outside [low, high]; absent is
// outside. Of a repeated field one item inside is enough.
void KeepWithin(const Column& column, RowRange range, int64_t low, int64_t high, uint8_t* mask);
// The same, turned round: what is inside goes, absent stays.
void DropWithin(const Column& column, RowRange range, int64_t low, int64_t high, uint8_t* mask);
// The same over a plain array that begins at the range's first row.
void KeepWithin(const int64_t* values, size_t count, int64_t low, int64_t high, uint8_t* mask);

// mask[i] becomes 0 where the row does not satisfy the filter, exactly as Matches() over the
// message says.
void KeepMatching(const FilterNode& filter, const FactBlock& block, RowRange range, uint8_t* mask);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_FACT_BLOCK_H_
