#include "services/registry/accounts.h"

#include "common/base/digest.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/reason.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace fadu::registry {

namespace common = ::fadu::common::v1;

absl::Status NotFound(absl::string_view name) {
  return Fail(absl::StatusCode::kNotFound, common::REASON_NOT_FOUND,
              "no such account, or not visible", {{"name", std::string(name)}});
}

std::string HashOf(const google::protobuf::Message& request) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    request.SerializeToCodedStream(&coded);
  }
  return StoredDigest(bytes);
}

v1::Account AccountOf(const records::StoredRecord& record) {
  v1::Account account;
  account.CopyFrom(*record.message);
  return account;
}

CallContext AsRegistry(const CallContext& call, const std::string& county) {
  CallContext own = call;
  own.principal = Principal();
  own.principal.subject = "services/registry";
  own.principal.grants = {RoleGrant{common::ROLE_COUNTY_ADMIN, county, ""}};
  return own;
}

}  // namespace fadu::registry
