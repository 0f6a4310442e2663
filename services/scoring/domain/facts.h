// services/scoring/domain/facts.h
//
// The facts of one county, of every year, arranged for evaluation, and what they are read against:
// areas, the last day that is known, the working calendar.
#ifndef FADU_SERVICES_SCORING_DOMAIN_FACTS_H_
#define FADU_SERVICES_SCORING_DOMAIN_FACTS_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/types/optional.h"
#include "common/base/working_calendar.h"
#include "common/schema/record_type.h"
#include "fadu/scoring/v1/score.pb.h"

namespace fadu::scoring {

class FactBlock;

// One fact of a fact set; as long as the set lives.
struct FactRef {
  const FactBlock* block = nullptr;
  size_t row = 0;
  const RecordType& type() const;
  std::string area_code() const;
  absl::CivilDay counted_on() const;
  bool confirmed() const;
  // counties/{county}/{collection}/{id}
  std::string RecordName() const;
  // As RecordType::ValuesOf of the message; nothing for a field that measures may not use.
  std::vector<Value> ValuesOf(const RecordField& field) const;
};

// One fact, decoded. Only facts that hold (newest revision, no tombstone) come here.
struct FactView {
  std::string service;  // "mediation"
  const RecordType* type = nullptr;
  std::string id;  // the record's id
  int64_t revision = 0;
  std::string area_code;
  absl::CivilDay counted_on;
  bool confirmed = false;
  std::shared_ptr<const google::protobuf::Message> values;
};

// What facts are read against, beside themselves.
struct FactContext {
  // The area tree: what coverage is over, what peers there are, what is missing by name. Any order.
  std::vector<fadu::scoring::v1::AreaNode> areas;
  // The last day that is known: what is open then and due is late, and a stock is never taken
  // later. Absent: the last day of whatever is evaluated.
  absl::optional<absl::CivilDay> as_of;
  // Areas whose figures no longer change, each with all beneath it.
  std::vector<std::string> frozen;
  // Outlives the facts.
  const WorkingCalendar* calendar = &WorkingCalendar::Shipped();
};

// Immutable after Build; copies share what they hold.
class FactSet {
 public:
  // Shared: blocks are immutable, and a cache and several fact sets may hold the same one.
  using Blocks = std::vector<std::shared_ptr<const FactBlock>>;

  // The types outlive it. The order of `facts` does not matter.
  static FactSet Build(std::vector<FactView> facts, FactContext context = {});
  // The order of `blocks` does not matter.
  static FactSet FromBlocks(Blocks blocks, FactContext context = {});

  // The same facts, read against something else.
  FactSet With(FactContext context) const;

  // The blocks of one type by year, none for a type without facts.
  const Blocks& OfType(const RecordType* type) const;
  // The fact of a record by the name that evaluations list.
  absl::optional<FactRef> Find(absl::string_view record_name) const;
  const FactContext& context() const { return context_; }
  // The areas with a code of `digits` digits that are `area` or lie under it, by code.
  std::vector<std::string> AreasWithin(absl::string_view area, size_t digits) const;
  // Its name, else the code itself.
  std::string NameOf(const std::string& area) const;
  bool IsFrozen(absl::string_view area) const;
  size_t size() const { return size_; }

 private:
  void SetContext(FactContext context);

  std::map<const RecordType*, Blocks> by_type_;
  Blocks none_;
  FactContext context_;
  std::map<std::string, std::string> names_;  // of areas, by code
  size_t size_ = 0;
};

// Facts in blocks, one for each type and year of the counting date.
FactSet::Blocks BlocksOf(std::vector<FactView> facts);

// The record types that measures may name: those of every service that feeds scoring.
const RecordTypes& MeasurableTypes();

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_FACTS_H_
