#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"
#include "services/scoring/domain/fact_block.h"
#include "services/scoring/domain/measure.h"
#include "services/scoring/domain/measure_words.h"

namespace fadu::scoring {
namespace {

using Op = MeasureNode::Op;
__extension__ typedef __int128 Wide;

constexpr size_t kMaxMissing = 200;
constexpr size_t kMaxNotes = 20;
constexpr size_t kMaxSources = 3;  // of a figure, in its note
constexpr int kPlaces = 2;         // where nothing else is said
constexpr int kMaxPlaces = 6;

Wide PowerOfTen(int exponent) {
  Wide power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

std::string DigitsOf(Wide value) {
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value > 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

// numerator ÷ denominator with `places` decimals; both fit 64 bits, the denominator is above zero.
std::string Decimal(Wide numerator, Wide denominator, int places, Rounding rounding, bool trim) {
  const bool negative = numerator < 0;
  const Wide scaled = (negative ? -numerator : numerator) * PowerOfTen(places);
  Wide units = scaled / denominator;
  if (rounding == Rounding::kHalfUp && scaled % denominator * 2 >= denominator) ++units;
  std::string text = DigitsOf(units);
  if (places > 0) {
    const auto width = static_cast<size_t>(places);
    if (text.size() <= width) text = absl::StrCat(std::string(width + 1 - text.size(), '0'), text);
    const absl::string_view digits = text;
    text = absl::StrCat(digits.substr(0, digits.size() - width), ".",
                        digits.substr(digits.size() - width));
    while (trim && (text.back() == '0' || text.back() == '.')) {
      const bool point = text.back() == '.';
      text.pop_back();
      if (point) break;
    }
  }
  return negative && units != 0 ? absl::StrCat("-", text) : text;
}

Wide Gcd(Wide a, Wide b) {
  if (a < 0) a = -a;
  while (b != 0) std::swap(a %= b, b);
  return a;
}

bool Fits(Wide value) {
  return value >= std::numeric_limits<int64_t>::min() &&
         value <= std::numeric_limits<int64_t>::max();
}

// What a part of an expression comes to.
struct Result {
  Wide numerator = 0;
  Wide denominator = 1;  // above zero; 0 when there is no value
  v1::Absence absence = v1::ABSENCE_UNSPECIFIED;
  bool quotient = false;  // came from a division: read with two decimals
  std::vector<FactRef> counted;
  std::vector<FactRef> counted_below;  // in the denominator
  std::vector<std::string> missing;
  std::vector<std::string> notes;
  bool provisional = false;

  bool has_value() const { return denominator != 0; }
  void Lack(v1::Absence why) {
    denominator = 0;
    absence = why;
  }
  void Set(Wide value, Wide scale = 1) {
    numerator = value;
    denominator = scale;
  }
};

// A × b, noting when it leaves 128 bits.
Wide Times(Wide a, Wide b, bool& fits) {
  Wide product = 0;
  if (__builtin_mul_overflow(a, b, &product)) fits = false;
  return product;
}

Wide Plus(Wide a, Wide b, bool& fits) {
  Wide sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) fits = false;
  return sum;
}

void AppendRows(std::vector<FactRef>& rows, const std::vector<FactRef>& more) {
  rows.insert(rows.end(), more.begin(), more.end());
}

// What is known of both sides is known of what they make.
void Join(Result& result, const Result& left, const Result& right) {
  result.quotient = result.quotient || left.quotient || right.quotient;
  result.missing = left.missing;
  result.notes = left.notes;
  for (const std::string& name : right.missing) result.missing.push_back(name);
  for (const std::string& note : right.notes) result.notes.push_back(note);
  result.provisional = left.provisional || right.provisional;
  if (!left.has_value() || !right.has_value()) {
    result.Lack(left.has_value() ? right.absence : left.absence);
  }
}

// Where and when a part is evaluated.
struct Frame {
  std::string area;
  int year = 0;
  absl::optional<DayRange> within;
  absl::optional<DayRange> term;
  absl::optional<absl::CivilDay> as_of;
};

class Evaluator {
 public:
  Evaluator(const FactSet& facts, bool unconfirmed, bool records, bool zh)
      : facts_(facts), unconfirmed_(unconfirmed), records_(records), zh_(zh) {}

  Result Of(const MeasureNode& node, const Frame& frame) {
    switch (node.op) {
      case Op::kNumber: {
        Result result;
        SetPoints(result, node.value.units());
        return result;
      }
      case Op::kAdd:
      case Op::kSubtract:
        return Sum(node, frame);
      case Op::kDivide:
        return Divide(node, frame);
      case Op::kPer:
        return Per(node, frame);
      case Op::kCount:
        return Count(node.source, frame);
      case Op::kSum:
      case Op::kAverage:
      case Op::kMin:
      case Op::kMax:
        return Fold(node, frame);
      case Op::kDistinct:
        return Distinct(node.source, frame);
      case Op::kLate:
      case Op::kOntime:
        return Late(node, frame);
      case Op::kCoverage:
        return Coverage(node, frame);
      case Op::kDenominator:
        return Figure(node.units, frame);
      case Op::kSize: {
        Result result;
        result.Set(static_cast<Wide>(AreasOf(node.units.kind, frame).size()));
        return result;
      }
      case Op::kGap:
        return Gap(node.source, frame);
      case Op::kLeast:
        return Coverage(node, frame);
      case Op::kLatest:
        return Latest(node.source, frame);
      case Op::kYears:
        return Years(node, frame);
      case Op::kMean:
        return Mean(node, frame);
    }
    return Result();
  }

 private:
  // ---- arithmetic -------------------------------------------------------------------------------

  static void SetPoints(Result& result, Wide units) {
    const bool whole = units % Points::kScale == 0;
    result.Set(whole ? units / Points::kScale : units, whole ? 1 : Points::kScale);
  }

  static void SetChecked(Result& result, Wide numerator, Wide denominator, bool fits) {
    if (!fits) return result.Lack(v1::ABSENCE_OUT_OF_RANGE);
    result.Set(numerator, denominator);
  }

  Result Sum(const MeasureNode& node, const Frame& frame) {
    const Result left = Of(node.children[0], frame);
    const Result right = Of(node.children[1], frame);
    Result result;
    Join(result, left, right);
    result.counted = left.counted;
    AppendRows(result.counted, right.counted);
    result.counted_below = left.counted_below;
    AppendRows(result.counted_below, right.counted_below);
    if (!result.has_value()) return result;
    const Wide sign = node.op == Op::kAdd ? 1 : -1;
    bool fits = true;
    if (left.denominator == right.denominator) {
      const Wide sum = Plus(left.numerator, Times(sign, right.numerator, fits), fits);
      SetChecked(result, sum, left.denominator, fits);
      return result;
    }
    const Wide sum = Plus(Times(left.numerator, right.denominator, fits),
                          Times(sign, Times(right.numerator, left.denominator, fits), fits), fits);
    const Wide scale = Times(left.denominator, right.denominator, fits);
    SetChecked(result, sum, scale, fits);
    return result;
  }

  // left ÷ right as it stands: 375 ÷ 382 is not reduced.
  static void Quotient(Result& result, const Result& left, const Result& right) {
    bool fits = true;
    Wide numerator = left.numerator;
    Wide denominator = right.numerator;
    if (left.denominator != right.denominator) {
      numerator = Times(numerator, right.denominator, fits);
      denominator = Times(denominator, left.denominator, fits);
    }
    if (denominator < 0) {
      numerator = -numerator;
      denominator = -denominator;
    }
    SetChecked(result, numerator, denominator, fits);
    if (fits && denominator == 0) result.Lack(v1::ABSENCE_EMPTY_DENOMINATOR);
  }

  Result Divide(const MeasureNode& node, const Frame& frame) {
    const Result left = Of(node.children[0], frame);
    const Result right = Of(node.children[1], frame);
    Result result;
    Join(result, left, right);
    Append(result, left, right);
    if (result.has_value()) Quotient(result, left, right);
    return result;
  }

  // left for each `value` of right, or left in units of `value`.
  Result Per(const MeasureNode& node, const Frame& frame) {
    const Result left = Of(node.children[0], frame);
    Result scale;
    SetPoints(scale, node.value.units());
    Result result;
    result.quotient = true;
    if (node.children.size() == 1) {
      Join(result, left, scale);
      Append(result, left, scale);
      if (result.has_value()) Quotient(result, left, scale);
      return result;
    }
    const Result right = Of(node.children[1], frame);
    Join(result, left, right);
    Append(result, left, right);
    if (!result.has_value()) return result;
    Result scaled = left;
    bool fits = true;
    scaled.numerator = Times(scaled.numerator, scale.numerator, fits);
    scaled.denominator = Times(scaled.denominator, scale.denominator, fits);
    if (fits) {
      Quotient(result, scaled, right);
    } else {
      result.Lack(v1::ABSENCE_OUT_OF_RANGE);
    }
    return result;
  }

  // The records of both sides of a division.
  static void Append(Result& result, const Result& left, const Result& right) {
    result.counted = left.counted;
    AppendRows(result.counted, left.counted_below);
    result.counted_below = right.counted;
    AppendRows(result.counted_below, right.counted_below);
  }

  // ---- rows -------------------------------------------------------------------------------------

  // A period as it lies in the frame.
  static DayRange PeriodOf(const Source& source, const Frame& frame) {
    if (source.period.kind == Period::Kind::kRolling) {
      const absl::CivilDay last = YearRange(frame.year).last;
      return MonthsUntil(std::min(last, frame.as_of.value_or(last)), source.period.index);
    }
    const bool whole = source.period.kind == Period::Kind::kYear && source.period.years_back == 0;
    return whole && frame.term.has_value() ? *frame.term : source.period.In(frame.year);
  }

  // The days on which a source's records count; of a stock only the last matters.
  static DayRange DaysOf(const Source& source, const Frame& frame) {
    DayRange days = PeriodOf(source, frame);
    if (frame.within.has_value()) {
      days.first = std::max(days.first, frame.within->first);
      days.last = std::min(days.last, frame.within->last);
    }
    if (source.as_of && frame.as_of.has_value()) days.last = std::min(days.last, *frame.as_of);
    return days;
  }

  // The period of a source is not over on the last day known.
  static bool IsOpen(const Source& source, const Frame& frame) {
    if (!frame.as_of.has_value()) return false;
    // Rolling months end with what is known, and move on until the year is over.
    return *frame.as_of < (source.period.kind == Period::Kind::kRolling
                               ? YearRange(frame.year).last
                               : PeriodOf(source, frame).last);
  }

  // Keeps the rows whose date lies within [low, high].
  static void KeepDays(const Source& source, const FactBlock& block, RowRange range, int64_t low,
                       int64_t high, uint8_t* mask) {
    if (source.by == nullptr) {
      KeepWithin(block.days().data() + range.begin, range.size(), low, high, mask);
    } else {
      KeepWithin(block.column(*source.by), range, low, high, mask);
    }
  }

  // Calls `visit(block, row)` for every record that counts, in the order of blocks and rows.
  template <typename Visit>
  void ForEach(const Source& source, const Frame& frame, Visit visit) const {
    const DayRange days = DaysOf(source, frame);
    if (!source.as_of && days.last < days.first) return;
    std::vector<uint8_t> mask;
    for (const auto& block : facts_.OfType(source.type)) {
      // Without another date the block's year decides before any row does.
      if (source.by == nullptr && block->year() > days.last.year()) continue;
      if (source.by == nullptr && !source.as_of && block->year() < days.first.year()) continue;
      const RowRange range = block->Within(frame.area);
      if (range.size() == 0) continue;
      mask.assign(range.size(), 1);
      if (!unconfirmed_) {
        for (size_t i = 0; i < range.size(); ++i) mask[i] = block->confirmed()[range.begin + i];
      }
      const int64_t last = DayNumber(days.last);
      const int64_t first = source.as_of ? kAbsent + 1 : DayNumber(days.first);
      KeepDays(source, *block, range, first, last, mask.data());
      if (source.until != nullptr) {
        // Ended on `last` or before; `through` still holds on its own day.
        DropWithin(block->column(*source.until), range, kAbsent + 1,
                   source.through ? last - 1 : last, mask.data());
      }
      KeepMatching(source.filter, *block, range, mask.data());
      for (size_t i = 0; i < range.size(); ++i) {
        if (mask[i] != 0) visit(*block, range.begin + i);
      }
    }
  }

  void Note(std::vector<FactRef>& rows, const FactBlock& block, size_t row) const {
    if (records_) rows.push_back({&block, row});
  }

  Result Count(const Source& source, const Frame& frame) const {
    Result result;
    Wide count = 0;
    ForEach(source, frame, [&](const FactBlock& block, size_t row) {
      ++count;
      Note(result.counted, block, row);
    });
    result.Set(count);
    result.provisional = IsOpen(source, frame);
    return result;
  }

  // sum, average, min, max of a field or of days.
  Result Fold(const MeasureNode& node, const Frame& frame) {
    const Source& source = node.source;
    Result result;
    Wide sum = 0;
    Wide count = 0;
    Wide least = 0;
    Wide most = 0;
    const auto take = [&](const FactBlock& block, size_t row, int64_t value) {
      least = count == 0 ? value : std::min<Wide>(least, value);
      most = count == 0 ? value : std::max<Wide>(most, value);
      sum += value;
      ++count;
      Note(result.counted, block, row);
    };
    if (source.span.has_value()) {
      ForEachTimed(source, frame, result, [&](const FactBlock& block, size_t row, const Timed& t) {
        if (t.measured) take(block, row, t.days);
      });
    } else {
      ForEach(source, frame, [&](const FactBlock& block, size_t row) {
        const int64_t value = block.column(*source.field).values[row];
        if (value != kAbsent) take(block, row, value);
      });
    }
    result.provisional = result.provisional || IsOpen(source, frame);
    const bool points = source.field != nullptr && source.field->kind == ValueKind::kPoints;
    if (node.op == Op::kSum) {
      points ? SetPoints(result, sum) : result.Set(sum);
      return result;
    }
    if (count == 0) {
      result.Lack(v1::ABSENCE_NO_RECORD);
      return result;
    }
    if (node.op == Op::kAverage) {
      result.quotient = true;
      result.Set(sum, points ? count * Points::kScale : count);
      return result;
    }
    const Wide value = node.op == Op::kMin ? least : most;
    points ? SetPoints(result, value) : result.Set(value);
    return result;
  }

  // Calls `visit` with each value of a row's field; texts as what they say.
  template <typename Visit>
  static void ForEachValue(const Column& column, size_t row, Visit visit) {
    const size_t begin = column.repeated ? column.offsets[row] : row;
    const size_t end = column.repeated ? column.offsets[row + 1] : row + 1;
    for (size_t i = begin; i < end; ++i) {
      if (column.values[i] != kAbsent) visit(column.values[i]);
    }
  }

  static absl::string_view WordOf(const Column& column, int64_t value) {
    return column.words[static_cast<size_t>(value)];
  }

  Result Distinct(const Source& source, const Frame& frame) const {
    Result result;
    std::set<int64_t> numbers;
    std::set<absl::string_view> words;  // of blocks, which stay
    const bool text = source.field->kind == ValueKind::kText;
    ForEach(source, frame, [&](const FactBlock& block, size_t row) {
      const Column& column = block.column(*source.field);
      bool any = false;
      ForEachValue(column, row, [&](int64_t value) {
        any = true;
        if (text) {
          words.insert(WordOf(column, value));
        } else {
          numbers.insert(value);
        }
      });
      if (any) Note(result.counted, block, row);
    });
    result.Set(static_cast<Wide>(numbers.size() + words.size()));
    result.provisional = IsOpen(source, frame);
    return result;
  }

  // ---- records one after the other --------------------------------------------------------------

  static int64_t DayOf(const Source& source, const FactBlock& block, size_t row) {
    return source.by == nullptr ? block.days()[row] : ValueAt(block.column(*source.by), row);
  }

  // Of fewer than two records there is no time between.
  Result Gap(const Source& source, const Frame& frame) const {
    Result result;
    std::vector<int64_t> days;
    ForEach(source, frame, [&](const FactBlock& block, size_t row) {
      days.push_back(DayOf(source, block, row));
      Note(result.counted, block, row);
    });
    result.provisional = IsOpen(source, frame);
    if (days.size() < 2) {
      result.Lack(v1::ABSENCE_NO_RECORD);
      return result;
    }
    std::sort(days.begin(), days.end());
    int64_t longest = 0;
    for (size_t i = 1; i < days.size(); ++i) longest = std::max(longest, days[i] - days[i - 1]);
    result.Set(longest);
    return result;
  }

  // What the newest record of each value says: by day, of one day by id.
  Result Latest(const Source& source, const Frame& frame) const {
    struct Newest {
      int64_t day = 0;
      FactRef row;
    };
    std::map<std::string, Newest> newest;
    Source every = source;
    every.filter = FilterNode();
    ForEach(every, frame, [&](const FactBlock& block, size_t row) {
      const int64_t day = DayOf(source, block, row);
      ForEachText(source, block, row, [&](const std::string& key) {
        Newest& kept = newest[key];
        const bool newer =
            kept.row.block == nullptr || day > kept.day ||
            (day == kept.day && kept.row.block->IdOf(kept.row.row) < block.IdOf(row));
        if (newer) kept = {day, {&block, row}};
      });
    });
    Result result;
    Wide count = 0;
    for (const auto& [key, kept] : newest) {
      uint8_t mask = 1;
      KeepMatching(source.filter, *kept.row.block, {kept.row.row, kept.row.row + 1}, &mask);
      if (mask == 0) continue;
      ++count;
      Note(result.counted, *kept.row.block, kept.row.row);
    }
    result.Set(count);
    result.provisional = IsOpen(source, frame);
    return result;
  }

  // Calls `visit` with each value of a row's field as text that tells it apart.
  template <typename Visit>
  static void ForEachText(const Source& source, const FactBlock& block, size_t row, Visit visit) {
    const Column& column = block.column(*source.field);
    const bool text = source.field->kind == ValueKind::kText;
    ForEachValue(column, row, [&](int64_t value) {
      visit(text ? std::string(WordOf(column, value)) : absl::StrCat(value));
    });
  }

  // Years in a row up to this one, each with enough records.
  Result Years(const MeasureNode& node, const Frame& frame) const {
    constexpr int kMost = 100;
    Result result;
    Frame year = frame;
    year.within = absl::nullopt;
    year.term = absl::nullopt;
    int years = 0;
    for (; years < kMost; ++years, --year.year) {
      const Result found = Count(node.source, year);
      if (years == 0) result.provisional = found.provisional;
      if (found.numerator < node.at_least) break;
      AppendRows(result.counted, found.counted);
    }
    result.Set(years);
    return result;
  }

  // The plain mean of an expression over all areas of the county that have a value; it moves until
  // every one of them is frozen.
  Result Mean(const MeasureNode& node, const Frame& frame) {
    constexpr size_t kCountyDigits = 6;
    Frame county = frame;
    county.area = frame.area.substr(0, kCountyDigits);
    Result total;
    total.quotient = true;
    total.Set(0);
    Wide count = 0;
    bool fits = true;
    for (const std::string& code : AreasOf(node.units.kind, county)) {
      Frame at = frame;
      at.area = code;
      const Result one = Of(node.children[0], at);
      total.provisional = total.provisional || one.provisional || !facts_.IsFrozen(code);
      if (!one.has_value()) {
        total.missing.push_back(facts_.NameOf(code));
        continue;
      }
      ++count;
      AppendRows(total.counted, one.counted);
      AppendRows(total.counted_below, one.counted_below);
      total.numerator = Plus(Times(total.numerator, one.denominator, fits),
                             Times(one.numerator, total.denominator, fits), fits);
      total.denominator = Times(total.denominator, one.denominator, fits);
      const Wide common = fits ? Gcd(total.numerator, total.denominator) : 1;
      if (common > 1) {
        total.numerator /= common;
        total.denominator /= common;
      }
      if (!fits) break;
    }
    if (!fits) {
      total.Lack(v1::ABSENCE_OUT_OF_RANGE);
    } else if (count == 0) {
      total.Lack(v1::ABSENCE_NO_RECORD);
    } else {
      const Wide denominator = Times(total.denominator, count, fits);
      SetChecked(total, total.numerator, denominator, fits);
    }
    return total;
  }

  // ---- days between dates -----------------------------------------------------------------------

  // One record against its span.
  struct Timed {
    bool judged = false;    // with a deadline: it is known whether it was kept
    bool late = false;      // with a deadline: it was not kept
    bool measured = false;  // `days` says something
    int64_t days = 0;  // without a deadline from date to date, else days over it; never below 0
  };

  static int64_t ValueAt(const Column& column, size_t row) { return column.values[row]; }

  int64_t DaysBetween(int64_t from, int64_t to, DateSpan::Unit unit) const {
    if (to <= from) return 0;
    if (unit != DateSpan::Unit::kWorkdays) return to - from;
    return WorkingDaysBetween(DayOfNumber(from), DayOfNumber(to), *facts_.context().calendar);
  }

  // The last day of a period that began on `start`.
  int64_t DueAfter(int64_t start, const DateSpan& span, bool& provisional) {
    auto& known = due_[{*span.within, static_cast<int>(span.unit)}];
    const auto found = known.find(start);
    if (found != known.end()) {
      provisional = provisional || found->second.second;
      return found->second.first;
    }
    DeadlineRule rule;
    rule.amount = *span.within;
    rule.unit =
        span.unit == DateSpan::Unit::kWorkdays ? DayUnit::kWorkingDays : DayUnit::kCalendarDays;
    rule.roll_to_working_day = span.unit == DateSpan::Unit::kDays;
    const absl::StatusOr<Deadline> deadline =
        DueOn(rule, DayOfNumber(start), {}, *facts_.context().calendar);
    if (!deadline.ok()) {
      (void)FADU_BUG(deadline.status().message());
      return start;
    }
    const int64_t due = DayNumber(deadline->due_on);
    known[start] = {due, deadline->provisional};
    provisional = provisional || deadline->provisional;
    return due;
  }

  // Calls `visit(block, row, timed)` for each record that has the date from which it is timed.
  template <typename Visit>
  void ForEachTimed(const Source& source, const Frame& frame, Result& result, Visit visit) {
    const DateSpan& span = *source.span;
    const int64_t known = DayNumber(frame.as_of.value_or(DaysOf(source, frame).last));
    bool unsure = false;
    ForEach(source, frame, [&](const FactBlock& block, size_t row) {
      const RecordField* from_field = span.from != nullptr ? span.from : source.by;
      const int64_t from =
          from_field == nullptr ? block.days()[row] : ValueAt(block.column(*from_field), row);
      const int64_t to = ValueAt(block.column(*span.to), row);
      Timed timed;
      if (!span.has_deadline()) {
        if (from == kAbsent) return;
        timed.measured = to != kAbsent;
        if (timed.measured) timed.days = DaysBetween(from, to, span.unit);
        visit(block, row, timed);
        return;
      }
      int64_t due = kAbsent;
      if (span.due != nullptr) {
        due = ValueAt(block.column(*span.due), row);
      } else if (from != kAbsent) {
        due = DueAfter(from, span, unsure);
      }
      if (due == kAbsent) return;
      const int64_t end = to == kAbsent ? known : to;
      timed.late = end > due;
      timed.judged = to != kAbsent || timed.late;
      timed.measured = timed.judged;
      timed.days = DaysBetween(due, end, span.unit);
      visit(block, row, timed);
    });
    if (unsure) {
      result.provisional = true;
      result.notes.push_back(zh_ ? "部分期限跨入放假安排尚未公布的年度，按法定节假日推算"
                                 : "some deadlines lie in a year whose holidays are not known yet");
    }
  }

  Result Late(const MeasureNode& node, const Frame& frame) {
    Result result;
    Wide late = 0;
    Wide judged = 0;
    const bool wanted = node.op == Op::kLate;
    ForEachTimed(node.source, frame, result,
                 [&](const FactBlock& block, size_t row, const Timed& timed) {
                   if (!timed.judged) return;
                   ++judged;
                   if (timed.late) ++late;
                   if (timed.late == wanted) Note(result.counted, block, row);
                   if (!wanted) Note(result.counted_below, block, row);
                 });
    result.provisional = result.provisional || IsOpen(node.source, frame);
    if (wanted) {
      result.Set(late);
      return result;
    }
    result.Set(judged - late, judged);
    if (judged == 0) result.Lack(v1::ABSENCE_EMPTY_DENOMINATOR);
    return result;
  }

  // ---- coverage ---------------------------------------------------------------------------------

  static size_t DigitsOf(Units::Kind kind) { return kind == Units::Kind::kTowns ? 9 : 12; }

  // What the last three digits of a village's code say (statistical area codes).
  static bool IsOfKind(absl::string_view code, Units::Kind kind) {
    if (kind == Units::Kind::kVillages || kind == Units::Kind::kTowns) return true;
    const char first = code[9];
    const bool community = first == '0' || first == '1' || first == '4';
    return community == (kind == Units::Kind::kCommunities);
  }

  std::vector<std::string> AreasOf(Units::Kind kind, const Frame& frame) const {
    std::vector<std::string> areas;
    for (std::string& code : facts_.AreasWithin(frame.area, DigitsOf(kind))) {
      if (IsOfKind(code, kind)) areas.push_back(std::move(code));
    }
    return areas;
  }

  Result Coverage(const MeasureNode& node, const Frame& frame) {
    switch (node.units.kind) {
      case Units::Kind::kFigure:
        return FigureCoverage(node, frame);
      case Units::Kind::kRecords:
        return RecordCoverage(node, frame);
      default:
        return AreaCoverage(node, frame);
    }
  }

  struct Unit {
    std::string name;
    int64_t found = 0;
  };

  // Counts units that were found often enough, and names the others.
  void Finish(const MeasureNode& node, const std::map<std::string, Unit>& units,
              Result& result) const {
    if (node.op == Op::kLeast) return FinishLeast(units, result);
    Wide covered = 0;
    for (const auto& [key, unit] : units) {
      if (unit.found >= node.at_least) {
        ++covered;
      } else {
        result.missing.push_back(unit.name);
      }
    }
    result.Set(covered, static_cast<Wide>(units.size()));
    if (units.empty()) result.Lack(v1::ABSENCE_EMPTY_DENOMINATOR);
  }

  // The fewest that any unit has, and which units those are.
  void FinishLeast(const std::map<std::string, Unit>& units, Result& result) const {
    constexpr size_t kShown = 5;
    if (units.empty()) return result.Lack(v1::ABSENCE_EMPTY_DENOMINATOR);
    const auto fewer = [](const auto& a, const auto& b) { return a.second.found < b.second.found; };
    const int64_t least = std::min_element(units.begin(), units.end(), fewer)->second.found;
    std::vector<std::string> names;
    for (const auto& [key, unit] : units) {
      if (unit.found == least) names.push_back(unit.name);
    }
    const bool more = names.size() > kShown;
    if (more) names.resize(kShown);
    result.notes.push_back(
        absl::StrCat(zh_ ? "最少：" : "fewest: ", absl::StrJoin(names, zh_ ? "、" : ", "),
                     more ? (zh_ ? "等" : " and others") : ""));
    result.Set(least);
  }

  // Calls `visit(key)` for each thing that the field of a row points to.
  template <typename Visit>
  static void ForEachKey(const Source& source, const FactBlock& block, size_t row, Visit visit) {
    if (source.field == nullptr) {
      visit(block.AreaOf(row));
      return;
    }
    const Column& column = block.column(*source.field);
    std::set<absl::string_view> once;  // a record counts once for each
    ForEachValue(column, row, [&](int64_t value) { once.insert(WordOf(column, value)); });
    for (const absl::string_view key : once) visit(std::string(key));
  }

  void Find(const Source& source, const Frame& frame, size_t key_size,
            std::map<std::string, Unit>& units, Result& result) const {
    ForEach(source, frame, [&](const FactBlock& block, size_t row) {
      bool any = false;
      ForEachKey(source, block, row, [&](const std::string& key) {
        const auto unit = units.find(key.substr(0, key_size));
        if (unit == units.end()) return;
        ++unit->second.found;
        any = true;
      });
      if (any) Note(result.counted, block, row);
    });
    result.provisional = IsOpen(source, frame);
  }

  Result AreaCoverage(const MeasureNode& node, const Frame& frame) const {
    Result result;
    std::map<std::string, Unit> units;
    for (const std::string& code : AreasOf(node.units.kind, frame)) {
      units[code].name = facts_.NameOf(code);
    }
    Find(node.source, frame, DigitsOf(node.units.kind), units, result);
    Finish(node, units, result);
    return result;
  }

  // The records that make up a set on the last day of the source's period.
  static Source SetOf(const MeasureNode& node) {
    Source set = node.units.source;
    set.as_of = true;
    set.period = node.source.period;
    return set;
  }

  static std::string NameOfRow(const FactBlock& block, size_t row) {
    const RecordField* name = block.type().FindField("name");
    if (name != nullptr && name->kind == ValueKind::kText && !name->repeated()) {
      const Column& column = block.column(*name);
      if (!column.values.empty() && column.values[row] != kAbsent) {
        return std::string(WordOf(column, column.values[row]));
      }
    }
    return block.RecordName(row);
  }

  Result RecordCoverage(const MeasureNode& node, const Frame& frame) const {
    Result result;
    std::map<std::string, Unit> units;
    const Source set = SetOf(node);
    ForEach(set, frame, [&](const FactBlock& block, size_t row) {
      const auto add = [&](const std::string& key) {
        units[key].name = NameOfRow(block, row);
        Note(result.counted_below, block, row);
      };
      if (set.field == nullptr) {
        add(block.IdOf(row).ToString());
      } else {
        ForEachKey(set, block, row, add);
      }
    });
    Find(node.source, frame, std::string::npos, units, result);
    Finish(node, units, result);
    return result;
  }

  Result FigureCoverage(const MeasureNode& node, const Frame& frame) {
    Result found =
        node.source.field == nullptr ? Count(node.source, frame) : Distinct(node.source, frame);
    Result figure = Figure(node.units, frame);
    Result result;
    Join(result, found, figure);
    result.counted = std::move(found.counted);
    result.counted_below = std::move(figure.counted);
    if (result.has_value()) Quotient(result, found, figure);
    return result;
  }

  // ---- registered figures -----------------------------------------------------------------------

  // The newest figure of each area.
  using Figures = std::map<std::string, FactRef>;

  struct FigureFields {
    const Column* value = nullptr;
    const Column* as_of = nullptr;
    const Column* source = nullptr;  // null: not told
  };

  static FigureFields FieldsOf(const FactBlock& block) {
    FigureFields fields;
    fields.value = &block.column(*block.type().FindField("value"));
    fields.as_of = &block.column(*block.type().FindField("as_of_date"));
    const RecordField* source = block.type().FindField("source");
    if (source != nullptr && !block.column(*source).values.empty()) {
      fields.source = &block.column(*source);
    }
    return fields;
  }

  Figures FiguresOf(const Units& units, const Frame& frame) const {
    Figures figures;
    const RecordType& type = *units.source.type;
    const RecordField& kind_field = *type.FindField("kind");
    const RecordField& year_field = *type.FindField("year");
    for (const auto& block : facts_.OfType(&type)) {
      const Column& kind = block->column(kind_field);
      const Column& year = block->column(year_field);
      const Column& as_of = *FieldsOf(*block).as_of;
      const RowRange range = block->Within(frame.area);
      for (size_t row = range.begin; row < range.end; ++row) {
        if (kind.values[row] != units.figure->number() || year.values[row] != frame.year) continue;
        if (block->confirmed()[row] == 0 && !unconfirmed_) continue;
        FactRef& kept = figures[block->AreaOf(row)];
        // Blocks come by year and rows by day, then id: the last of two is the newer.
        const bool newer = kept.block == nullptr ||
                           as_of.values[row] >= FieldsOf(*kept.block).as_of->values[kept.row];
        if (newer) kept = {block.get(), row};
      }
    }
    return figures;
  }

  // An area's own figure, else the sum of those beneath it, all of which must be there.
  void Resolve(const Figures& figures, const std::string& area, Result& result) const {
    const auto own = figures.find(area);
    if (own != figures.end()) {
      result.counted.push_back(own->second);
      return;
    }
    const size_t next = area.size() == 6 ? 9 : area.size() == 9 ? 12 : 0;
    const std::vector<std::string> beneath =
        next == 0 ? std::vector<std::string>() : facts_.AreasWithin(area, next);
    if (beneath.empty()) result.missing.push_back(facts_.NameOf(area));
    for (const std::string& child : beneath) Resolve(figures, child, result);
  }

  Result Figure(const Units& units, const Frame& frame) const {
    Result result;
    Resolve(FiguresOf(units, frame), frame.area, result);
    if (!result.missing.empty()) {
      result.counted.clear();
      result.Lack(v1::ABSENCE_NO_FIGURE);
      result.notes.push_back(absl::StrCat(EntryWord(*units.figure, zh_),
                                          zh_ ? "尚未登记齐全" : ": not all registered"));
      return result;
    }
    Wide sum = 0;
    int64_t first = 0;
    int64_t last = 0;
    std::set<std::string> sources;
    for (size_t i = 0; i < result.counted.size(); ++i) {
      const FactRef& row = result.counted[i];
      const FigureFields fields = FieldsOf(*row.block);
      sum += fields.value->values[row.row];
      const int64_t day = fields.as_of->values[row.row];
      first = i == 0 ? day : std::min(first, day);
      last = i == 0 ? day : std::max(last, day);
      if (fields.source != nullptr && fields.source->values[row.row] != kAbsent) {
        sources.emplace(WordOf(*fields.source, fields.source->values[row.row]));
      }
    }
    result.Set(sum);
    result.notes.push_back(
        FigureNote(*units.figure, sum, result.counted.size(), first, last, sources));
    if (!records_) result.counted.clear();
    return result;
  }

  // 户数1234（13处合计，截至2024-06-30，来源：统计年鉴）
  std::string FigureNote(const google::protobuf::EnumValueDescriptor& figure, Wide sum,
                         size_t figures, int64_t first, int64_t last,
                         const std::set<std::string>& sources) const {
    std::vector<std::string> parts;
    if (figures > 1) {
      parts.push_back(zh_ ? absl::StrCat(figures, "处合计") : absl::StrCat("sum of ", figures));
    }
    std::string day = FormatDay(DayOfNumber(first));
    if (last != first) {
      absl::StrAppend(&day, zh_ ? "至" : " to ", FormatDay(DayOfNumber(last)));
    }
    parts.push_back(absl::StrCat(zh_ ? "截至" : "as of ", day));
    if (!sources.empty()) {
      std::vector<std::string> shown(sources.begin(), sources.end());
      const bool more = shown.size() > kMaxSources;
      if (more) shown.resize(kMaxSources);
      parts.push_back(
          absl::StrCat(zh_ ? "来源：" : "source: ", absl::StrJoin(shown, zh_ ? "、" : "; "),
                       more ? (zh_ ? "等" : " and others") : ""));
    }
    return absl::StrCat(EntryWord(figure, zh_), zh_ ? "" : " ", ::fadu::scoring::DigitsOf(sum),
                        zh_ ? "（" : " (", absl::StrJoin(parts, zh_ ? "，" : ", "),
                        zh_ ? "）" : ")");
  }

  const FactSet& facts_;
  const bool unconfirmed_;
  const bool records_;
  const bool zh_;
  // Deadlines by (amount, unit), then start: the due day, and whether it may move.
  std::map<std::pair<int, int>, std::unordered_map<int64_t, std::pair<int64_t, bool>>> due_;
};

// Names, sorted, each once.
std::vector<std::string> NamesOf(const std::vector<FactRef>& rows) {
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (const FactRef& row : rows) names.push_back(row.RecordName());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool IsTimesHundred(v1::MeasureKind kind) {
  return kind == v1::MEASURE_KIND_RATIO || kind == v1::MEASURE_KIND_POINTS;
}

// numerator ÷ denominator as the kind is read, without its unit.
std::string NumberText(const v1::MeasureValue& value, int places, Rounding rounding, bool trim) {
  const Wide hundred = IsTimesHundred(value.kind()) ? 100 : 1;
  return Decimal(value.numerator() * hundred, value.denominator(), places, rounding, trim);
}

// The exact value in 64 bits, reduced when it would not fit otherwise; a number that is no ratio is
// always reduced to a whole one when it is whole.
void SetExact(Result& result, v1::MeasureValue& value) {
  if (result.has_value()) {
    const bool ratio = IsTimesHundred(value.kind());
    if (!Fits(result.numerator) || !Fits(result.denominator) ||
        (!ratio && result.denominator != 1 && result.numerator % result.denominator == 0)) {
      const Wide common = Gcd(result.numerator, result.denominator);
      result.numerator /= common;
      result.denominator /= common;
    }
    if (!Fits(result.numerator) || !Fits(result.denominator)) result.Lack(v1::ABSENCE_OUT_OF_RANGE);
  }
  value.set_absence(result.absence);
  if (Fits(result.numerator) && result.absence != v1::ABSENCE_OUT_OF_RANGE) {
    value.set_numerator(static_cast<int64_t>(result.numerator));
  }
  value.set_denominator(static_cast<int64_t>(result.denominator));
}

std::string TextOf(const v1::MeasureValue& value, bool quotient, bool zh) {
  if (!HasValue(value)) {
    const auto* why = v1::Absence_descriptor()->FindValueByNumber(value.absence());
    return absl::StrCat(zh ? "无（" : "none (", EntryWord(*why, zh), zh ? "）" : ")");
  }
  switch (value.kind()) {
    case v1::MEASURE_KIND_RATIO:
      return NumberText(value, kPlaces, Rounding::kHalfUp, true) + "%";
    case v1::MEASURE_KIND_POINTS:
      return absl::StrCat(NumberText(value, kPlaces, Rounding::kHalfUp, true),
                          zh ? "个百分点" : " percentage points");
    default:
      break;
  }
  // A decimal that was added up is shown as it is, one that was divided with two places.
  const int places = value.denominator() == 1 ? 0 : quotient ? kPlaces : 4;
  return NumberText(value, places, Rounding::kHalfUp, true);
}

}  // namespace

Evaluation Evaluate(const Measure& measure, const FactSet& facts, const EvalScope& scope,
                    absl::string_view language) {
  const bool zh = language != "en";
  Evaluation evaluation;
  v1::MeasureValue& value = evaluation.value;
  if (measure.root == nullptr) {
    value.set_absence(v1::ABSENCE_NO_RECORD);
    return evaluation;
  }
  Frame frame;
  frame.area = scope.area_code;
  frame.year = scope.year;
  frame.within = scope.within;
  frame.term = scope.term;
  frame.as_of = facts.context().as_of;
  Result result =
      Evaluator(facts, scope.include_unconfirmed, scope.records, zh).Of(*measure.root, frame);
  value.set_kind(measure.kind());
  value.set_is_ratio(measure.is_ratio());
  value.set_expression(ToString(measure));
  value.set_label(LabelOf(measure, language));
  value.set_provisional(result.provisional);
  SetExact(result, value);
  value.set_text(TextOf(value, result.quotient, zh));
  value.set_missing_count(static_cast<int64_t>(result.missing.size()));
  for (size_t i = 0; i < result.missing.size() && i < kMaxMissing; ++i) {
    value.add_missing(result.missing[i]);
  }
  for (size_t i = 0; i < result.notes.size() && i < kMaxNotes; ++i) {
    value.add_notes(result.notes[i]);
  }
  evaluation.records = NamesOf(result.counted);
  evaluation.denominator_records = NamesOf(result.counted_below);
  return evaluation;
}

std::string FormatValue(const v1::MeasureValue& value, int places, Rounding rounding) {
  if (!HasValue(value) || value.kind() == v1::MEASURE_KIND_TEXT) return "";
  return absl::StrCat(NumberText(value, std::clamp(places, 0, kMaxPlaces), rounding, false),
                      value.kind() == v1::MEASURE_KIND_RATIO ? "%" : "");
}

}  // namespace fadu::scoring
