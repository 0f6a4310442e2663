#include "services/scoring/domain/fact_block.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/status.h"

namespace fadu::scoring {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kDigits = 12;
constexpr int64_t kLengths = 16;  // more than any code is long
constexpr int64_t kLeast = kAbsent + 1;
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// A code as a number that sorts as the tree does: padded with zeros, an area before what is in it.
// 0 for what is no code.
int64_t AreaKey(absl::string_view code) {
  int64_t number = 0;
  if (code.size() > kDigits || !absl::SimpleAtoi(code, &number)) return 0;
  for (size_t i = code.size(); i < kDigits; ++i) number *= 10;
  return number * kLengths + static_cast<int64_t>(code.size());
}

std::string AreaOfKey(int64_t key) {
  std::string digits = absl::StrCat(key / kLengths);
  digits.insert(0, kDigits - std::min(kDigits, digits.size()), '0');
  return digits.substr(0, static_cast<size_t>(key % kLengths));
}

// The first key after all that lies in an area.
int64_t KeyAfter(absl::string_view code) {
  int64_t width = 1;
  for (size_t i = code.size(); i < kDigits; ++i) width *= 10;
  return (AreaKey(code) / kLengths + width) * kLengths;
}

int64_t DateValue(const std::string& text) {
  const absl::StatusOr<absl::CivilDay> day = ParseDay(text);
  return day.ok() ? DayNumber(*day) : kAbsent;
}

// The value of one item of a field that is no text.
int64_t NumberOf(const Message& message, const RecordField& field, int index) {
  const Reflection* reflection = message.GetReflection();
  const FieldDescriptor* descriptor = field.descriptor;
  const bool repeated = descriptor->is_repeated();
  switch (descriptor->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return DateValue(repeated ? reflection->GetRepeatedString(message, descriptor, index)
                                : reflection->GetString(message, descriptor));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = repeated ? reflection->GetRepeatedEnumValue(message, descriptor, index)
                                  : reflection->GetEnumValue(message, descriptor);
      const bool known = descriptor->enum_type()->FindValueByNumber(number) != nullptr;
      return number == 0 || !known ? kAbsent : number;
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return (repeated ? reflection->GetRepeatedBool(message, descriptor, index)
                       : reflection->GetBool(message, descriptor))
                 ? 1
                 : 0;
    case FieldDescriptor::CPPTYPE_INT32:
      return repeated ? reflection->GetRepeatedInt32(message, descriptor, index)
                      : reflection->GetInt32(message, descriptor);
    case FieldDescriptor::CPPTYPE_UINT32:
      return repeated ? reflection->GetRepeatedUInt32(message, descriptor, index)
                      : reflection->GetUInt32(message, descriptor);
    case FieldDescriptor::CPPTYPE_INT64:
      return std::max(kLeast, repeated ? reflection->GetRepeatedInt64(message, descriptor, index)
                                       : reflection->GetInt64(message, descriptor));
    case FieldDescriptor::CPPTYPE_UINT64: {
      const uint64_t number = repeated ? reflection->GetRepeatedUInt64(message, descriptor, index)
                                       : reflection->GetUInt64(message, descriptor);
      return static_cast<int64_t>(std::min<uint64_t>(number, kMost));
    }
    default:
      return kAbsent;
  }
}

Column ColumnOf(const RecordField& field, const std::vector<FactView>& facts) {
  Column column;
  column.repeated = field.repeated();
  const bool text = field.kind == ValueKind::kText;
  std::vector<std::string> texts;  // as many as values
  if (column.repeated) column.offsets.push_back(0);
  for (const FactView& fact : facts) {
    const Message& message = *fact.values;
    const Reflection* reflection = message.GetReflection();
    const int count = column.repeated ? reflection->FieldSize(message, field.descriptor) : 1;
    for (int i = 0; i < count; ++i) {
      int64_t value = kAbsent;
      if (text) {
        std::string word = column.repeated
                               ? reflection->GetRepeatedString(message, field.descriptor, i)
                               : reflection->GetString(message, field.descriptor);
        if (column.repeated && word.empty()) continue;
        texts.push_back(std::move(word));
      } else {
        value = NumberOf(message, field, i);
        if (column.repeated && value == kAbsent) continue;
      }
      column.values.push_back(value);
    }
    if (column.repeated) column.offsets.push_back(static_cast<uint32_t>(column.values.size()));
  }
  if (!text) return column;
  column.words = texts;
  std::sort(column.words.begin(), column.words.end());
  column.words.erase(std::unique(column.words.begin(), column.words.end()), column.words.end());
  if (!column.words.empty() && column.words[0].empty()) column.words.erase(column.words.begin());
  for (size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].empty()) continue;
    column.values[i] =
        std::lower_bound(column.words.begin(), column.words.end(), texts[i]) - column.words.begin();
  }
  return column;
}

