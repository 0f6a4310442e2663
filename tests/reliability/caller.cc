#include "tests/reliability/caller.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "fadu/common/v1/options.pb.h"
#include "services/fadu/output.h"
#include "services/fadu/suite.h"

namespace fadu::reliability {

namespace v1 = ::fadu::common::v1;

absl::Status Caller::Call(const std::string& service, const std::string& method,
                          const std::string& county, const google::protobuf::Message& request,
                          google::protobuf::Message* response, absl::Duration patience) {
  FADU_ASSIGN_OR_RETURN(const std::string bearer, BearerOf("registry", county, ""));
  return CallWith(bearer, service, method, request, response, patience);
}

absl::Status Caller::CallAsService(const std::string& as, const std::string& service,
                                   const std::string& method,
                                   const google::protobuf::Message& request,
                                   google::protobuf::Message* response, absl::Duration patience) {
  FADU_ASSIGN_OR_RETURN(const std::string bearer, BearerOf(as, "", service));
  return CallWith(bearer, service, method, request, response, patience);
}

absl::Status Caller::CallWith(const std::string& bearer, const std::string& service,
                              const std::string& method, const google::protobuf::Message& request,
                              google::protobuf::Message* response, absl::Duration patience) {
  FADU_ASSIGN_OR_RETURN(const std::shared_ptr<rpc::Channel> channel, ChannelTo(service));
  rpc::CallOptions options;
  options.deadline = absl::Now() + patience;
  options.bearer = bearer;
  return channel->Call(method, request, response, options);
}

absl::StatusOr<std::shared_ptr<rpc::Channel>> Caller::ChannelTo(const std::string& service) {
  if (const auto found = channels_.find(service); found != channels_.end()) return found->second;
  FADU_ASSIGN_OR_RETURN(const auto endpoints, cli::ReadEndpoints(place_.endpoints));
  const auto found = endpoints.find(service);
  if (found == endpoints.end()) return absl::UnavailableError("nobody serves it now");
  return channels_[service] = rpc::Channel::ToAddress(found->second);
}

absl::StatusOr<std::string> Caller::BearerOf(const std::string& key, const std::string& county,
                                             const std::string& audience) {
  Bearer& known = bearers_[absl::StrCat(key, " ", county, " ", audience)];
  if (absl::Now() + absl::Minutes(1) < known.until) return known.text;
  FADU_ASSIGN_OR_RETURN(const std::unique_ptr<rpc::Signer> signer,
                        rpc::Signer::Load(place_.keys, key));
  v1::Identity identity;
  const absl::Time until = absl::Now() + rpc::kServiceLife;
  identity.set_expire_seconds(absl::ToUnixSeconds(until));
  if (county.empty()) {
    identity.set_subject(absl::StrCat("services/", key));
    identity.set_audience(audience);
  } else {
    identity.set_subject("accounts/018f0000-0000-7000-8000-0000000000fa");
    for (const v1::Role role :
         {v1::ROLE_TOWN_CLERK, v1::ROLE_TOWN_REVIEWER, v1::ROLE_COUNTY_REVIEWER,
          v1::ROLE_COUNTY_ADMIN, v1::ROLE_AUDITOR}) {
      v1::Grant& grant = *identity.add_grants();
      grant.set_role(role);
      grant.set_area_code(county);
    }
  }
  FADU_ASSIGN_OR_RETURN(known.text, signer->Sign(std::move(identity)));
  known.until = until;
  return known.text;
}

const std::vector<std::string>& Services() {
  static const auto* const services =
      new std::vector<std::string>{"education", "governance", "legality", "mediation"};
  return *services;
}

std::string TitleOf(const google::protobuf::Message& record) {
  const auto* field = record.GetDescriptor()->FindFieldByName("title");
  return field == nullptr ? "" : record.GetReflection()->GetString(record, field);
}

void JsonLine::Key(absl::string_view key) {
  absl::StrAppend(&text_, text_.empty() ? "" : ",", "\"", key, "\":");
}
JsonLine& JsonLine::Text(absl::string_view key, absl::string_view value) {
  Key(key);
  absl::StrAppend(&text_, cli::JsonText(std::string(value)));
  return *this;
}
JsonLine& JsonLine::Int(absl::string_view key, int64_t value) {
  Key(key);
  absl::StrAppend(&text_, value);
  return *this;
}
JsonLine& JsonLine::Bool(absl::string_view key, bool value) {
  Key(key);
  absl::StrAppend(&text_, value ? "true" : "false");
  return *this;
}
JsonLine& JsonLine::Texts(absl::string_view key, const std::vector<std::string>& values) {
  std::vector<std::string> quoted;
  for (const std::string& value : values) quoted.push_back(cli::JsonText(value));
  Key(key);
  absl::StrAppend(&text_, "[", absl::StrJoin(quoted, ","), "]");
  return *this;
}
JsonLine& JsonLine::Ints(absl::string_view key, const std::vector<int64_t>& values) {
  Key(key);
  absl::StrAppend(&text_, "[", absl::StrJoin(values, ","), "]");
  return *this;
}

}  // namespace fadu::reliability
