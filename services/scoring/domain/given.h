// services/scoring/domain/given.h
//
// What people and outside handed in for a run, found by what it is about. Of two that say the same
// thing the later one counts.
#ifndef FADU_SERVICES_SCORING_DOMAIN_GIVEN_H_
#define FADU_SERVICES_SCORING_DOMAIN_GIVEN_H_

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "services/scoring/domain/engine.h"

namespace fadu::scoring {

// Borrows the inputs; immutable.
class GivenIndex {
 public:
  explicit GivenIndex(const RunInputs& inputs);

  // The year's rulings about a unit: one for each item, in the order of items.
  std::vector<const fadu::assessment::v1::Ruling*> RulingsOf(const std::string& area,
                                                             const std::string& key) const;
  // The year's result of another scheme; `period` empty: of the whole year. Null when there is
  // none, or none of that version.
  const fadu::assessment::v1::ImportedResult* ResultOf(const std::string& area,
                                                       const std::string& scheme,
                                                       const std::string& version,
                                                       const std::string& period) const;
  // All of the year's results of parts of the year, by period.
  std::vector<const fadu::assessment::v1::ImportedResult*> RoundsOf(
      const std::string& area, const std::string& scheme) const;
  // Null when there is none.
  const fadu::assessment::v1::ExternalFigure* FigureOf(const std::string& area,
                                                       const std::string& key, int year) const;
  // The year's decisions on a clause.
  std::vector<const fadu::assessment::v1::Adjustment*> AdjustmentsOf(const std::string& area,
                                                                     const std::string& line,
                                                                     int clause) const;
  // Who bears a record; null when nothing was attributed.
  const fadu::assessment::v1::ResponsibilitySplit* SplitOf(const std::string& record) const;
  // Something was attributed at all.
  bool has_splits() const { return !splits_.empty(); }
  // The year's sample for a clause; null when none was drawn.
  const fadu::assessment::v1::Sample* SampleOf(const std::string& area, const std::string& line,
                                               int clause) const;
  // The marks of a clause in a part of the year ("" the year), in the order of items and assessors.
  std::vector<const fadu::assessment::v1::Mark*> MarksOf(const std::string& area,
                                                         const std::string& line, int clause,
                                                         const std::string& period) const;

 private:
  using Place = std::tuple<std::string, std::string, int>;  // area, line, clause
  std::map<std::pair<std::string, std::string>,
           std::map<std::string, const fadu::assessment::v1::Ruling*>>
      rulings_;  // area, key → item
  std::map<std::tuple<std::string, std::string, std::string>,
           std::vector<const fadu::assessment::v1::ImportedResult*>>
      results_;  // area, scheme, period; the later ones last
  std::map<std::tuple<std::string, std::string, int>, const fadu::assessment::v1::ExternalFigure*>
      figures_;
  std::map<Place, std::vector<const fadu::assessment::v1::Adjustment*>> adjustments_;
  std::map<std::string, const fadu::assessment::v1::ResponsibilitySplit*> splits_;
  std::map<Place, const fadu::assessment::v1::Sample*> samples_;
  std::map<Place, std::map<std::tuple<std::string, std::string, std::string>,
                           const fadu::assessment::v1::Mark*>>
      marks_;  // period, item, assessor
};

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_GIVEN_H_