// Both ends included; low above high: nothing.
struct Interval {
  int64_t low = 1;
  int64_t high = 0;
};

// Where a text stands, or would stand, among the sorted words: [first, after).
std::pair<int64_t, int64_t> PlaceOf(const std::vector<std::string>& words,
                                    const std::string& text) {
  const auto found = std::equal_range(words.begin(), words.end(), text);
  return {found.first - words.begin(), found.second - words.begin()};
}

// The values that an operator other than != lets through.
Interval IntervalOf(const FilterNode& node, const Column& column) {
  if (node.op == CompareOp::kPresent) return {kLeast, kMost};
  int64_t first = 0;
  int64_t after = 0;
  switch (node.value.kind) {
    case ValueKind::kText:
      std::tie(first, after) = PlaceOf(column.words, node.value.text);
      break;
    case ValueKind::kDate:
      first = DateValue(node.value.text);
      after = first + 1;
      break;
    case ValueKind::kCode: {
      const auto* entry = FindEnumCode(node.field->descriptor->enum_type(), node.value.text);
      first = entry == nullptr ? 0 : entry->number();
      after = entry == nullptr ? 0 : first + 1;
      break;
    }
    case ValueKind::kInt:
    case ValueKind::kPoints:
    case ValueKind::kBool:
      // The greatest integer has none after it.
      if (node.value.number == kMost) {
        switch (node.op) {
          case CompareOp::kGt:
            return {};
          case CompareOp::kLe:
            return {kLeast, kMost};
          case CompareOp::kLt:
            return {kLeast, kMost - 1};
          default:
            return {kMost, kMost};
        }
      }
      first = std::max(kLeast, node.value.number);
      after = first + 1;
      break;
  }
  switch (node.op) {
    case CompareOp::kLt:
      return {kLeast, first - 1};
    case CompareOp::kLe:
      return {kLeast, after - 1};
    case CompareOp::kGt:
      return {after, kMost};
    case CompareOp::kGe:
      return {first, kMost};
    default:
      return {first, after - 1};
  }
}

bool AnyWithin(const Column& column, size_t row, int64_t low, int64_t high) {
  for (uint32_t i = column.offsets[row]; i < column.offsets[row + 1]; ++i) {
    if (column.values[i] >= low && column.values[i] <= high) return true;
  }
  return false;
}

}  // namespace

std::shared_ptr<const FactBlock> FactBlock::Build(const RecordType& type, int year,
                                                  std::vector<FactView> facts) {
  std::sort(facts.begin(), facts.end(), [](const FactView& a, const FactView& b) {
    const int64_t a_key = AreaKey(a.area_code);
    const int64_t b_key = AreaKey(b.area_code);
    if (a_key != b_key) return a_key < b_key;
    if (a.counted_on != b.counted_on) return a.counted_on < b.counted_on;
    return a.id < b.id;
  });
  std::shared_ptr<FactBlock> block(new FactBlock);
  block->type_ = &type;
  block->year_ = year;
  for (const FactView& fact : facts) {
    const absl::StatusOr<Uuid> id = Uuid::Parse(fact.id);
    if (!id.ok()) (void)FADU_BUG(absl::StrCat("a fact with the id ", fact.id));
    block->areas_.push_back(AreaKey(fact.area_code));
    block->days_.push_back(DayNumber(fact.counted_on));
    block->confirmed_.push_back(fact.confirmed ? 1 : 0);
    block->ids_.push_back(id.value_or(Uuid()));
  }
  block->by_id_.resize(block->ids_.size());
  std::iota(block->by_id_.begin(), block->by_id_.end(), 0U);
  std::sort(block->by_id_.begin(), block->by_id_.end(),
            [&](uint32_t a, uint32_t b) { return block->ids_[a] < block->ids_[b]; });
  for (const RecordField& field : type.fields()) {
    const bool used = field.comparable && !field.sealed &&
                      (field.options.measure() || field.name() == "area_code" ||
                       field.name() == type.options().counting_date());
    block->columns_.push_back(used ? ColumnOf(field, facts) : Column());
  }
  return block;
}

RowRange FactBlock::Within(absl::string_view area) const {
  const auto begin = std::lower_bound(areas_.begin(), areas_.end(), AreaKey(area));
  const auto end = std::lower_bound(begin, areas_.end(), KeyAfter(area));
  return {static_cast<size_t>(begin - areas_.begin()), static_cast<size_t>(end - areas_.begin())};
}

absl::optional<size_t> FactBlock::RowOf(const Uuid& id) const {
  const auto found =
      std::lower_bound(by_id_.begin(), by_id_.end(), id,
                       [&](uint32_t row, const Uuid& wanted) { return ids_[row] < wanted; });
  if (found == by_id_.end() || ids_[*found] != id) return absl::nullopt;
  return *found;
}

