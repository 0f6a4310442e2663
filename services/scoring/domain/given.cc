#include "services/scoring/domain/given.h"

namespace fadu::scoring {

namespace assessment = ::fadu::assessment::v1;

GivenIndex::GivenIndex(const RunInputs& inputs) {
  const int year = inputs.snapshot.year();
  for (const assessment::Ruling& ruling : inputs.rulings) {
    if (ruling.year() != year) continue;
    rulings_[{ruling.area_code(), ruling.key()}][ruling.item()] = &ruling;
  }
  for (const assessment::ImportedResult& result : inputs.results) {
    if (result.year() != year) continue;
    results_[{result.area_code(), result.scheme(), result.period()}].push_back(&result);
  }
  for (const assessment::ExternalFigure& figure : inputs.figures) {
    figures_[{figure.area_code(), figure.key(), figure.year()}] = &figure;
  }
  for (const assessment::Adjustment& adjustment : inputs.adjustments) {
    if (adjustment.year() != year) continue;
    adjustments_[{adjustment.area_code(), adjustment.line_id(), adjustment.clause()}].push_back(
        &adjustment);
  }
  for (const assessment::ResponsibilitySplit& split : inputs.splits) {
    splits_[split.record()] = &split;
  }
  for (const assessment::Sample& sample : inputs.samples) {
    if (sample.year() != year) continue;
    samples_[{sample.area_code(), sample.line_id(), sample.clause()}] = &sample;
  }
  for (const assessment::Mark& mark : inputs.marks) {
    marks_[{mark.area_code(), mark.line_id(), mark.clause()}]
          [{mark.period(), mark.item(), mark.assessor()}] = &mark;
  }
}

std::vector<const assessment::Ruling*> GivenIndex::RulingsOf(const std::string& area,
                                                             const std::string& key) const {
  std::vector<const assessment::Ruling*> rulings;
  const auto found = rulings_.find({area, key});
  if (found == rulings_.end()) return rulings;
  for (const auto& [item, ruling] : found->second) rulings.push_back(ruling);
  return rulings;
}

const assessment::ImportedResult* GivenIndex::ResultOf(const std::string& area,
                                                       const std::string& scheme,
                                                       const std::string& version,
                                                       const std::string& period) const {
  const auto found = results_.find({area, scheme, period});
  if (found == results_.end()) return nullptr;
  for (auto result = found->second.rbegin(); result != found->second.rend(); ++result) {
    if (version.empty() || (*result)->version() == version) return *result;
  }
  return nullptr;
}

std::vector<const assessment::ImportedResult*> GivenIndex::RoundsOf(
    const std::string& area, const std::string& scheme) const {
  std::vector<const assessment::ImportedResult*> rounds;
  for (auto found = results_.lower_bound({area, scheme, ""}); found != results_.end(); ++found) {
    const auto& [of_area, of_scheme, period] = found->first;
    if (of_area != area || of_scheme != scheme) break;
    if (!period.empty()) rounds.push_back(found->second.back());
  }
  return rounds;
}

const assessment::ExternalFigure* GivenIndex::FigureOf(const std::string& area,
                                                       const std::string& key, int year) const {
  const auto found = figures_.find({area, key, year});
  return found == figures_.end() ? nullptr : found->second;
}

std::vector<const assessment::Adjustment*> GivenIndex::AdjustmentsOf(const std::string& area,
                                                                     const std::string& line,
                                                                     int clause) const {
  const auto found = adjustments_.find({area, line, clause});
  return found == adjustments_.end() ? std::vector<const assessment::Adjustment*>() : found->second;
}

const assessment::ResponsibilitySplit* GivenIndex::SplitOf(const std::string& record) const {
  const auto found = splits_.find(record);
  return found == splits_.end() ? nullptr : found->second;
}

const assessment::Sample* GivenIndex::SampleOf(const std::string& area, const std::string& line,
                                               int clause) const {
  const auto found = samples_.find({area, line, clause});
  return found == samples_.end() ? nullptr : found->second;
}

std::vector<const assessment::Mark*> GivenIndex::MarksOf(const std::string& area,
                                                         const std::string& line, int clause,
                                                         const std::string& period) const {
  std::vector<const assessment::Mark*> marks;
  const auto found = marks_.find({area, line, clause});
  if (found == marks_.end()) return marks;
  for (const auto& [key, mark] : found->second) {
    if (std::get<0>(key) == period) marks.push_back(mark);
  }
  return marks;
}

}  // namespace fadu::scoring
