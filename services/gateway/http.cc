#include "services/gateway/http.h"

#include "absl/strings/str_cat.h"

namespace fadu::gateway {

std::string HttpHead::Header(absl::string_view name) const {
  std::string value;
  for (const auto& [key, text] : headers) {
    if (key != name) continue;
    if (!value.empty()) value.append(", ");
    value.append(text);
  }
  return value;
}

}  // namespace fadu::gateway
