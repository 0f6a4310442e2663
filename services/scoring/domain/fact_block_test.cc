#include "services/scoring/domain/fact_block.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/status_matchers.h"
#include "services/scoring/domain/measure_test_support.h"

namespace fadu::scoring {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const RecordType& Entries() { return *MeasureTypes().FindByCollection("entries"); }

std::shared_ptr<const FactBlock> BlockOf(const Ledger& ledger) {
  const FactSet::Blocks blocks = BlocksOf(ledger.facts);
  EXPECT_THAT(blocks, SizeIs(1));
  return blocks[0];
}

std::vector<std::string> AreasIn(const FactBlock& block, absl::string_view area) {
  std::vector<std::string> areas;
  const RowRange range = block.Within(area);
  for (size_t row = range.begin; row < range.end; ++row) areas.push_back(block.AreaOf(row));
  return areas;
}

TEST(FactBlock, AnAreaIsARangeOfRows) {
  Ledger ledger;
  for (const char* area : {kElsewhere, kSecond, kTownArea, kFirst, kCountyArea, "421222106200"}) {
    ledger.Add(On("2024-05-01", area));
  }
  const auto block = BlockOf(ledger);
  EXPECT_THAT(AreasIn(*block, kTownArea), ElementsAre(kTownArea, kFirst, kSecond));
  EXPECT_THAT(AreasIn(*block, kFirst), ElementsAre(kFirst));
  EXPECT_THAT(AreasIn(*block, kCountyArea),
              ElementsAre(kCountyArea, kTownArea, kFirst, kSecond, kElsewhere));
  EXPECT_THAT(AreasIn(*block, "421221108"), IsEmpty());
  EXPECT_THAT(AreasIn(*block, "42"), SizeIs(6));
}

// A town's own record is not of the village whose code is the town's and three zeros.
TEST(FactBlock, ATownIsNotAVillageOfTheSameDigits) {
  Ledger ledger;
  ledger.Add(On("2024-05-01", kTownArea));
  const auto block = BlockOf(ledger);
  EXPECT_THAT(AreasIn(*block, "421221106000"), IsEmpty());
}

TEST(FactBlock, RecordsAreNamedByCountyCollectionAndId) {
  Ledger ledger;
  ledger.Add(On("2024-05-01"));
  EXPECT_EQ(BlockOf(ledger)->RecordName(0),
            "counties/421221/entries/00000000-0000-7000-8000-000000000000");
}

TEST(FactBlock, ThereIsOneForEachYear) {
  Ledger ledger;
  for (const char* day : {"2023-12-31", "2024-01-01", "2024-12-31", "2025-01-01"}) {
    ledger.Add(On(day));
  }
  const FactSet facts = ledger.Build();
  const FactSet::Blocks& blocks = facts.OfType(&Entries());
  ASSERT_THAT(blocks, SizeIs(3));
  EXPECT_EQ(blocks[0]->year(), 2023);
  EXPECT_EQ(blocks[1]->rows(), 2U);
  EXPECT_EQ(facts.size(), 4U);
}

// An entry whose every field is one of few values, absent among them.
Entry AnyEntry(std::mt19937& random) {
  const auto pick = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
  const char* const texts[] = {"", "甲", "乙", "中心组", "a b"};
  const char* const days[] = {"", "2023-12-31", "2024-03-15", "2024-12-31"};
  Entry entry = On("2024-05-01");
  entry.set_kind(texts[pick(4)]);
  entry.set_audience(texts[pick(4)]);
  for (int i = pick(3); i > 0; --i) entry.add_topics(texts[pick(4)]);
  entry.set_outcome(static_cast<fadu::measurefixture::v1::Outcome>(pick(3)));
  entry.set_people(pick(4) - 2);
  entry.set_amount_e4(pick(3) * 5000);
  entry.set_closed_date(days[pick(3)]);
  entry.set_passed(pick(1) == 1);
  return entry;
}

std::string AnyFilter(std::mt19937& random, int depth) {
  const auto pick = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
  const char* const ops[] = {"=", "!=", "<", "<=", ">", ">="};
  const char* const texts[] = {"甲", "乙", "丙", "\"\"", "\"a b\"", "zz"};
  if (depth > 0 && pick(2) > 0) {
    const std::string a = AnyFilter(random, depth - 1);
    const std::string b = AnyFilter(random, depth - 1);
    switch (pick(2)) {
      case 0:
        return absl::StrCat("(", a, ") AND (", b, ")");
      case 1:
        return absl::StrCat("(", a, ") OR (", b, ")");
      default:
        return absl::StrCat("NOT (", a, ")");
    }
  }
  switch (pick(7)) {
    case 0:
      return absl::StrCat("kind ", ops[pick(5)], " ", texts[pick(5)]);
    case 1:
      return absl::StrCat("topics:", texts[pick(5)]);
    case 2:
      return absl::StrCat("outcome ", ops[pick(1)], " DONE");
    case 3:
      return absl::StrCat("people ", ops[pick(5)], " ", pick(4) - 2);
    case 4:
      return absl::StrCat("amount_e4 ", ops[pick(5)], " 0.", pick(9));
    case 5:
      return absl::StrCat("closed_date ", ops[pick(5)], " 2024-03-1", pick(9));
    case 6:
      return absl::StrCat("passed ", ops[pick(1)], " true");
    default:
      return absl::StrCat(pick(1) == 0 ? "topics" : pick(1) == 0 ? "kind" : "closed_date", ":*");
  }
}

// The same filter over columns and over messages.
TEST(FactBlockProperty, ColumnsMatchAsMessagesDo) {
  std::mt19937 random(20240315);
  for (int round = 0; round < 400; ++round) {
    Ledger ledger;
    for (int i = 0; i < 20; ++i) ledger.Add(AnyEntry(random));
    const auto block = BlockOf(ledger);
    const std::string text = AnyFilter(random, 3);
    const auto filter = ParseFilter(text, Entries(), FilterUse::kMeasure);
    ASSERT_THAT(filter, IsOk()) << text;
    std::vector<uint8_t> mask(block->rows(), 1);
    KeepMatching(*filter, *block, {0, block->rows()}, mask.data());
    for (size_t row = 0; row < block->rows(); ++row) {
      // One area, one day: rows stand in the order of ids.
      EXPECT_EQ(mask[row] != 0, Matches(*filter, Entries(), *ledger.facts[row].values))
          << text << " on " << ledger.facts[row].values->ShortDebugString();
    }
  }
}

TEST(FactBlock, TheGreatestAndTheLeastNumbersCompare) {
  const int64_t most = std::numeric_limits<int64_t>::max();
  Ledger ledger;
  for (const int64_t people : {most, most - 1, int64_t{0}, -most}) {
    Entry entry = On("2024-05-01");
    entry.set_people(people);
    ledger.Add(entry);
  }
  const auto block = BlockOf(ledger);
  for (const char* op : {"=", "!=", "<", "<=", ">", ">="}) {
    for (const int64_t value : {most, most - 1, -most}) {
      const std::string text = absl::StrCat("people ", op, " ", value);
      const auto filter = ParseFilter(text, Entries(), FilterUse::kMeasure);
      ASSERT_THAT(filter, IsOk()) << text;
      std::vector<uint8_t> mask(block->rows(), 1);
      KeepMatching(*filter, *block, {0, block->rows()}, mask.data());
      for (size_t row = 0; row < block->rows(); ++row) {
        EXPECT_EQ(mask[row] != 0, Matches(*filter, Entries(), *ledger.facts[row].values))
            << text << ", row " << row;
      }
    }
  }
}

TEST(FactSet, AFactIsFoundByItsNameAndSaysWhatItsMessageSays) {
  std::mt19937 random(3);
  Ledger ledger;
  for (int i = 0; i < 50; ++i) {
    Entry entry = AnyEntry(random);
    entry.set_held_date(i % 2 == 0 ? "2023-02-01" : "2024-02-01");
    entry.set_area_code(i % 3 == 0 ? kSecond : kFirst);
    ledger.Add(entry, /*confirmed=*/i % 5 != 0);
  }
  const FactSet facts = ledger.Build();
  for (const FactView& fact : ledger.facts) {
    const std::string name = absl::StrCat("counties/421221/entries/", fact.id);
    const absl::optional<FactRef> found = facts.Find(name);
    ASSERT_TRUE(found.has_value()) << name;
    EXPECT_EQ(found->RecordName(), name);
    EXPECT_EQ(found->area_code(), fact.area_code);
    EXPECT_EQ(found->counted_on(), fact.counted_on);
    EXPECT_EQ(found->confirmed(), fact.confirmed);
    for (const RecordField& field : Entries().fields()) {
      EXPECT_EQ(found->ValuesOf(field), Entries().ValuesOf(*fact.values, field)) << field.name();
    }
  }
  for (const char* name : {"", "entries", "counties/421221/entries/x",
                           "counties/421221/moons/00000000-0000-7000-8000-000000000000",
                           "counties/421221/entries/00000000-0000-7000-8000-999999999999"}) {
    EXPECT_FALSE(facts.Find(name).has_value()) << name;
  }
}

TEST(FactSet, AreasAreFoundByLevelAndNamed) {
  const FactSet facts = Ledger().Build();
  EXPECT_THAT(facts.AreasWithin(kTownArea, 12), ElementsAre(kCommunity, kFirst, kSecond));
  EXPECT_THAT(facts.AreasWithin(kCountyArea, 9), ElementsAre(kTownArea, kOtherTown));
  EXPECT_THAT(facts.AreasWithin(kFirst, 12), ElementsAre(kFirst));
  EXPECT_EQ(facts.NameOf(kFirst), "潘家湾村");
  EXPECT_EQ(facts.NameOf("421221999"), "421221999");
}

TEST(FactSet, AnAreaIsFrozenWithAllBeneathIt) {
  Ledger ledger;
  ledger.context.frozen = {kTownArea};
  const FactSet facts = ledger.Build();
  EXPECT_TRUE(facts.IsFrozen(kFirst));
  EXPECT_TRUE(facts.IsFrozen(kTownArea));
  EXPECT_FALSE(facts.IsFrozen(kElsewhere));
  EXPECT_FALSE(facts.IsFrozen(kCountyArea));
}

}  // namespace
}  // namespace fadu::scoring
