// Records one by one: what is set aside because it counts elsewhere (M13), others bear it (M06),
// its award does not hold (L19), or it is the same thing as another (M04).

#include <algorithm>
#include <map>
#include <utility>

#include "services/scoring/domain/clause.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

// A record and how much of it this unit has.
struct Item {
  std::string record;
  Fraction weight = 1;
};

// Anything that needs a look at single records.
bool LooksAtRecords(const ClauseContext& context) {
  const assessment::Clause& clause = context.clause;
  const assessment::Honour& honour = clause.honour();
  return !clause.exclude().empty() ||
         (clause.attribution() != assessment::ATTRIBUTION_UNSPECIFIED &&
          context.unit.run.given.has_splits()) ||
         !honour.issuer().empty() || !honour.withdrawn().empty() || !honour.shared_by().empty();
}

// M06: this unit's part of a record.
Fraction PartOf(const assessment::ResponsibilitySplit& split, const std::string& area,
                assessment::Attribution attribution) {
  int64_t all = 0;
  int64_t own = 0;
  const assessment::Share* greatest = nullptr;
  for (const assessment::Share& share : split.shares()) {
    all += share.parts();
    if (share.area_code() == area) own += share.parts();
    if (greatest == nullptr || share.parts() > greatest->parts() ||
        (share.parts() == greatest->parts() && share.area_code() < greatest->area_code())) {
      greatest = &share;
    }
  }
  switch (attribution) {
    case assessment::ATTRIBUTION_SPLIT:
      return all == 0 ? Fraction() : Fraction::Of(own, all);
    case assessment::ATTRIBUTION_FULL:
      return own > 0 ? 1 : 0;
    default:
      return greatest != nullptr && greatest->area_code() == area ? 1 : 0;
  }
}

class Sifter {
 public:
  Sifter(const ClauseContext& context, const std::string& part, ClauseOutcome& outcome)
      : context_(context), part_(part), outcome_(outcome) {}

  std::vector<Item> Sift(const std::string& measure, const Reading& reading) {
    std::vector<Item> items;
    for (Item& item : Borne(measure, reading)) {
      if (IsCountedElsewhere(item.record) || !Holds(item)) continue;
      items.push_back(std::move(item));
    }
    return items;
  }

 private:
  void Aside(SetAside::Why why, const std::string& record, const std::string& key) {
    outcome_.set_aside.push_back({why, record, key, part_, ""});
  }

  // The records this unit bears: its own, but for what was attributed.
  std::vector<Item> Borne(const std::string& measure, const Reading& reading) {
    const assessment::Attribution attribution = context_.clause.attribution();
    const GivenIndex& given = context_.unit.run.given;
    std::vector<Item> items;
    if (attribution == assessment::ATTRIBUTION_UNSPECIFIED || !given.has_splits()) {
      for (const std::string& record : reading.evaluation.records) items.push_back({record, 1});
      return items;
    }
    const std::string& area = context_.unit.area();
    for (const std::string& record : reading.evaluation.records) {
      if (given.SplitOf(record) == nullptr) items.push_back({record, 1});
    }
    for (const std::string& record : ReadCounty(context_.unit, measure).evaluation.records) {
      const assessment::ResponsibilitySplit* split = given.SplitOf(record);
      if (split == nullptr) continue;
      const Fraction part = PartOf(*split, area, attribution);
      if (part > Fraction()) {
        items.push_back({record, part});
      } else if (std::binary_search(reading.evaluation.records.begin(),
                                    reading.evaluation.records.end(), record)) {
        Aside(SetAside::Why::kElsewhere, record, "");
      }
    }
    return items;
  }

  // M13
  bool IsCountedElsewhere(const std::string& record) {
    for (const std::string& id : context_.clause.exclude()) {
      const int line = context_.unit.rubric().LineOf(id);
      if (context_.unit.counted == nullptr) continue;
      const auto counted = context_.unit.counted->find(line);
      if (counted == context_.unit.counted->end() || counted->second.count(record) == 0) continue;
      Aside(SetAside::Why::kExcluded, record, id);
      return true;
    }
    return false;
  }

  // L19: an award by a body on the list, not withdrawn; shared ones count in part.
  bool Holds(Item& item) {
    const assessment::Honour& honour = context_.clause.honour();
    const FactIndex& index = context_.unit.run.index;
    if (!honour.issuers().empty()) {
      const std::vector<std::string> values = index.ValuesOf(item.record, honour.issuer());
      const std::string issuer = values.empty() ? "" : values[0];
      if (std::find(honour.issuers().begin(), honour.issuers().end(), issuer) ==
          honour.issuers().end()) {
        Aside(SetAside::Why::kIssuer, item.record, issuer);
        return false;
      }
    }
    if (!honour.withdrawn().empty() && index.DayOf(item.record, honour.withdrawn()).has_value()) {
      Aside(SetAside::Why::kWithdrawn, item.record, "");
      return false;
    }
    if (!honour.shared_by().empty()) {
      const auto sharing = index.NumberOf(item.record, honour.shared_by());
      if (sharing.has_value() && *sharing > 1) item.weight = item.weight / Fraction(*sharing);
    }
    return true;
  }

  const ClauseContext& context_;
  const std::string& part_;
  ClauseOutcome& outcome_;
};

}  // namespace

Fraction CountOf(const ClauseContext& context, const std::string& measure, const Reading& reading,
                 const std::string& part, ClauseOutcome& outcome) {
  if (!LooksAtRecords(context)) {
    outcome.counted.insert(reading.evaluation.records.begin(), reading.evaluation.records.end());
    return reading.number / Points::kScale;
  }
  Fraction count;
  for (const Item& item : Sifter(context, part, outcome).Sift(measure, reading)) {
    count += item.weight;
    outcome.counted.insert(item.record);
  }
  return count;
}

// Of two equal places the first; within a place the record that comes first by name counts.
void CountThings(const ClauseContext& context, const std::vector<std::string>& measures,
                 const std::vector<int64_t>& per, ClauseOutcome& outcome) {
  struct Found {
    size_t part;
    Item item;
    std::string key;    // of the thing
    std::string shown;  // for people
  };
  std::vector<Found> all;
  for (size_t i = 0; i < outcome.parts.size(); ++i) {
    Sifter sifter(context, outcome.parts[i].name, outcome);
    for (Item& item : sifter.Sift(measures[i], outcome.parts[i].reading)) {
      const std::vector<std::string> values =
          context.unit.run.index.ValuesOf(item.record, context.clause.same());
      // What says that records are one thing: the field's value, or else the record itself.
      std::string key = values.empty() ? "record " + item.record : "value " + values[0];
      all.push_back({i, std::move(item), std::move(key), values.empty() ? "" : values[0]});
    }
  }
  std::map<std::string, size_t> dearest;  // thing → index in `all`
  for (size_t i = 0; i < all.size(); ++i) {
    const auto [kept, is_new] = dearest.emplace(all[i].key, i);
    if (!is_new && per[all[i].part] > per[all[kept->second].part]) kept->second = i;
  }
  for (size_t i = 0; i < all.size(); ++i) {
    const Found& kept = all[dearest[all[i].key]];
    if (&kept == &all[i]) {
      outcome.parts[all[i].part].count += all[i].item.weight;
      outcome.counted.insert(all[i].item.record);
    } else {
      outcome.set_aside.push_back({SetAside::Why::kSame, all[i].item.record, all[i].shown,
                                   outcome.parts[all[i].part].name, outcome.parts[kept.part].name});
    }
  }
}

}  // namespace fadu::scoring
