// services/scoring/domain/measure_test_support.h
//
// Records as facts, and measures over them, for tests.
#ifndef FADU_SERVICES_SCORING_DOMAIN_MEASURE_TEST_SUPPORT_H_
#define FADU_SERVICES_SCORING_DOMAIN_MEASURE_TEST_SUPPORT_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/optional.h"
#include "common/base/civil_day.h"
#include "fadu/education/v1/education_event.pb.h"
#include "fadu/measurefixture/v1/entry.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "fadu/registry/v1/records.pb.h"
#include "services/scoring/domain/measure.h"

namespace fadu::scoring {

using Entry = ::fadu::measurefixture::v1::Entry;

inline constexpr char kCountyArea[] = "421221";
inline constexpr char kTownArea[] = "421221106";
inline constexpr char kOtherTown[] = "421221107";
// Of the first town: two rural villages and a community; of the other one rural village.
inline constexpr char kFirst[] = "421221106200";
inline constexpr char kSecond[] = "421221106201";
inline constexpr char kCommunity[] = "421221106001";
inline constexpr char kElsewhere[] = "421221107200";

inline const RecordTypes& MeasureTypes() {
  // Held by a plain pointer: what is reachable is no leak.
  static const RecordTypes* const types =
      RecordTypes::FromDescriptors(
          {fadu::mediation::v1::Dispute::descriptor(),
           fadu::education::v1::EducationEvent::descriptor(),
           fadu::registry::v1::Organisation::descriptor(), fadu::registry::v1::Person::descriptor(),
           fadu::registry::v1::Denominator::descriptor(), Entry::descriptor()})
          ->release();
  return *types;
}

// 00000000-0000-7000-8000-00000000000n
inline std::string RecordId(size_t n) {
  return absl::StrFormat("00000000-0000-7000-8000-%012d", n);
}

// Records of a small county of two towns and four villages, in 2024.
class Ledger {
 public:
  Ledger() {
    const std::pair<const char*, const char*> areas[] = {
        {kCountyArea, "嘉鱼县"},    {kTownArea, "潘家湾镇"}, {kOtherTown, "陆溪镇"},
        {kCommunity, "潘家湾社区"}, {kFirst, "潘家湾村"},    {kSecond, "肖家洲村"},
        {kElsewhere, "印山村"}};
    for (const auto& [code, name] : areas) {
      fadu::scoring::v1::AreaNode& area = context.areas.emplace_back();
      area.set_code(code);
      area.set_name(name);
    }
  }

  // The record's place among all added, from 0; its id is RecordId(place).
  template <typename Message>
  size_t Add(const Message& message, bool confirmed = true) {
    FactView fact;
    fact.service = "test";
    fact.type = MeasureTypes().FindByName(Message::descriptor()->full_name());
    fact.id = RecordId(facts.size());
    fact.revision = 1;
    fact.area_code = fact.type->AreaOf(message);
    fact.counted_on = *ParseDay(fact.type->CountingDateOf(message));
    fact.confirmed = confirmed;
    fact.values = std::make_shared<Message>(message);
    facts.push_back(std::move(fact));
    return facts.size() - 1;
  }

  FactSet Build() const { return FactSet::Build(facts, context); }

  // Evaluates in Chinese for 2024; the test fails when the measure does not parse.
  Evaluation Eval(const std::string& text, EvalScope scope) const {
    const auto measure = ParseMeasure(text, MeasureTypes());
    EXPECT_TRUE(measure.ok()) << text << ": " << measure.status();
    if (!measure.ok()) return {};
    if (scope.year == 0) scope.year = 2024;
    return Evaluate(*measure, Build(), scope, "zh");
  }
  fadu::scoring::v1::MeasureValue Value(const std::string& text,
                                        const std::string& area = kCountyArea) const {
    EvalScope scope;
    scope.area_code = area;
    return Eval(text, scope).value;
  }
  std::string Text(const std::string& text, const std::string& area = kCountyArea) const {
    return Value(text, area).text();
  }

  std::vector<FactView> facts;
  FactContext context;
};

// An entry of the first village on that day.
inline Entry On(const std::string& day, const std::string& area = kFirst) {
  Entry entry;
  entry.set_area_code(area);
  entry.set_held_date(day);
  return entry;
}

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_MEASURE_TEST_SUPPORT_H_
