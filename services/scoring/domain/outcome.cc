#include "services/scoring/domain/outcome.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/area_code.h"
#include "services/scoring/domain/modifiers.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

// The key under which units are compared only with each other.
std::string PeerGroupOf(const RunContext& run, assessment::PeerSet peers, const std::string& code) {
  if (peers == assessment::PEER_SET_TOWN) return code.substr(0, 9);
  if (peers == assessment::PEER_SET_CLASS) {
    const assessment::UnitClass* unit_class = ClassOf(run.rubric.rubric(), code);
    return unit_class == nullptr ? "" : unit_class->name();
  }
  return "";
}

// Rated units that are compared with each other.
std::map<std::string, std::vector<SheetOutcome*>> PeerGroups(const RunContext& run,
                                                             assessment::PeerSet peers,
                                                             Sheets& sheets) {
  std::map<std::string, std::vector<SheetOutcome*>> groups;
  for (auto& [code, sheet] : sheets) {
    if (!sheet.sheet.unrated()) groups[PeerGroupOf(run, peers, code)].push_back(&sheet);
  }
  return groups;
}

// Above zero when `a` stands before `b`: by total, then by the tie-breaks of the rubric.
class Order {
 public:
  explicit Order(const RunContext& run) : run_(run), rubric_(run.rubric.rubric()) {
    for (int i = 0; i < rubric_.groups_size(); ++i) {
      if (rubric_.groups(i).parent().empty()) top_groups_.push_back(i);
    }
  }

  int Compare(const SheetOutcome& a, const SheetOutcome& b) const {
    if (const int by_total = Sign(a.sheet.total_e4(), b.sheet.total_e4()); by_total != 0) {
      return by_total;
    }
    for (const int rule : rubric_.ranking().tie_breaks()) {
      if (const int by_rule = Break(rule, a, b); by_rule != 0) return by_rule;
    }
    return 0;
  }

 private:
  template <typename Value>
  static int Sign(const Value& a, const Value& b) {
    return a > b ? 1 : a < b ? -1 : 0;
  }

  int Break(int rule, const SheetOutcome& a, const SheetOutcome& b) const {
    switch (rule) {
      case assessment::TIE_BREAK_FEWER_GATES:
        return Sign(b.sheet.gates_size(), a.sheet.gates_size());
      case assessment::TIE_BREAK_HEAVIEST_GROUP: {
        const int heaviest = Heaviest(a);
        if (heaviest < 0) return 0;
        const auto at = static_cast<size_t>(heaviest);
        return Sign(a.groups[at].value, b.groups[at].value);
      }
      case assessment::TIE_BREAK_LAST_YEAR:
        return Sign(LastTotal(a), LastTotal(b));
      default:
        return 0;
    }
  }

  // The group directly under the whole with the greatest maximum; the first of equals.
  int Heaviest(const SheetOutcome& sheet) const {
    int heaviest = -1;
    for (const int i : top_groups_) {
      if (heaviest < 0 || sheet.groups[static_cast<size_t>(i)].max >
                              sheet.groups[static_cast<size_t>(heaviest)].max) {
        heaviest = i;
      }
    }
    return heaviest;
  }

  int64_t LastTotal(const SheetOutcome& sheet) const {
    const auto* figure =
        run_.given.FigureOf(sheet.sheet.area_code(), "total", run_.inputs.snapshot.year() - 1);
    return figure == nullptr ? 0 : figure->value_e4();
  }

  const RunContext& run_;
  const assessment::Rubric& rubric_;
  std::vector<int> top_groups_;
};

// Best first; equals in the order of codes.
void SortBest(const Order& order, std::vector<SheetOutcome*>& peers) {
  std::stable_sort(peers.begin(), peers.end(), [&](const SheetOutcome* a, const SheetOutcome* b) {
    return order.Compare(*a, *b) > 0;
  });
}

