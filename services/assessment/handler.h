// services/assessment/handler.h
//
// The handlers of fadu.assessment.v1.AssessmentService: load, decide, save.
#ifndef FADU_SERVICES_ASSESSMENT_HANDLER_H_
#define FADU_SERVICES_ASSESSMENT_HANDLER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "common/base/call.h"
#include "common/records/store.h"
#include "common/rpc/channel.h"
#include "common/rpc/service.h"
#include "fadu/assessment/v1/assessment_service.pb.h"
#include "services/assessment/forwarder.h"

namespace fadu::assessment {

// What the handlers work with. Everything outlives them.
struct HandlerParts {
  records::Store& store;
  rpc::Peers& peers;
  Forwarder& forwarder;
};

// The laws of the service's record types, by full message name.
std::map<std::string, records::Law> Laws();

// Thread-safe.
class AssessmentHandler {
 public:
  explicit AssessmentHandler(HandlerParts parts);
  const rpc::Service& service() const { return service_; }

 private:
  using RubricDone = std::function<void(absl::StatusOr<v1::RubricInfo>)>;
  using CycleDone = std::function<void(absl::StatusOr<v1::CycleInfo>)>;
  using MarkDone = std::function<void(absl::StatusOr<v1::MarkInfo>)>;

  absl::StatusOr<v1::CheckRubricResponse> CheckRubric(const CallContext& call,
                                                      const v1::CheckRubricRequest& request);
  absl::StatusOr<v1::RubricInfo> ImportRubric(const CallContext& call,
                                              const v1::ImportRubricRequest& request);
  absl::StatusOr<v1::HandOverResponse> HandOver(const CallContext& call,
                                                const v1::HandOverRequest& request);
  void PublishRubric(const CallContext& call, const v1::PublishRubricRequest& request,
                     RubricDone done);
  void OpenCycle(const CallContext& call, const v1::OpenCycleRequest& request, CycleDone done);
  void CloseCycle(const CallContext& call, const v1::CloseCycleRequest& request, CycleDone done);
  void GiveMark(const CallContext& call, const v1::GiveMarkRequest& request, MarkDone done);

  // Writes, and wakes the forwarder when something was written. `unchanged` holds the record to
  // answer with when the decision found nothing to do.
  void Write(const CallContext& call, records::WriteRequest wish,
             std::shared_ptr<absl::optional<records::StoredRecord>> unchanged,
             std::function<void(absl::StatusOr<records::StoredRecord>)> done);

  const HandlerParts parts_;
  const RecordType* const rubric_type_;
  const RecordType* const cycle_type_;
  const RecordType* const mark_type_;
  rpc::Service service_;
};

}  // namespace fadu::assessment

#endif  // FADU_SERVICES_ASSESSMENT_HANDLER_H_
