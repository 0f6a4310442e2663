#include "common/schema/reason.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "fadu/common/v1/options.pb.h"

namespace fadu {

std::string LocalizedText(const absl::Status& status, absl::string_view language) {
  const ErrorDetail detail = DetailOf(status);
  const auto* reasons = google::protobuf::DescriptorPool::generated_pool()->FindEnumTypeByName(
      absl::StrCat(detail.domain, ".Reason"));
  const auto* value = reasons == nullptr ? nullptr : reasons->FindValueByName(detail.reason);
  if (value == nullptr) return std::string(status.message());
  const auto& label = value->options().GetExtension(::fadu::common::v1::label);
  std::string text = language == "en" ? label.en() : label.zh();
  if (text.empty()) return std::string(status.message());
  std::vector<std::pair<std::string, std::string>> replacements;
  for (const auto& [key, replacement] : detail.metadata) {
    replacements.emplace_back(absl::StrCat("{", key, "}"), replacement);
  }
  return absl::StrReplaceAll(text, replacements);
}

}  // namespace fadu
