#include "tests/reliability/state.h"

#include <cstdio>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/base/digest.h"
#include "common/base/status.h"
#include "common/db/pool.h"
#include "fadu/common/v1/fact_feed.pb.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/legality/v1/normative_document.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"

namespace fadu::reliability {
namespace {

namespace v1 = ::fadu::common::v1;
using google::protobuf::Message;

constexpr char kRecords[] = "/fadu.common.v1.RecordService/";
constexpr absl::Duration kPatience = absl::Seconds(20);

void Print(const JsonLine& line) { std::fputs(line.Done().c_str(), stdout); }

// What of a fact counts, in one text.
std::string DigestOf(const v1::Fact& fact) {
  return Hex(Sha256(absl::StrCat(fact.type(), "|", fact.area_code(), "|", fact.counted_date(), "|",
                                 fact.review_state(), "|", fact.values())));
}

class Reader {
 public:
  Reader(const Place& place, const std::string& admin_dsn)
      : caller_(place), admin_(db::PoolOptions{admin_dsn, 1, "fault test"}) {}

  absl::Status All(const std::vector<std::string>& counties) {
    for (const std::string& county : counties) {
      for (const std::string& service : Services()) {
        FADU_RETURN_IF_ERROR(RecordsOf(service, county));
        FADU_RETURN_IF_ERROR(EventsOf(service, county));
        FADU_RETURN_IF_ERROR(FactsOf(service, county));
        ChainOf(service, county);
      }
      const absl::Status taken = TakeFacts(county);
      // Feeds with a gap are refused; what was taken before is compared all the same.
      Print(JsonLine()
                .Text("is", "sync")
                .Text("county", county)
                .Text("why", taken.ok() ? "" : taken.ToString()));
    }
    return Projections();
  }

 private:
  absl::Status Ask(const std::string& service, const std::string& method, const std::string& county,
                   const Message& request, Message* response) {
    return caller_.Call(service, kRecords + method, county, request, response, kPatience);
  }

  // Scoring takes all feeds of a county; long ones in several calls.
  absl::Status TakeFacts(const std::string& county) {
    scoring::v1::SyncFactsRequest request;
    request.set_parent("counties/" + county);
    absl::Status taken;
    for (int i = 0; i < 10; ++i) {
      scoring::v1::SyncFactsResponse response;
      taken = caller_.Call("scoring", "/fadu.scoring.v1.ScoringService/SyncFacts", county, request,
                           &response, kPatience);
      if (taken.code() != absl::StatusCode::kDeadlineExceeded) break;
    }
    return taken;
  }

  absl::Status RecordsOf(const std::string& service, const std::string& county) {
    v1::ListRecordTypesResponse types;
    FADU_RETURN_IF_ERROR(
        Ask(service, "ListRecordTypes", county, v1::ListRecordTypesRequest(), &types));
    for (const v1::RecordType& type : types.record_types()) {
      v1::ListRecordsRequest list;
      list.set_parent("counties/" + county);
      list.set_collection(type.collection());
      list.set_page_size(200);
      list.set_show_deleted(true);
      do {
        v1::ListRecordsResponse page;
        FADU_RETURN_IF_ERROR(Ask(service, "ListRecords", county, list, &page));
        for (const v1::Record& record : page.records()) {
          FADU_RETURN_IF_ERROR(PrintRecord(service, county, type, record));
        }
        list.set_page_token(page.next_page_token());
      } while (!list.page_token().empty());
    }
    return absl::OkStatus();
  }

  static absl::Status PrintRecord(const std::string& service, const std::string& county,
                                  const v1::RecordType& type, const v1::Record& record) {
    const auto* descriptor =
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type.type());
    std::unique_ptr<Message> message(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
    if (!record.record().UnpackTo(message.get())) {
      return absl::InternalError(absl::StrCat("cannot read ", record.name()));
    }
    JsonLine line;
    line.Text("is", "record")
        .Text("service", service)
        .Text("county", county)
        .Text("name", record.name())
        .Int("revision", record.revision())
        .Bool("deleted", record.has_delete_time())
        .Text("title", TitleOf(*message));
    legality::v1::NormativeDocument document;
    if (record.record().UnpackTo(&document)) {
      line.Text("symbol", document.symbol())
          .Int("year", document.number_year())
          .Int("ordinal", document.number_ordinal());
    }
    Print(line);
    return absl::OkStatus();
  }