const Column& FactBlock::column(const RecordField& field) const {
  return columns_[static_cast<size_t>(&field - type_->fields().data())];
}

std::string FactBlock::AreaOf(size_t row) const { return AreaOfKey(areas_[row]); }

std::string FactBlock::RecordName(size_t row) const {
  return absl::StrCat("counties/", CountyOf(AreaOf(row)), "/", type_->collection(), "/",
                      ids_[row].ToString());
}

const RecordType& FactRef::type() const { return block->type(); }
std::string FactRef::area_code() const { return block->AreaOf(row); }
absl::CivilDay FactRef::counted_on() const { return DayOfNumber(block->days()[row]); }
bool FactRef::confirmed() const { return block->confirmed()[row] != 0; }
std::string FactRef::RecordName() const { return block->RecordName(row); }

std::vector<Value> FactRef::ValuesOf(const RecordField& field) const {
  std::vector<Value> values;
  const Column& column = block->column(field);
  if (column.values.empty()) return values;
  const size_t begin = column.repeated ? column.offsets[row] : row;
  const size_t end = column.repeated ? column.offsets[row + 1] : row + 1;
  for (size_t i = begin; i < end; ++i) {
    const int64_t number = column.values[i];
    if (number == kAbsent) continue;
    Value& value = values.emplace_back();
    value.kind = field.kind;
    switch (field.kind) {
      case ValueKind::kText:
        value.text = column.words[static_cast<size_t>(number)];
        break;
      case ValueKind::kCode:
        value.text =
            EnumCode(field.descriptor->enum_type()->FindValueByNumber(static_cast<int>(number)));
        break;
      case ValueKind::kDate:
        value.text = FormatDay(DayOfNumber(number));
        break;
      case ValueKind::kInt:
      case ValueKind::kPoints:
      case ValueKind::kBool:
        value.number = number;
        break;
    }
  }
  return values;
}

void KeepWithin(const int64_t* values, size_t count, int64_t low, int64_t high, uint8_t* mask) {
  for (size_t i = 0; i < count; ++i) {
    mask[i] = static_cast<uint8_t>(mask[i] & static_cast<uint8_t>(values[i] >= low) &
                                   static_cast<uint8_t>(values[i] <= high));
  }
}

void KeepWithin(const Column& column, RowRange range, int64_t low, int64_t high, uint8_t* mask) {
  low = std::max(low, kLeast);
  if (!column.repeated) {
    KeepWithin(column.values.data() + range.begin, range.size(), low, high, mask);
    return;
  }
  for (size_t row = range.begin; row < range.end; ++row) {
    if (!AnyWithin(column, row, low, high)) mask[row - range.begin] = 0;
  }
}

void DropWithin(const Column& column, RowRange range, int64_t low, int64_t high, uint8_t* mask) {
  std::vector<uint8_t> inside(range.size(), 1);
  KeepWithin(column, range, low, high, inside.data());
  for (size_t i = 0; i < range.size(); ++i) {
    mask[i] = static_cast<uint8_t>(mask[i] & (1U ^ inside[i]));
  }
}

void KeepMatching(const FilterNode& filter, const FactBlock& block, RowRange range, uint8_t* mask) {
  switch (filter.type) {
    case FilterNode::Type::kAnd:
      for (const FilterNode& child : filter.children) KeepMatching(child, block, range, mask);
      return;
    case FilterNode::Type::kOr: {
      std::vector<uint8_t> any(range.size(), 0);
      std::vector<uint8_t> one(range.size());
      for (const FilterNode& child : filter.children) {
        std::fill(one.begin(), one.end(), uint8_t{1});
        KeepMatching(child, block, range, one.data());
        for (size_t i = 0; i < any.size(); ++i) any[i] = static_cast<uint8_t>(any[i] | one[i]);
      }
      for (size_t i = 0; i < any.size(); ++i) mask[i] = static_cast<uint8_t>(mask[i] & any[i]);
      return;
    }
    case FilterNode::Type::kNot: {
      std::vector<uint8_t> inner(range.size(), 1);
      KeepMatching(filter.children[0], block, range, inner.data());
      for (size_t i = 0; i < inner.size(); ++i) {
        mask[i] = static_cast<uint8_t>(mask[i] & (1U ^ inner[i]));
      }
      return;
    }
    case FilterNode::Type::kCompare: {
      const Column& column = block.column(*filter.field);
      const Interval interval = IntervalOf(filter, column);
      if (filter.op == CompareOp::kNe) {
        DropWithin(column, range, interval.low, interval.high, mask);
      } else {
        KeepWithin(column, range, interval.low, interval.high, mask);
      }
      return;
    }
    case FilterNode::Type::kBlind:
      (void)FADU_BUG("a sealed field in a filter over facts");
      std::fill(mask, mask + range.size(), uint8_t{0});
      return;
  }
}

}  // namespace fadu::scoring
