#include "services/gateway/domain/catalogue.h"

#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/fixture/v1/fixture.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "fadu/registry/v1/registry_service.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"

namespace fadu::gateway {
namespace {

namespace common = ::fadu::common::v1;
using ::testing::ElementsAre;
using ::testing::Pair;

constexpr char kId[] = "01a21e22-3174-71fe-9490-b966c8064016";

const Catalogue& All() {
  // The contracts are linked in by their messages.
  static const auto* const linked = new mediation::v1::Dispute;
  static const auto* const fixture = new fixture::v1::Widget;
  static const auto* const catalogue = [] {
    EXPECT_NE(linked, nullptr);
    EXPECT_NE(fixture, nullptr);
    EXPECT_NE(registry::v1::GetAreaRequest::descriptor(), nullptr);
    EXPECT_NE(scoring::v1::GetRunRequest::descriptor(), nullptr);
    auto made = Catalogue::Make({"registry", "mediation", "scoring", "fixture"});
    EXPECT_TRUE(made.ok()) << made.status();
    return made->release();
  }();
  return *catalogue;
}

// "GetRecord name=counties/…": the method and variables that a call means.
std::string Meant(const std::string& method, const std::string& path) {
  const auto target = ParseTarget(path);
  if (!target.ok()) return target.status().ToString();
  std::set<std::string> allowed;
  const auto match = All().FindBinding(method, *target, &allowed);
  if (!match) {
    std::string text = "-";
    for (const std::string& one : allowed) absl::StrAppend(&text, " ", one);
    return text;
  }
  std::string text = match->binding->rpc->method->name();
  for (const auto& [name, value] : match->variables) absl::StrAppend(&text, " ", name, "=", value);
  return text;
}

TEST(Catalogue, FindsTheMethodOfAPath) {
  const std::string record = absl::StrCat("counties/421221/disputes/", kId);
  EXPECT_EQ(Meant("GET", absl::StrCat("/v1/", record)), absl::StrCat("GetRecord name=", record));
  EXPECT_EQ(Meant("PATCH", absl::StrCat("/v1/", record)),
            absl::StrCat("UpdateRecord name=", record));
  EXPECT_EQ(Meant("POST", absl::StrCat("/v1/", record, ":review")),
            absl::StrCat("ReviewRecord name=", record));
  EXPECT_EQ(Meant("GET", "/v1/counties/421221/disputes"),
            "ListRecords parent=counties/421221 collection=disputes");
  EXPECT_EQ(Meant("POST", "/v1/counties/421221/disputes:batchCreate"),
            "BatchCreateRecords parent=counties/421221 collection=disputes");
  EXPECT_EQ(Meant("GET", "/v1/counties/421221/runs/latest/villages/421221106200:explain"),
            "ExplainScore name=counties/421221/runs/latest area_code=421221106200");
}

TEST(Catalogue, ALiteralPathWinsOverAVariable) {
  EXPECT_EQ(Meant("GET", "/v1/counties/421221/runs/latest"),
            "GetRun name=counties/421221/runs/latest");
  EXPECT_EQ(Meant("GET", "/v1/counties/421221/areas"), "ListAreas parent=counties/421221");
}

TEST(Catalogue, SaysWhichMethodsAPathHas) {
  EXPECT_EQ(Meant("PUT", "/v1/counties/421221/disputes"), "- GET POST");
  EXPECT_EQ(Meant("GET", "/v1/nothing/here/at/all"), "-");
  EXPECT_EQ(Meant("GET", "/v1/counties//disputes"), ParseTarget("//").status().ToString());
}

// What only services call is not there, however it is asked for.
TEST(Catalogue, MethodsForServicesAreNotServed) {
  EXPECT_EQ(All().FindRpc("fadu.common.v1.FactFeedService", "PullFacts"), nullptr);
  EXPECT_EQ(All().FindRpc("fadu.scoring.v1.ScoringService", "PutFacts"), nullptr);
  EXPECT_NE(All().FindRpc("fadu.scoring.v1.ScoringService", "GetRun"), nullptr);
}

TEST(Catalogue, ReadingMayBeAskedForByGetAndNothingElse) {
  EXPECT_TRUE(All().FindRpc("fadu.common.v1.RecordService", "ListRecords")->reads);
  EXPECT_FALSE(All().FindRpc("fadu.common.v1.RecordService", "CreateRecord")->reads);
  for (const Binding& binding : All().bindings()) {
    EXPECT_EQ(binding.http_method == "GET", binding.rpc->reads && binding.body.empty())
        << binding.path;
  }
}

TEST(Catalogue, EveryMethodForPeopleHasARestPath) {
  std::set<std::string> bound;
  for (const Binding& binding : All().bindings()) bound.insert(binding.rpc->path);
  for (const auto& rpc : All().rpcs()) EXPECT_EQ(bound.count(rpc->path), 1U) << rpc->path;
}

TEST(Catalogue, NoTwoMethodsHaveOnePath) {
  std::set<std::string> seen;
  for (const Binding& binding : All().bindings()) {
    EXPECT_TRUE(seen.insert(absl::StrCat(binding.http_method, " ", binding.path)).second)
        << binding.path;
  }
}

TEST(Catalogue, KnowsWhoOwnsARecord) {
  common::GetRecordRequest get;
  get.set_name(absl::StrCat("counties/421221/widgets/", kId));
  EXPECT_EQ(All().OwnerOf(get), "fixture");
  common::ListRecordsRequest list;
  list.set_parent("counties/421221");
  EXPECT_EQ(All().OwnerOf(list), "");
  list.set_collection("disputes");
  EXPECT_EQ(All().OwnerOf(list), "mediation");
  common::BatchCreateRecordsRequest batch;
  batch.add_records()->PackFrom(fixture::v1::Widget());
  EXPECT_EQ(All().OwnerOf(batch), "fixture");
  EXPECT_EQ(All().OwnerOf(common::ListEventsRequest()), "");
}

absl::StatusOr<std::unique_ptr<google::protobuf::Message>> Build(const std::string& method,
                                                                 const std::string& path,
                                                                 const std::string& json) {
  const auto target = ParseTarget(path);
  std::set<std::string> allowed;
  const auto match = All().FindBinding(method, *target, &allowed);
  if (!match) return absl::NotFoundError(path);
  return BuildRequest(*match, *target, json, mediation::v1::Dispute::descriptor());
}

TEST(BuildRequest, TakesTheRecordFromTheBodyAndTheRestFromTheUrl) {
  const auto built =
      Build("POST", "/v1/counties/421221/disputes?submit=true&requestId=a", "{\"title\":\"x\"}");
  ASSERT_TRUE(built.ok()) << built.status();
  const auto& request = static_cast<const common::CreateRecordRequest&>(**built);
  EXPECT_EQ(request.parent(), "counties/421221");
  EXPECT_EQ(request.collection(), "disputes");
  EXPECT_EQ(request.request_id(), "a");
  EXPECT_TRUE(request.submit());
  mediation::v1::Dispute dispute;
  ASSERT_TRUE(request.record().UnpackTo(&dispute));
  EXPECT_EQ(dispute.title(), "x");
}

TEST(BuildRequest, NothingIsSaidTwice) {
  const auto field = [](const auto& built) { return DetailOf(built.status()).metadata["field"]; };
  EXPECT_EQ(field(Build("GET", "/v1/counties/421221/disputes?parent=counties/1", "")), "parent");
  EXPECT_EQ(field(Build("GET", "/v1/counties/421221/disputes?pageSize=1&page_size=2", "")),
            "page_size");
  EXPECT_EQ(field(Build("POST", "/v1/counties/421221/disputes?record.typeUrl=x", "{}")), "record");
  const std::string review = absl::StrCat("/v1/counties/421221/disputes/", kId, ":review");
  EXPECT_EQ(field(Build("POST", review + "?comment=x", "{}")), "comment");
  EXPECT_EQ(field(Build("POST", review, "{\"name\":\"counties/1/disputes/2\"}")), "name");
  EXPECT_TRUE(Build("POST", review, "{\"action\":\"CONFIRM\"}").ok());
}

}  // namespace
}  // namespace fadu::gateway
