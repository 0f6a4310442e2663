#include "tests/reliability/load.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/record_service.pb.h"
#include "fadu/education/v1/education_event.pb.h"
#include "fadu/governance/v1/session.pb.h"
#include "fadu/legality/v1/legality_review.pb.h"
#include "fadu/legality/v1/normative_document.pb.h"
#include "fadu/mediation/v1/dispute.pb.h"
#include "fadu/mediation/v1/follow_up_visit.pb.h"
#include "services/legality/domain/legality_review.h"
#include "tests/reliability/client_log.h"

namespace fadu::reliability {
namespace {

namespace v1 = ::fadu::common::v1;
using google::protobuf::Message;

constexpr char kRecordService[] = "/fadu.common.v1.RecordService/";
constexpr absl::Duration kPatience = absl::Seconds(5);     // of one call
constexpr absl::Duration kPause = absl::Milliseconds(20);  // before it is asked again
constexpr absl::Duration kGiveUp = absl::Minutes(1);       // of one wish

std::string Village(const std::string& county) { return county + "106200"; }
std::string Town(const std::string& county) { return county + "106"; }

// ---- what is recorded --------------------------------------------------------------------------

mediation::v1::Dispute Dispute(const std::string& county) {
  mediation::v1::Dispute dispute;
  dispute.set_area_code(Village(county));
  dispute.set_found_date("2024-06-01");
  dispute.set_category(mediation::v1::DISPUTE_CATEGORY_OTHER);
  dispute.set_people_count(2);
  dispute.add_parties()->set_name("示例甲");
  return dispute;
}

mediation::v1::Dispute Settled(const std::string& county) {
  mediation::v1::Dispute dispute = Dispute(county);
  dispute.set_source(mediation::v1::DISPUTE_SOURCE_APPLIED);
  dispute.set_accepted_date("2024-06-02");
  dispute.set_outcome(mediation::v1::OUTCOME_SETTLED);
  dispute.set_concluded_date("2024-06-05");
  dispute.set_agreement_form(mediation::v1::AGREEMENT_FORM_WRITTEN);
  return dispute;
}

// A visit that finds a settlement broken: the dispute is reopened with it.
mediation::v1::FollowUpVisit Breach(const std::string& county, const std::string& dispute) {
  mediation::v1::FollowUpVisit visit;
  visit.set_area_code(Village(county));
  visit.set_visited_date("2024-06-20");
  visit.set_dispute(dispute);
  visit.set_visitor_role(mediation::v1::MEMBER_ROLE_VILLAGE_CADRE);
  visit.set_visitor("示例丁");
  visit.set_mode(mediation::v1::VISIT_MODE_PHONE);
  visit.set_performance(mediation::v1::PERFORMANCE_BREACHED);
  return visit;
}

education::v1::EducationEvent EducationEvent(const std::string& county) {
  education::v1::EducationEvent event;
  event.set_area_code(Village(county));
  event.set_held_date("2024-05-01");
  event.add_venues(education::v1::VENUE_SCHOOL);
  event.add_forms(static_cast<education::v1::Form>(1));
  event.set_participants(20);
  return event;
}

governance::v1::Session Session(const std::string& county) {
  governance::v1::Session session;
  session.set_area_code(Town(county));
  session.set_held_date("2024-04-01");
  session.set_kind(static_cast<governance::v1::SessionKind>(1));
  session.add_bodies(governance::v1::BODY_LEADERSHIP);
  governance::v1::AgendaItem& item = *session.add_agenda();
  item.set_kind(static_cast<governance::v1::AgendaKind>(1));
  item.set_title("示例议题");
  return session;
}

const char kText[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

legality::v1::LegalityReview PassedReview(const std::string& county) {
  legality::v1::LegalityReview review;
  review.set_area_code(Town(county));
  review.set_received_date("2024-03-01");
  review.set_subject_kind(legality::v1::SUBJECT_KIND_NORMATIVE_DOCUMENT);
  review.set_requester("示例单位");
  review.set_drafter("示例甲");
  review.set_text_digest(kText);
  for (const auto material : legality::ChecklistOf(review.subject_kind())) {
    review.add_materials(material);
  }
  review.set_opinion(legality::v1::OPINION_LAWFUL);
  review.set_opinion_date("2024-03-11");
  review.set_reviewer_role(legality::v1::REVIEWER_ROLE_JUSTICE_OFFICE);
  review.set_reviewer("示例乙");
  return review;
}

// One that asks for the next number of a symbol and the year of its signature.
legality::v1::NormativeDocument Numbered(const std::string& county, const std::string& review,
                                         const std::string& symbol, int year) {
  legality::v1::NormativeDocument document;
  document.set_area_code(Town(county));
  document.set_drafted_date("2024-02-05");
  document.set_issuer(absl::StrCat("示例镇人民政府", symbol));
  document.set_issuer_kind(legality::v1::ISSUER_KIND_GOVERNMENT);
  document.set_drafter("示例甲");
  document.set_determination(legality::v1::DETERMINATION_NORMATIVE);
  document.set_determination_reason("反复适用");
  document.set_review(review);
  document.set_deliberation(legality::v1::DELIBERATION_PASSED);
  document.set_deliberated_date("2024-03-13");
  document.set_meeting("镇长办公会");
  document.set_signed_date(absl::StrCat(year, "-03-14"));
  document.set_symbol(symbol);
  document.set_registered_date(absl::StrCat(year, "-03-20"));
  document.set_registrar("示例丙");
  document.set_text_digest(kText);
  return document;
}

// ---- one wish ----------------------------------------------------------------------------------

// A request whose outcome has to be known, whatever dies meanwhile.
struct Wish {
  std::string kind;
  std::string service;
  std::string county;
  std::string collection;
  std::string method;
  std::unique_ptr<Message> request;
  std::string id;
  int items = 1;
  int follows = 0;       // changes of other records that follow from it by law
  bool content = false;  // sets titles: "{id}" or "{id} {item}"
  bool creates = false;
  bool refused = false;  // asks for what must be refused
};

struct Answer {
  absl::Status status;
  std::vector<v1::Record> records;
};

// A record this caller made; nobody else changes it.
struct Mine {
  std::string service;
  std::string collection;
  std::string name;
  int64_t revision = 0;
  v1::ReviewState review_state = v1::REVIEW_STATE_UNSPECIFIED;
  bool deleted = false;
};

// Whether the call may have had an effect, or would have one now: then it is asked again.
bool IsOpen(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kInternal:
      return true;
    case absl::StatusCode::kAborted:
      return ReasonOf(status) == "REASON_CONFLICT";
    // After a restart another service may serve at the port that this one had: it has no such
    // method, or no such records.
    case absl::StatusCode::kUnimplemented:
      return true;
    case absl::StatusCode::kInvalidArgument:
      return ReasonOf(status) == "REASON_RECORD_TYPE_UNKNOWN";
    default:
      return false;
  }
}

struct Tally {
  std::atomic<int64_t> wishes{0};
  std::atomic<int64_t> retries{0};
  std::atomic<int64_t> unknown{0};   // wishes given up
  std::atomic<int64_t> internal{0};  // answers INTERNAL
  std::atomic<bool> stop{false};
};

class Worker {
 public:
  Worker(const LoadOptions& options, int number, ClientLog& log, Tally& tally,
         const std::map<std::string, std::string>& reviews)
      : options_(options),
        caller_(options.place),
        log_(log),
        tally_(tally),
        reviews_(reviews),
        random_(options.seed * 1000003 + static_cast<uint64_t>(number)),
        ids_(NewUuidV7Source(SystemClock())) {}