  absl::Status EventsOf(const std::string& service, const std::string& county) {
    v1::ListEventsRequest list;
    list.set_parent("counties/" + county);
    list.set_page_size(200);
    do {
      v1::ListEventsResponse page;
      FADU_RETURN_IF_ERROR(Ask(service, "ListEvents", county, list, &page));
      for (const v1::Event& event : page.events()) {
        const v1::Entry& entry = event.entry();
        Print(JsonLine()
                  .Text("is", "event")
                  .Text("service", service)
                  .Text("county", county)
                  .Int("seq", event.seq())
                  .Text("request", entry.request_id())
                  .Text("operation", entry.operation())
                  .Text("name",
                        absl::StrCat("counties/", county, "/", entry.collection(), "/", entry.id()))
                  .Int("revision", entry.revision())
                  .Bool("follows", entry.follows()));
      }
      list.set_page_token(page.next_page_token());
    } while (!list.page_token().empty());
    return absl::OkStatus();
  }

  absl::Status FactsOf(const std::string& service, const std::string& county) {
    v1::PullFactsRequest pull;
    pull.set_county_code(county);
    while (true) {
      v1::PullFactsResponse page;
      FADU_RETURN_IF_ERROR(caller_.CallAsService(
          "scoring", service, "/fadu.common.v1.FactFeedService/PullFacts", pull, &page, kPatience));
      if (page.facts().empty()) return absl::OkStatus();
      for (const v1::Fact& fact : page.facts()) {
        Print(JsonLine()
                  .Text("is", "fact")
                  .Text("service", service)
                  .Text("county", county)
                  .Int("seq", fact.seq())
                  .Text("id", fact.id())
                  .Int("revision", fact.revision())
                  .Bool("tombstone", fact.tombstone())
                  .Text("digest", DigestOf(fact)));
        pull.set_after_seq(fact.seq());
      }
    }
  }

  void ChainOf(const std::string& service, const std::string& county) {
    v1::VerifyEventsRequest verify;
    verify.set_parent("counties/" + county);
    v1::VerifyEventsResponse verified;
    const absl::Status held = Ask(service, "VerifyEvents", county, verify, &verified);
    Print(JsonLine()
              .Text("is", "chain")
              .Text("service", service)
              .Text("county", county)
              .Int("events", verified.events())
              .Text("why", held.ok() ? "" : held.ToString()));
  }

  // What scoring keeps is told by no RPC: from its table, as its administrator.
  absl::Status Projections() {
    return admin_.Read(
        db::Scope{}, absl::Now() + kPatience, [](db::Transaction& transaction) -> absl::Status {
          FADU_ASSIGN_OR_RETURN(
              const db::Rows rows,
              transaction.Run(db::Statement{
                  "read_projections",
                  "SELECT county_code, service, id, revision, seq, until_seq IS NULL, fact "
                  "FROM scoring.fact"}));
          for (const db::Row& row : rows) {
            v1::Fact fact;
            if (!fact.ParseFromString(row.Bytes(6))) {
              return absl::InternalError("a stored fact does not parse");
            }
            Print(JsonLine()
                      .Text("is", "projection")
                      .Text("county", row.Text(0))
                      .Text("service", row.Text(1))
                      .Text("id", row.Text(2))
                      .Int("revision", row.Int(3))
                      .Int("seq", row.Int(4))
                      .Bool("current", row.Bool(5))
                      .Bool("tombstone", fact.tombstone())
                      .Text("digest", DigestOf(fact)));
          }
          return absl::OkStatus();
        });
  }

  Caller caller_;
  db::Pool admin_;
};

}  // namespace

int PrintState(const Place& place, const std::vector<std::string>& counties,
               const std::string& admin_dsn) {
  const absl::Status read = Reader(place, admin_dsn).All(counties);
  if (read.ok()) return 0;
  std::fprintf(stderr, "state: %s\n", read.ToString().c_str());
  return 1;
}

}  // namespace fadu::reliability
