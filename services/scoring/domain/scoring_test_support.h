// services/scoring/domain/scoring_test_support.h
//
// Facts, marks and rubrics for tests of the engine.
#ifndef FADU_SERVICES_SCORING_DOMAIN_SCORING_TEST_SUPPORT_H_
#define FADU_SERVICES_SCORING_DOMAIN_SCORING_TEST_SUPPORT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/civil_day.h"
#include "common/base/points.h"
#include "fadu/education/v1/education_event.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "services/scoring/domain/engine.h"

namespace fadu::scoring {

inline constexpr char kVillage[] = "421221106200";

inline const RecordTypes& TestTypes() {
  static const RecordTypes* const types =
      RecordTypes::FromDescriptors({fadu::mediation::v1::Dispute::descriptor(),
                                    fadu::education::v1::EducationEvent::descriptor()})
          ->release();
  return *types;
}

// Collects facts; each gets an id of its own.
class Facts {
 public:
  Facts& Dispute(const std::string& found, fadu::mediation::v1::Outcome outcome,
                 const std::string& accepted = "", const std::string& area = kVillage) {
    auto dispute = std::make_shared<fadu::mediation::v1::Dispute>();
    dispute->set_area_code(area);
    dispute->set_found_date(found);
    dispute->set_category(fadu::mediation::v1::DISPUTE_CATEGORY_OTHER);
    dispute->set_outcome(outcome);
    dispute->set_accepted_date(accepted);
    Add("mediation", dispute->area_code(), found, dispute, "disputes");
    return *this;
  }
  Facts& Disputes(int settled, int other) {
    for (int i = 0; i < settled; ++i) Dispute("2024-03-01", fadu::mediation::v1::OUTCOME_SETTLED);
    for (int i = 0; i < other; ++i) Dispute("2024-03-01", fadu::mediation::v1::OUTCOME_UNSPECIFIED);
    return *this;
  }
  Facts& Event(const std::string& held, int participants = 30, const std::string& area = kVillage) {
    auto event = std::make_shared<fadu::education::v1::EducationEvent>();
    event->set_area_code(area);
    event->set_held_date(held);
    event->add_venues(fadu::education::v1::VENUE_VILLAGE);
    event->set_participants(participants);
    Add("education", area, held, event, "educationEvents");
    return *this;
  }
  Facts& Unconfirmed() {
    facts_.back().confirmed = false;
    return *this;
  }
  std::vector<FactView> facts() const { return facts_; }
  FactSet Build() const { return FactSet::Build(facts_); }

 private:
  void Add(const std::string& service, const std::string& area, const std::string& day,
           std::shared_ptr<const google::protobuf::Message> values, const std::string& collection) {
    FactView fact;
    fact.service = service;
    fact.type = TestTypes().FindByCollection(collection);
    fact.id = absl::StrCat("00000000-0000-7000-8000-",
                           100000000000 + static_cast<int64_t>(facts_.size()));
    fact.revision = 1;
    fact.area_code = area;
    fact.counted_on = *ParseDay(day);
    fact.confirmed = true;
    fact.values = std::move(values);
    facts_.push_back(std::move(fact));
  }
  std::vector<FactView> facts_;
};

// A rubric of one line, to be filled.
inline fadu::assessment::v1::Rubric OneLine(const std::string& max) {
  fadu::assessment::v1::Rubric rubric;
  rubric.set_year(2024);
  rubric.set_places(2);
  auto& line = *rubric.add_lines();
  line.set_id("1");
  line.set_title("一项");
  line.set_max_e4(Points::Parse(max)->units());
  line.set_basis("依据");
  line.set_scorer("镇司法所");
  for (const auto& [name, from] : {std::pair("优秀", 90), std::pair("良好", 80),
                                   std::pair("合格", 60), std::pair("不合格", 0)}) {
    auto& tier = *rubric.add_tiers();
    tier.set_name(name);
    tier.set_from_e4(Points::FromWhole(from).units());
  }
  return rubric;
}

inline RunInputs InputsOf(const fadu::assessment::v1::Rubric& rubric, const Facts& facts) {
  RunInputs inputs;
  inputs.rubric = rubric;
  inputs.snapshot.set_county_code("421221");
  inputs.snapshot.set_year(2024);
  for (const char* code : {"421221", "421221106", kVillage, "421221106201"}) {
    auto& area = *inputs.snapshot.add_areas();
    area.set_code(code);
    area.set_name(code);
  }
  inputs.facts = facts.Build();
  return inputs;
}

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_SCORING_TEST_SUPPORT_H_