// O03: those beyond the quota fall to the next tier.
void ApplyQuotas(const RunContext& run, const Order& order, Sheets& sheets) {
  const assessment::Rubric& rubric = run.rubric.rubric();
  for (const assessment::Quota& quota : rubric.quotas()) {
    int tier = -1;
    for (int i = 0; i < rubric.tiers_size(); ++i) {
      if (rubric.tiers(i).name() == quota.tier()) tier = i;
    }
    if (tier < 0 || tier + 1 >= rubric.tiers_size()) continue;
    for (auto& [key, peers] : PeerGroups(run, quota.peers(), sheets)) {
      SortBest(order, peers);
      Fraction share = Fraction(static_cast<int64_t>(peers.size())) *
                       Fraction::Of(quota.percent_e4(), 100 * Points::kScale);
      share = quota.round_up() ? share.Ceil() : share.Floor();
      const size_t places = quota.percent_e4() > 0
                                ? static_cast<size_t>(share.RoundTo(4, Rounding::kCut).units())
                                : static_cast<size_t>(quota.count());
      std::vector<SheetOutcome*> in_tier;
      for (SheetOutcome* peer : peers) {
        if (peer->tier == tier) in_tier.push_back(peer);
      }
      if (in_tier.size() <= places) continue;
      // Units that stand on the last place together are in together, or out together.
      size_t end = places;
      const auto tied = [&](size_t i) {
        return i > 0 && i < in_tier.size() && order.Compare(*in_tier[i - 1], *in_tier[i]) == 0;
      };
      if (quota.ties_in()) {
        while (end > 0 && tied(end)) ++end;
      } else {
        while (tied(end)) --end;
      }
      for (size_t i = end; i < in_tier.size(); ++i) {
        v1::ScoreSheet& sheet = in_tier[i]->sheet;
        in_tier[i]->tier = tier + 1;
        if (sheet.tier_by_points().empty()) sheet.set_tier_by_points(sheet.tier());
        sheet.set_tier(rubric.tiers(tier + 1).name());
        sheet.set_quota_tier(quota.tier());
      }
    }
  }
}

// O02: ranks, the last place, prizes.
void Rank(const RunContext& run, const Order& order, Sheets& sheets) {
  const assessment::Rubric& rubric = run.rubric.rubric();
  const assessment::Ranking& ranking = rubric.ranking();
  for (auto& [key, peers] : PeerGroups(run, ranking.peers(), sheets)) {
    SortBest(order, peers);
    bool provisional = false;
    for (size_t i = 0; i < peers.size(); ++i) {
      const bool tied = i > 0 && order.Compare(*peers[i - 1], *peers[i]) == 0;
      peers[i]->sheet.set_rank(tied ? peers[i - 1]->sheet.rank() : static_cast<int32_t>(i + 1));
      peers[i]->sheet.set_ranked(static_cast<int32_t>(peers.size()));
      provisional = provisional || peers[i]->sheet.provisional();
    }
    // One peer that may still move makes every rank provisional.
    for (SheetOutcome* peer : peers) {
      if (provisional) peer->sheet.set_provisional(true);
    }
    if (ranking.has_last() && peers.size() > 1) {
      const int32_t last = peers.back()->sheet.rank();
      for (SheetOutcome* peer : peers) {
        if (peer->sheet.rank() != last || last == 1) continue;
        std::string what = ranking.last().what();
        const auto* again = run.given.FigureOf(peer->sheet.area_code(), ranking.last().figure(),
                                               run.inputs.snapshot.year() - 1);
        if (!ranking.last().again().empty() && again != nullptr && again->value_e4() > 0) {
          what = ranking.last().again();
        }
        peer->sheet.set_last_place(what);
        if (ranking.last().bars_award()) peer->sheet.set_award_barred(true);
      }
    }
    // A prize goes to the next units in rank that reach its floor; those on one rank share it even
    // beyond its places. Places that nobody reaches stay empty.
    size_t next = 0;
    std::vector<SheetOutcome*> candidates;
    for (SheetOutcome* peer : peers) {
      if (!peer->sheet.award_barred()) candidates.push_back(peer);
    }
    for (const assessment::Prize& prize : ranking.prizes()) {
      const auto reaches = [&](const SheetOutcome& sheet) {
        return !prize.has_from_e4() || sheet.sheet.total_e4() >= prize.from_e4();
      };
      int32_t given = 0;
      while (next < candidates.size() && reaches(*candidates[next]) &&
             (given < prize.places() ||
              candidates[next]->sheet.rank() == candidates[next - 1]->sheet.rank())) {
        candidates[next]->sheet.set_prize(prize.name());
        ++next;
        ++given;
      }
    }
  }
}

