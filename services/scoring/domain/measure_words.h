// services/scoring/domain/measure_words.h
//
// The words of the measure language, shared by those who read and those who write it.
#ifndef FADU_SERVICES_SCORING_DOMAIN_MEASURE_WORDS_H_
#define FADU_SERVICES_SCORING_DOMAIN_MEASURE_WORDS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "services/scoring/domain/measure.h"

namespace fadu::scoring {

// What a function takes.
enum class Takes {
  kRecords,   // S
  kField,     // S.f of any kind
  kQuantity,  // S.f numeric, or S with a span
  kDeadline,  // S with a span that has a deadline
  kCoverage,  // S[.f] of units
  kFigure,    // the kind of a registered denominator
  kAreas,     // a set of areas
  kYears,     // S, with a least number
  kMean,      // an expression over a set of areas
};

struct MeasureFunction {
  absl::string_view name;
  MeasureNode::Op op;
  Takes takes;
  fadu::scoring::v1::MeasureKind kind;
};

inline constexpr MeasureFunction kMeasureFunctions[] = {
    {"count", MeasureNode::Op::kCount, Takes::kRecords, v1::MEASURE_KIND_NUMBER},
    {"sum", MeasureNode::Op::kSum, Takes::kQuantity, v1::MEASURE_KIND_NUMBER},
    {"average", MeasureNode::Op::kAverage, Takes::kQuantity, v1::MEASURE_KIND_NUMBER},
    {"min", MeasureNode::Op::kMin, Takes::kQuantity, v1::MEASURE_KIND_NUMBER},
    {"max", MeasureNode::Op::kMax, Takes::kQuantity, v1::MEASURE_KIND_NUMBER},
    {"distinct", MeasureNode::Op::kDistinct, Takes::kField, v1::MEASURE_KIND_NUMBER},
    {"late", MeasureNode::Op::kLate, Takes::kDeadline, v1::MEASURE_KIND_NUMBER},
    {"ontime", MeasureNode::Op::kOntime, Takes::kDeadline, v1::MEASURE_KIND_RATIO},
    {"coverage", MeasureNode::Op::kCoverage, Takes::kCoverage, v1::MEASURE_KIND_RATIO},
    {"denominator", MeasureNode::Op::kDenominator, Takes::kFigure, v1::MEASURE_KIND_NUMBER},
    {"size", MeasureNode::Op::kSize, Takes::kAreas, v1::MEASURE_KIND_NUMBER},
    {"gap", MeasureNode::Op::kGap, Takes::kRecords, v1::MEASURE_KIND_DAYS},
    {"least", MeasureNode::Op::kLeast, Takes::kCoverage, v1::MEASURE_KIND_NUMBER},
    {"latest", MeasureNode::Op::kLatest, Takes::kField, v1::MEASURE_KIND_NUMBER},
    {"years", MeasureNode::Op::kYears, Takes::kYears, v1::MEASURE_KIND_NUMBER},
    {"mean", MeasureNode::Op::kMean, Takes::kMean, v1::MEASURE_KIND_NUMBER},
};

// A set of areas: its word and what people call one of them.
struct AreaSet {
  absl::string_view name;
  Units::Kind kind;
  absl::string_view zh;
  absl::string_view en;
};

inline constexpr AreaSet kAreaSets[] = {
    {"villages", Units::Kind::kVillages, "村（社区）", "villages"},
    {"communities", Units::Kind::kCommunities, "社区", "communities"},
    {"ruralvillages", Units::Kind::kRuralVillages, "行政村", "rural villages"},
    {"towns", Units::Kind::kTowns, "乡镇", "towns"},
};

// "days", "workdays", "plaindays".
absl::string_view UnitName(DateSpan::Unit unit);

// A vocabulary entry's label, or its code when it has none.
std::string EntryWord(const google::protobuf::EnumValueDescriptor& entry, bool zh);

// "数量", "比率".
std::string KindWord(fadu::scoring::v1::MeasureKind kind, bool zh);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_DOMAIN_MEASURE_WORDS_H_