  void Run() {
    for (int i = 0; !tally_.stop && (options_.wishes == 0 || i < options_.wishes); ++i) {
      if (options_.mix == "numbers") {
        (void)Ask(Numbering(options_.counties[0], "示演规", 2024));
      } else {
        One();
      }
    }
  }

  // Asks until it is known what became of the wish.
  Answer Ask(Wish wish) {
    ++tally_.wishes;
    log_.Append(JsonLine()
                    .Text("at", "ask")
                    .Text("id", wish.id)
                    .Text("kind", wish.kind)
                    .Text("service", wish.service)
                    .Text("county", wish.county)
                    .Text("collection", wish.collection)
                    .Int("items", wish.items)
                    .Int("follows", wish.follows)
                    .Bool("content", wish.content)
                    .Bool("creates", wish.creates)
                    .Bool("refused", wish.refused)
                    .Done());
    const absl::Time give_up = absl::Now() + kGiveUp;
    while (true) {
      Answer answer = Call(wish);
      if (answer.status.ok()) {
        LogAnswer("ack", wish, answer);
        // Every seventh is asked once more, as by a caller that lost the answer.
        if (random_() % 7 == 0) {
          const Answer again = Call(wish);
          if (again.status.ok()) LogAnswer("again", wish, again);
        }
        return answer;
      }
      if (answer.status.code() == absl::StatusCode::kInternal) ++tally_.internal;
      if (!IsOpen(answer.status)) {
        log_.Append(JsonLine()
                        .Text("at", "no")
                        .Text("id", wish.id)
                        .Text("why", answer.status.ToString())
                        .Done());
        return answer;
      }
      if (absl::Now() > give_up) {
        ++tally_.unknown;
        log_.Append(JsonLine().Text("at", "unknown").Text("id", wish.id).Done());
        return answer;
      }
      ++tally_.retries;
      absl::SleepFor(kPause);
    }
  }

