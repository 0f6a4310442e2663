// tests/reliability/caller.h
//
// A way to whatever serves now, found again after each death, with identities signed by the keys of
// the data folder.
#ifndef FADU_TESTS_RELIABILITY_CALLER_H_
#define FADU_TESTS_RELIABILITY_CALLER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/rpc/channel.h"
#include "common/rpc/identity.h"

namespace fadu::reliability {

struct Place {
  std::string endpoints;  // a file: service → host:port
  std::string keys;       // the suite's key folder
};

// One thread's.
class Caller {
 public:
  explicit Caller(Place place) : place_(std::move(place)) {}

  // Calls as a reviewer, clerk and auditor of the county.
  absl::Status Call(const std::string& service, const std::string& method,
                    const std::string& county, const google::protobuf::Message& request,
                    google::protobuf::Message* response, absl::Duration patience);
  // Calls as the service `as`.
  absl::Status CallAsService(const std::string& as, const std::string& service,
                             const std::string& method, const google::protobuf::Message& request,
                             google::protobuf::Message* response, absl::Duration patience);
  // After a failure: the next call looks again who serves.
  void Forget() { channels_.clear(); }

 private:
  absl::StatusOr<std::shared_ptr<rpc::Channel>> ChannelTo(const std::string& service);
  // A county's person, or without a county the service `key` to the service `audience`.
  absl::StatusOr<std::string> BearerOf(const std::string& key, const std::string& county,
                                       const std::string& audience);
  absl::Status CallWith(const std::string& bearer, const std::string& service,
                        const std::string& method, const google::protobuf::Message& request,
                        google::protobuf::Message* response, absl::Duration patience);

  struct Bearer {
    std::string text;
    absl::Time until;
  };
  const Place place_;
  std::map<std::string, std::shared_ptr<rpc::Channel>> channels_;
  std::map<std::string, Bearer> bearers_;
};

// The services that the load writes to.
const std::vector<std::string>& Services();

// A record's title, or "" when its type has none.
std::string TitleOf(const google::protobuf::Message& record);

// One line of JSON; values are quoted unless they are numbers or lists already.
class JsonLine {
 public:
  JsonLine& Text(absl::string_view key, absl::string_view value);
  JsonLine& Int(absl::string_view key, int64_t value);
  JsonLine& Bool(absl::string_view key, bool value);
  JsonLine& Texts(absl::string_view key, const std::vector<std::string>& values);
  JsonLine& Ints(absl::string_view key, const std::vector<int64_t>& values);
  std::string Done() const { return "{" + text_ + "}\n"; }

 private:
  void Key(absl::string_view key);
  std::string text_;
};

}  // namespace fadu::reliability

#endif  // FADU_TESTS_RELIABILITY_CALLER_H_
