// services/scoring/domain/outcome.h
//
// What sheets come to beside each other and for themselves once their totals stand: ranks and
// prizes (O02), quotas (O03), money (O05), titles (O06). Ranks exist only where a decision has
// switched them on.
#ifndef FADU_SERVICES_SCORING_DOMAIN_OUTCOME_H_
#define FADU_SERVICES_SCORING_DOMAIN_OUTCOME_H_

#include <map>
#include <string>
#include <vector>

#include "services/scoring/domain/sheet.h"

namespace fadu::scoring {

// Every unit's sheet, by code.
using Sheets = std::map<std::string, SheetOutcome>;

// Scores every unit and settles their outcomes.
Sheets ScoreAll(RunContext& run, const std::string& language);

// The outcome of one unit's sheet depends on other units' sheets.
bool NeedsAllSheets(const fadu::assessment::v1::Rubric& rubric);

// One sheet by itself: for rubrics that need no others.
SheetOutcome ScoreOne(RunContext& run, const std::string& area_code, const std::string& language);

// O02: areas in which fewer units have entered than there should be.
std::vector<fadu::scoring::v1::ApplicationShort> ShortApplications(const RunContext& run,
                                                                   const Sheets& sheets);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_OUTCOME_H_