  // The review that documents of a county stand on.
  Wish ReviewOf(const std::string& county) {
    return Creation("review", "legality", county, "legalityReviews", PassedReview(county));
  }

 private:
  Answer Call(const Wish& wish) {
    Answer answer;
    const std::string method = kRecordService + wish.method;
    if (wish.method == "BatchCreateRecords") {
      v1::BatchCreateRecordsResponse response;
      answer.status =
          caller_.Call(wish.service, method, wish.county, *wish.request, &response, kPatience);
      answer.records.assign(response.records().begin(), response.records().end());
    } else {
      v1::Record record;
      answer.status =
          caller_.Call(wish.service, method, wish.county, *wish.request, &record, kPatience);
      answer.records = {record};
    }
    if (IsOpen(answer.status)) caller_.Forget();
    return answer;
  }

  void LogAnswer(const char* at, const Wish& wish, const Answer& answer) {
    std::vector<std::string> names;
    std::vector<int64_t> revisions;
    std::vector<std::string> numbers;
    for (const v1::Record& record : answer.records) {
      names.push_back(record.name());
      revisions.push_back(record.revision());
      legality::v1::NormativeDocument document;
      if (record.record().Is<legality::v1::NormativeDocument>() &&
          record.record().UnpackTo(&document)) {
        numbers.push_back(document.document_number());
      }
    }
    log_.Append(JsonLine()
                    .Text("at", at)
                    .Text("id", wish.id)
                    .Texts("names", names)
                    .Ints("revisions", revisions)
                    .Texts("numbers", numbers)
                    .Done());
  }

  uint64_t Below(uint64_t n) { return random_() % n; }

  Wish Base(const std::string& kind, const std::string& service, const std::string& county,
            const std::string& collection, const std::string& method) {
    Wish wish;
    wish.kind = kind;
    wish.service = service;
    wish.county = county;
    wish.collection = collection;
    wish.method = method;
    wish.id = ids_->NewId().ToString();
    return wish;
  }

  template <typename Record>
  Wish Creation(const std::string& kind, const std::string& service, const std::string& county,
                const std::string& collection, Record record) {
    Wish wish = Base(kind, service, county, collection, "CreateRecord");
    auto request = std::make_unique<v1::CreateRecordRequest>();
    record.set_title(wish.id);
    request->set_parent("counties/" + county);
    request->mutable_record()->PackFrom(record);
    request->set_request_id(wish.id);
    request->set_submit(service == "legality" || Below(2) == 0);
    wish.request = std::move(request);
    wish.content = true;
    wish.creates = true;
    return wish;
  }

