// services/scoring/handler.h
//
// The RPCs of ScoringService: load, decide in the domain, save.
#ifndef FADU_SERVICES_SCORING_HANDLER_H_
#define FADU_SERVICES_SCORING_HANDLER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/types/optional.h"
#include "common/base/call.h"
#include "common/rpc/channel.h"
#include "common/rpc/service.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "services/scoring/feed_consumer.h"
#include "services/scoring/inputs.h"
#include "services/scoring/store.h"

namespace fadu::scoring {

// Everything it is made of outlives it. Thread-safe. What each method needs, changes and refuses
// stands in scoring_service.proto.
//
// NOT_FOUND / REASON_NOT_FOUND (common): a county, run or area outside what the roles of the
// caller, those that may call the method, cover.
class ScoringHandler {
 public:
  ScoringHandler(Store& store, FeedConsumer& feeds, rpc::Peers& peers)
      : store_(store), feeds_(feeds), peers_(peers) {}

  absl::StatusOr<v1::PutFactsResponse> PutFacts(const CallContext& call,
                                                const v1::PutFactsRequest& request);
  absl::StatusOr<v1::CheckRubricResponse> CheckRubric(const CallContext& call,
                                                      const v1::CheckRubricRequest& request);
  absl::StatusOr<v1::SyncFactsResponse> SyncFacts(const CallContext& call,
                                                  const v1::SyncFactsRequest& request);
  absl::StatusOr<v1::EvaluateMeasureResponse> EvaluateMeasure(
      const CallContext& call, const v1::EvaluateMeasureRequest& request);
  absl::StatusOr<v1::CreateRunResponse> CreateRun(const CallContext& call,
                                                  const v1::CreateRunRequest& request);
  absl::StatusOr<v1::ListRunsResponse> ListRuns(const CallContext& call,
                                                const v1::ListRunsRequest& request);
  absl::StatusOr<v1::GetRunResponse> GetRun(const CallContext& call,
                                            const v1::GetRunRequest& request);
  absl::StatusOr<v1::ExplainScoreResponse> ExplainScore(const CallContext& call,
                                                        const v1::ExplainScoreRequest& request);
  absl::StatusOr<v1::VerifyRunResponse> VerifyRun(const CallContext& call,
                                                  const v1::VerifyRunRequest& request);

 private:
  // A run that the caller named, with its county.
  struct Found {
    std::string county;
    StoredRun run;
  };

  // Pulls the feeds, then says how far each one is; feeds without facts are at 0.
  absl::StatusOr<Positions> SyncedPositions(const std::string& county, absl::Time deadline);
  // An area of the register, while it goes by one name.
  struct AreaSpan {
    std::string title;
    absl::optional<absl::CivilDay> from;  // since when it is; absent: since before the register
    bool open = true;                     // how far back it goes is not settled yet
  };
  absl::StatusOr<std::map<std::string, AreaSpan>> TreeAsOf(const CallContext& call,
                                                           const std::string& county,
                                                           absl::CivilDay day);
  absl::Status TraceBack(const CallContext& call, const std::string& county,
                         std::map<std::string, AreaSpan>& tree);
  // The area tree of the county as of the last day of the year, or today when that is earlier, with
  // the first day of areas that are newer than the register.
  absl::StatusOr<std::vector<v1::AreaNode>> AreasFor(const CallContext& call,
                                                     const std::string& county, int year);
  absl::StatusOr<RunInputs> PinInputs(const CallContext& call, const std::string& county, int year);
  absl::StatusOr<absl::optional<StoredRun>> FirstRunOf(const std::string& county, const Uuid& id,
                                                       int year, absl::Time deadline);
  // By counties/{county}/runs/{uuid} or …/latest.
  absl::StatusOr<Found> FindNamed(const CallContext& call, absl::string_view method,
                                  absl::string_view name);
  // The facts of every year that hold at the positions, without a context.
  absl::StatusOr<std::shared_ptr<const RunInputs>> FactsAt(const std::string& county,
                                                           const Positions& positions,
                                                           absl::Time deadline);
  absl::StatusOr<std::shared_ptr<const RunInputs>> InputsOf(const Found& found,
                                                            absl::Time deadline);

  Store& store_;
  FeedConsumer& feeds_;
  rpc::Peers& peers_;
  InputsCache cache_{300000};
};

// The service; `handler` outlives it.
std::unique_ptr<rpc::Service> MakeScoringService(ScoringHandler& handler);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_HANDLER_H_
