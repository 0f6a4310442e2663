// services/scoring/domain/modifiers.h
//
// Modifiers that work on the points a form came to. Those that work on what it counts are in
// items.cc (M04, M06, M13) and clause.cc (M08); the cap (M01) comes last, in clause.cc.
#ifndef FADU_SERVICES_SCORING_DOMAIN_MODIFIERS_H_
#define FADU_SERVICES_SCORING_DOMAIN_MODIFIERS_H_

#include <functional>

#include "services/scoring/domain/clause.h"

namespace fadu::scoring {

// M12: more for each counted record that was not put right after its reminder.
void EscalateUnremedied(const ClauseContext& context, ClauseOutcome& outcome);
// M02: in the order of the rubric, each on what those before it left; or the worst alone.
void Aggravate(const ClauseContext& context, ClauseOutcome& outcome);
// M03: in the order of the rubric, never below zero.
void Mitigate(const ClauseContext& context, ClauseOutcome& outcome);
// M07: the mean of what `score` makes of every area beneath the unit.
ClauseOutcome AverageOver(const ClauseContext& context,
                          const std::function<ClauseOutcome(const ClauseContext&)>& score);
// M05: the year of the streak decides how much the effect is.
void ApplyStreak(const ClauseContext& context, ClauseOutcome& outcome);
// The year of a streak that goes on with this one: 1 when nothing came before.
int64_t StreakYear(const UnitContext& unit, const fadu::assessment::v1::Streak& streak);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_MODIFIERS_H_
