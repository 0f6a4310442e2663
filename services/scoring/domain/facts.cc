#include "services/scoring/domain/facts.h"

#include <algorithm>
#include <utility>

#include <google/protobuf/descriptor_database.h>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "common/base/area_code.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "services/scoring/domain/fact_block.h"

namespace fadu::scoring {

FactSet::Blocks BlocksOf(std::vector<FactView> facts) {
  std::map<std::pair<const RecordType*, int>, std::vector<FactView>> groups;
  for (FactView& fact : facts) {
    const auto year = static_cast<int>(fact.counted_on.year());
    groups[{fact.type, year}].push_back(std::move(fact));
  }
  FactSet::Blocks blocks;
  for (auto& [group, members] : groups) {
    blocks.push_back(FactBlock::Build(*group.first, group.second, std::move(members)));
  }
  return blocks;
}

FactSet FactSet::Build(std::vector<FactView> facts, FactContext context) {
  return FromBlocks(BlocksOf(std::move(facts)), std::move(context));
}

FactSet FactSet::FromBlocks(Blocks blocks, FactContext context) {
  FactSet set;
  set.SetContext(std::move(context));
  for (auto& block : blocks) {
    set.size_ += block->rows();
    set.by_type_[&block->type()].push_back(std::move(block));
  }
  for (auto& [type, list] : set.by_type_) {
    std::stable_sort(list.begin(), list.end(),
                     [](const auto& a, const auto& b) { return a->year() < b->year(); });
  }
  return set;
}

void FactSet::SetContext(FactContext context) {
  context_ = std::move(context);
  names_.clear();
  for (const v1::AreaNode& area : context_.areas) names_[area.code()] = area.name();
}

FactSet FactSet::With(FactContext context) const {
  FactSet set = *this;
  set.SetContext(std::move(context));
  return set;
}

const FactSet::Blocks& FactSet::OfType(const RecordType* type) const {
  const auto found = by_type_.find(type);
  return found == by_type_.end() ? none_ : found->second;
}

absl::optional<FactRef> FactSet::Find(absl::string_view record_name) const {
  const std::vector<absl::string_view> parts = absl::StrSplit(record_name, '/');
  if (parts.size() != 4) return absl::nullopt;
  const absl::StatusOr<Uuid> id = Uuid::Parse(parts[3]);
  if (!id.ok()) return absl::nullopt;
  for (const auto& [type, blocks] : by_type_) {
    if (type->collection() != parts[2]) continue;
    for (const auto& block : blocks) {
      const absl::optional<size_t> row = block->RowOf(*id);
      if (row.has_value()) return FactRef{block.get(), *row};
    }
  }
  return absl::nullopt;
}

std::vector<std::string> FactSet::AreasWithin(absl::string_view area, size_t digits) const {
  std::vector<std::string> codes;
  for (auto found = names_.lower_bound(std::string(area));
       found != names_.end() && IsWithin(found->first, area); ++found) {
    if (found->first.size() == digits) codes.push_back(found->first);
  }
  return codes;
}

std::string FactSet::NameOf(const std::string& area) const {
  const auto found = names_.find(area);
  return found == names_.end() || found->second.empty() ? area : found->second;
}

bool FactSet::IsFrozen(absl::string_view area) const {
  return std::any_of(context_.frozen.begin(), context_.frozen.end(),
                     [&](const std::string& frozen) { return IsWithin(area, frozen); });
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