  Wish Numbering(const std::string& county, const std::string& symbol, int year) {
    return Creation("number", "legality", county, "normativeDocuments",
                    Numbered(county, reviews_.at(county), symbol, year));
  }

  Wish Batch(const std::string& county) {
    Wish wish = Base("batch", "mediation", county, "disputes", "BatchCreateRecords");
    auto request = std::make_unique<v1::BatchCreateRecordsRequest>();
    request->set_parent("counties/" + county);
    request->set_request_id(wish.id);
    wish.items = 2 + static_cast<int>(Below(4));
    for (int i = 0; i < wish.items; ++i) {
      mediation::v1::Dispute dispute = Dispute(county);
      dispute.set_title(absl::StrCat(wish.id, " ", i));
      request->add_records()->PackFrom(dispute);
    }
    wish.request = std::move(request);
    wish.content = true;
    wish.creates = true;
    return wish;
  }

  template <typename Record>
  Wish Update(const Mine& mine, int64_t revision) {
    Wish wish = Base("update", mine.service, CountyOf(mine), mine.collection, "UpdateRecord");
    auto request = std::make_unique<v1::UpdateRecordRequest>();
    Record record;
    record.set_title(wish.id);
    request->set_name(mine.name);
    request->mutable_record()->PackFrom(record);
    request->mutable_update_mask()->add_paths("title");
    request->set_etag(absl::StrCat("\"", revision, "\""));
    request->set_request_id(wish.id);
    wish.request = std::move(request);
    wish.content = true;
    return wish;
  }
  Wish UpdateOf(const Mine& mine, int64_t revision) {
    if (mine.service == "governance") return Update<governance::v1::Session>(mine, revision);
    return Update<mediation::v1::Dispute>(mine, revision);
  }

  Wish Move(const Mine& mine, v1::ReviewAction action) {
    Wish wish = Base("review", mine.service, CountyOf(mine), mine.collection, "ReviewRecord");
    auto request = std::make_unique<v1::ReviewRecordRequest>();
    request->set_name(mine.name);
    request->set_action(action);
    request->set_comment("演练");
    request->set_request_id(wish.id);
    wish.request = std::move(request);
    return wish;
  }

  Wish Deletion(const Mine& mine) {
    Wish wish = Base("delete", mine.service, CountyOf(mine), mine.collection, "DeleteRecord");
    auto request = std::make_unique<v1::DeleteRecordRequest>();
    request->set_name(mine.name);
    request->set_request_id(wish.id);
    request->set_reason("演练");
    wish.request = std::move(request);
    return wish;
  }

  Wish Undeletion(const Mine& mine) {
    Wish wish = Base("undelete", mine.service, CountyOf(mine), mine.collection, "UndeleteRecord");
    auto request = std::make_unique<v1::UndeleteRecordRequest>();
    request->set_name(mine.name);
    request->set_request_id(wish.id);
    wish.request = std::move(request);
    return wish;
  }

  static std::string CountyOf(const Mine& mine) { return mine.name.substr(9, 6); }

  // ---- the mix: to add a kind of load, add a line here
  // -------------------------------------------

  void One() {
    const std::string county = options_.counties[Below(options_.counties.size())];
    const uint64_t dice = Below(100);
    if (mine_.size() < 4 || dice < 20) {
      return Keep(Ask(Creation("create", "mediation", county, "disputes", Dispute(county))),
                  "mediation", "disputes");
    }
    if (dice < 28) {
      return Keep(Ask(Creation("create", "governance", county, "sessions", Session(county))),
                  "governance", "sessions");
    }
    if (dice < 36) return Keep(Ask(Batch(county)), "mediation", "disputes");
    if (dice < 42) {
      (void)Ask(Creation("create", "education", county, "educationEvents", EducationEvent(county)));
      return;
    }
    if (dice < 44) {
      (void)Ask(ReviewOf(county));
      return;
    }
    if (dice < 47) return BreachOne(county);
    if (dice < 57) {
      const bool other = Below(2) == 0;
      (void)Ask(Numbering(county, other ? "示甲规" : "示乙规", Below(2) == 0 ? 2024 : 2025));
      return;
    }
    Mine& mine = mine_[Below(mine_.size())];
    if (dice < 61 && !mine.deleted) {
      Wish stale = UpdateOf(mine, mine.revision + 100);
      stale.kind = "stale";
      stale.refused = true;
      (void)Ask(std::move(stale));
      return;
    }
    Change(mine);
  }

