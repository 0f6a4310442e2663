#include "services/scoring/domain/burden.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "services/scoring/domain/compiled_rubric.h"

namespace fadu::scoring {
namespace {

namespace assessment = ::fadu::assessment::v1;

// Collects what a measure reads.
class Fields {
 public:
  explicit Fields(std::set<std::string>& fields) : fields_(fields) {}

  void Node(const MeasureNode& node) {
    for (const MeasureNode& child : node.children) Node(child);
    Of(node.source);
    Of(node.units.source);
  }

 private:
  void Add(const RecordType& type, const RecordField* field) {
    if (field != nullptr) Add(type, field->name());
  }
  void Add(const RecordType& type, const std::string& field) {
    fields_.insert(absl::StrCat(type.collection(), ".", field));
  }

  void Of(const Source& source) {
    if (source.type == nullptr) return;
    const RecordType& type = *source.type;
    Add(type, "area_code");
    Add(type, std::string(type.options().counting_date()));
    Add(type, source.field);
    Add(type, source.by);
    Add(type, source.until);
    if (source.span.has_value()) {
      Add(type, source.span->from);
      Add(type, source.span->to);
      Add(type, source.span->due);
    }
    Filter(type, source.filter);
  }

  void Filter(const RecordType& type, const FilterNode& filter) {
    Add(type, filter.field);
    for (const FilterNode& child : filter.children) Filter(type, child);
  }

  std::set<std::string>& fields_;
};

void Take(const RubricSource& source, LineBurden& burden) {
  switch (source.kind) {
    case RubricSource::Kind::kMeasure:
      if (source.measure.root != nullptr) Fields(burden.fields).Node(*source.measure.root);
      return;
    case RubricSource::Kind::kRuling:
      burden.rulings.insert(source.key);
      return;
    case RubricSource::Kind::kResult:
    case RubricSource::Kind::kFigure:
      burden.outside.insert(source.key);
      return;
  }
}

// Fields that a clause reads of the records it counts, beside its measures.
void TakeClause(const assessment::Clause& clause, const RubricSource& source, LineBurden& burden) {
  const RecordType* type = CountedTypeOf(source);
  if (type == nullptr) return;
  for (const std::string& field :
       {clause.same(), clause.lateness().done(), clause.lateness().start(),
        clause.lateness().reminder(), clause.remedy().reminder(), clause.remedy().done(),
        clause.honour().issuer(), clause.honour().withdrawn(), clause.honour().shared_by()}) {
    if (!field.empty()) burden.fields.insert(absl::StrCat(type->collection(), ".", field));
  }
}

}  // namespace

absl::StatusOr<std::vector<LineBurden>> BurdenOf(const assessment::Rubric& rubric,
                                                 const RecordTypes& types) {
  FADU_ASSIGN_OR_RETURN(const CompiledRubric compiled, CompiledRubric::Compile(rubric, types));
  std::vector<LineBurden> lines;
  for (const assessment::Line& line : rubric.lines()) {
    LineBurden& burden = lines.emplace_back();
    burden.line_id = line.id();
    burden.files.insert(line.evidence().begin(), line.evidence().end());
    ForEachMeasure(line, "", [&](const std::string&, const std::string& text) {
      Take(compiled.SourceOf(text), burden);
    });
    for (const assessment::Clause& clause : line.clauses()) {
      if (clause.has_judged()) ++burden.marks;
      if (clause.has_imported()) burden.outside.insert(clause.imported().scheme());
      ForEachMeasure(clause, "", [&](const std::string&, const std::string& text) {
        TakeClause(clause, compiled.SourceOf(text), burden);
      });
    }
  }
  return lines;
}

LineBurden TotalBurden(const std::vector<LineBurden>& lines) {
  LineBurden total;
  for (const LineBurden& line : lines) {
    total.fields.insert(line.fields.begin(), line.fields.end());
    total.files.insert(line.files.begin(), line.files.end());
    total.rulings.insert(line.rulings.begin(), line.rulings.end());
    total.outside.insert(line.outside.begin(), line.outside.end());
    total.marks += line.marks;
  }
  return total;
}

}  // namespace fadu::scoring
