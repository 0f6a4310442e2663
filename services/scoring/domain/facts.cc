#include <algorithm>

#include <google/protobuf/descriptor_database.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/area_code.h"
#include "common/base/status.h"
#include "services/scoring/domain/engine.h"

namespace fadu::scoring {

std::string FactView::RecordName() const {
  return absl::StrCat("counties/", CountyOf(area_code), "/", type->collection(), "/", id);
}

FactSet FactSet::Build(std::vector<FactView> facts) {
  FactSet set;
  for (FactView& fact : facts) {
    set.facts_.push_back(std::make_unique<FactView>(std::move(fact)));
    const FactView* placed = set.facts_.back().get();
    set.by_type_[placed->type].push_back(placed);
  }
  for (auto& [type, list] : set.by_type_) {
    std::sort(list.begin(), list.end(), [](const FactView* a, const FactView* b) {
      if (a->area_code != b->area_code) return a->area_code < b->area_code;
      if (a->counted_on != b->counted_on) return a->counted_on < b->counted_on;
      return a->id < b->id;
    });
  }
  return set;
}

const std::vector<const FactView*>& FactSet::OfType(const RecordType* type) const {
  const auto found = by_type_.find(type);
  return found == by_type_.end() ? none_ : found->second;
}

const RecordTypes& MeasurableTypes() {
  // Every record type linked into the program, but those that scoring takes as its own inputs: a
  // new service's types, or a test's, need no line here.
  static const RecordTypes* const types = [] {
    std::vector<std::string> files;
    google::protobuf::DescriptorPool::internal_generated_database()->FindAllFileNames(&files);
    std::vector<std::string> packages;
    for (const std::string& name : files) {
      const auto* file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
      if (file != nullptr && absl::StartsWith(file->package(), "fadu.") &&
          file->package() != "fadu.assessment.v1") {
        packages.push_back(file->package());
      }
    }
    auto made = RecordTypes::FromPackages(packages);
    if (!made.ok()) (void)FADU_BUG(made.status().message());
    return made.ok() ? made->release() : new RecordTypes;
  }();
  return *types;
}

}  // namespace fadu::scoring