  void BreachOne(const std::string& county) {
    const Answer settled =
        Ask(Creation("create", "mediation", county, "disputes", Settled(county)));
    if (!settled.status.ok()) return;
    Wish wish = Base("breach", "mediation", county, "followUpVisits", "CreateRecord");
    auto request = std::make_unique<v1::CreateRecordRequest>();
    request->set_parent("counties/" + county);
    request->mutable_record()->PackFrom(Breach(county, settled.records[0].name()));
    request->set_request_id(wish.id);
    wish.request = std::move(request);
    wish.creates = true;
    wish.follows = 1;
    (void)Ask(std::move(wish));
  }

  void Change(Mine& mine) {
    const uint64_t dice = Below(100);
    const bool open = mine.review_state == v1::REVIEW_STATE_DRAFT ||
                      mine.review_state == v1::REVIEW_STATE_RETURNED;
    Answer answer;
    if (mine.deleted) {
      answer = Ask(Undeletion(mine));
    } else if (dice < 50) {
      answer = Ask(UpdateOf(mine, mine.revision));
    } else if (dice < 60) {
      answer = Ask(Deletion(mine));
    } else {
      answer = Ask(Move(mine, open ? v1::REVIEW_ACTION_SUBMIT : v1::REVIEW_ACTION_RETURN));
    }
    if (answer.status.ok()) {
      Learn(answer.records[0], mine);
      return;
    }
    mine = std::move(mine_.back());
    mine_.pop_back();
  }

  static void Learn(const v1::Record& record, Mine& mine) {
    mine.name = record.name();
    mine.revision = record.revision();
    mine.review_state = record.review_state();
    mine.deleted = record.has_delete_time();
  }

  void Keep(const Answer& answer, const std::string& service, const std::string& collection) {
    if (!answer.status.ok()) return;
    for (const v1::Record& record : answer.records) {
      Mine mine;
      mine.service = service;
      mine.collection = collection;
      Learn(record, mine);
      mine_.push_back(std::move(mine));
    }
  }

  const LoadOptions& options_;
  Caller caller_;
  ClientLog& log_;
  Tally& tally_;
  const std::map<std::string, std::string>& reviews_;
  std::mt19937_64 random_;
  const std::unique_ptr<IdSource> ids_;
  std::vector<Mine> mine_;
};

}  // namespace

int RunLoad(const LoadOptions& options) {
  ClientLog log(options.log);
  Tally tally;
  std::map<std::string, std::string> reviews;
  Worker first(options, 0, log, tally, reviews);
  for (const std::string& county : options.counties) {
    const Answer made = first.Ask(first.ReviewOf(county));
    if (!made.status.ok()) {
      std::fprintf(stderr, "no review in %s: %s\n", county.c_str(), made.status.ToString().c_str());
      return 1;
    }
    reviews[county] = made.records[0].name();
  }
  std::vector<std::thread> threads;
  for (int i = 1; i <= options.callers; ++i) {
    threads.emplace_back([&, i] { Worker(options, i, log, tally, reviews).Run(); });
  }
  if (options.wishes == 0) {
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    tally.stop = true;
  }
  for (std::thread& thread : threads) thread.join();
  std::fputs(JsonLine()
                 .Int("wishes", tally.wishes)
                 .Int("retries", tally.retries)
                 .Int("unknown", tally.unknown)
                 .Int("internal", tally.internal)
                 .Done()
                 .c_str(),
             stdout);
  return tally.unknown == 0 ? 0 : 1;
}

}  // namespace fadu::reliability