// O05, rounded to a cent.
void PayMoney(RunContext& run, SheetOutcome& outcome) {
  const assessment::Rubric& rubric = run.rubric.rubric();
  v1::ScoreSheet& sheet = outcome.sheet;
  for (const assessment::Money& rule : rubric.money()) {
    Fraction amount;
    const Fraction total = sheet.total_e4();
    const UnitContext unit = ContextOf(run, sheet.area_code(), "zh");
    const bool cut_off = rule.has_cut_off_e4() && sheet.total_e4() < rule.cut_off_e4();
    if (!cut_off && !sheet.unrated()) {
      const int64_t per_point =
          ClassValueOf(rubric, sheet.area_code(), rule.by_class()).value_or(rule.per_point_e4());
      amount += total / Points::kScale * per_point;
      if (rule.base_e4() > 0 && sheet.max_e4() > 0) {
        amount += Fraction(rule.base_e4()) * Fraction::Of(sheet.total_e4(), sheet.max_e4());
      }
      if (rule.has_streak() && Judge(unit, rule.when()).truth == Truth::kTrue) {
        const int64_t year = StreakYear(unit, rule.streak());
        const int count = rule.streak().amounts_e4_size();
        if (count > 0) {
          amount += rule.streak().amounts_e4(static_cast<int>(std::min<int64_t>(year, count)) - 1);
        }
      }
    }
    v1::MoneyResult& result = *sheet.add_money();
    result.set_what(rule.what());
    result.set_amount_e4(std::max(Fraction(), amount).RoundTo(2, Rounding::kHalfUp).units());
  }
}

// O06
void RecheckTitles(RunContext& run, SheetOutcome& outcome) {
  v1::ScoreSheet& sheet = outcome.sheet;
  const UnitContext unit = ContextOf(run, sheet.area_code(), "zh");
  for (const assessment::Recheck& rule : run.rubric.rubric().rechecks()) {
    if (Judge(unit, rule.held()).truth != Truth::kTrue) continue;
    const bool vetoed =
        std::any_of(sheet.gates().begin(), sheet.gates().end(), [](const v1::ShutGate& gate) {
          return gate.effect() == assessment::GATE_EFFECT_UNQUALIFIED;
        });
    const bool cancelled = !rule.cancelled().empty() &&
                           (vetoed || (rule.has_cancel_when() &&
                                       Judge(unit, rule.cancel_when()).truth == Truth::kTrue));
    v1::TitleResult& result = *sheet.add_titles();
    result.set_title(rule.title());
    if (cancelled) {
      result.set_outcome(rule.cancelled());
      continue;
    }
    for (const assessment::RecheckOutcome& outcome_rule : rule.outcomes()) {
      if (sheet.total_e4() < outcome_rule.from_e4()) continue;
      result.set_outcome(outcome_rule.name());
      break;
    }
  }
}

}  // namespace

bool NeedsAllSheets(const assessment::Rubric& rubric) {
  return rubric.has_ranking() || !rubric.quotas().empty();
}

SheetOutcome ScoreOne(RunContext& run, const std::string& area_code, const std::string& language) {
  SheetOutcome outcome = ScoreSheet(run, area_code, language);
  PayMoney(run, outcome);
  RecheckTitles(run, outcome);
  return outcome;
}

Sheets ScoreAll(RunContext& run, const std::string& language) {
  Sheets sheets;
  for (const std::string& code : run.units) sheets.emplace(code, ScoreOne(run, code, language));
  const assessment::Rubric& rubric = run.rubric.rubric();
  // Without a decision there are no ranks, and nothing that rests on them.
  if (!rubric.has_ranking()) return sheets;
  const Order order(run);
  ApplyQuotas(run, order, sheets);
  Rank(run, order, sheets);
  return sheets;
}

std::vector<v1::ApplicationShort> ShortApplications(const RunContext& run, const Sheets& sheets) {
  std::vector<v1::ApplicationShort> shorts;
  for (const assessment::Applications& rule : run.rubric.rubric().applications()) {
    for (const std::string& area : rule.areas()) {
      int32_t entered = 0;
      for (const auto& [code, sheet] : sheets) {
        if (IsWithin(code, area) && !sheet.sheet.unrated()) ++entered;
      }
      if (entered >= rule.at_least()) continue;
      v1::ApplicationShort& entry = shorts.emplace_back();
      entry.set_area_code(area);
      entry.set_at_least(rule.at_least());
      entry.set_entered(entered);
    }
  }
  return shorts;
}

}  // namespace fadu::scoring
