#include "services/enforcement/laws.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/records/references.h"
#include "common/schema/reason.h"
#include "fadu/enforcement/v1/certificate.pb.h"
#include "fadu/enforcement/v1/officer.pb.h"
#include "fadu/enforcement/v1/reason.pb.h"
#include "fadu/enforcement/v1/training.pb.h"
#include "services/enforcement/domain/certificate.h"
#include "services/enforcement/domain/officer.h"

namespace fadu::enforcement {
namespace {

using google::protobuf::Message;
using records::LawContext;
using records::LockedView;
using records::StoredRecord;

// More than one officer ever has of trainings or certificates.
constexpr int kMostOfOne = 1000;

const RecordTypes& Types() {
  static const RecordTypes* const types = [] {
    auto made = RecordTypes::FromDescriptors({v1::EnforcementOfficer::descriptor(),
                                              v1::OfficerTraining::descriptor(),
                                              v1::EnforcementCertificate::descriptor()});
    if (!made.ok()) (void)FADU_BUG(made.status().message());
    return made.ok() ? made->release() : new RecordTypes;
  }();
  return *types;
}

template <typename Record>
const RecordType& TypeOf() {
  return *Types().FindByName(Record::descriptor()->full_name());
}

absl::Status NoOfficer(const std::string& id) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_OFFICER_UNKNOWN,
              "the officer is not recorded in the town", {{"officer", id}});
}

// The records of one officer, but the one with `self`.
template <typename Record>
absl::StatusOr<std::vector<Record>> OfOfficer(LockedView& view, const std::string& officer_id,
                                              const Uuid& self) {
  FADU_ASSIGN_OR_RETURN(
      const std::vector<StoredRecord> found,
      view.Find(TypeOf<Record>(), absl::StrCat("officer_id = ", records::FilterLiteral(officer_id)),
                kMostOfOne));
  std::vector<Record> records;
  for (const StoredRecord& record : found) {
    if (record.id == self || record.review_state == ::fadu::common::v1::REVIEW_STATE_WITHDRAWN) {
      continue;
    }
    records.push_back(static_cast<const Record&>(*record.message));
  }
  return records;
}

// What the officer's certificates rest on still holds (invariant 39 does not end with the issue).
absl::Status CheckCertificatesOf(LockedView& view, const std::string& officer_id,
                                 const v1::EnforcementOfficer& officer,
                                 const std::vector<v1::OfficerTraining>& trainings) {
  FADU_ASSIGN_OR_RETURN(const std::vector<v1::EnforcementCertificate> certificates,
                        OfOfficer<v1::EnforcementCertificate>(view, officer_id, Uuid()));
  for (const v1::EnforcementCertificate& certificate : certificates) {
    if (!certificate.end_date().empty()) continue;
    FADU_RETURN_IF_ERROR(DecideIssue(certificate, officer, trainings, {}, nullptr));
  }
  return absl::OkStatus();
}

// An officer whose trainings or certificates stand is not taken away, and stays what the
// certificates need.
absl::Status LawOfOfficer(LockedView& view, const Uuid& id, const Message*, Message& after,
                          const LawContext& context) {
  if (context.operation == records::Operation::kUpdate) {
    FADU_ASSIGN_OR_RETURN(const std::vector<v1::OfficerTraining> trainings,
                          OfOfficer<v1::OfficerTraining>(view, id.ToString(), Uuid()));
    return CheckCertificatesOf(view, id.ToString(),
                               static_cast<const v1::EnforcementOfficer&>(after), trainings);
  }
  if (!records::TakesAway(context)) return absl::OkStatus();
  const std::pair<const RecordType&, const char*> users[] = {
      {TypeOf<v1::OfficerTraining>(), "培训记录"},
      {TypeOf<v1::EnforcementCertificate>(), "执法证件"}};
  for (const auto& [type, what] : users) {
    FADU_ASSIGN_OR_RETURN(const bool used,
                          records::IsReferredTo(view, type, "officer_id", "=", id));
    if (!used) continue;
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_OFFICER_REFERENCED,
                "trainings or certificates refer to the officer", {{"what", what}});
  }
  return absl::OkStatus();
}

absl::Status LawOfTraining(LockedView& view, const Uuid& id, const Message* before, Message& after,
                           const LawContext& context) {
  const auto& training = static_cast<const v1::OfficerTraining&>(after);
  if (!records::TakesAway(context)) {
    FADU_ASSIGN_OR_RETURN(const auto officer,
                          records::FindReferred(view, TypeOf<v1::EnforcementOfficer>(),
                                                training.officer_id(), training.area_code()));
    if (!officer.has_value()) return NoOfficer(training.officer_id());
  }
  const bool changes =
      context.operation == records::Operation::kUpdate || records::TakesAway(context);
  if (!changes) return absl::OkStatus();
  // The officer it was of may have a certificate that rests on it.
  const std::string& holder = static_cast<const v1::OfficerTraining&>(*before).officer_id();
  FADU_ASSIGN_OR_RETURN(
      const auto held_by,
      records::FindReferred(view, TypeOf<v1::EnforcementOfficer>(), holder, training.area_code()));
  if (!held_by.has_value()) return absl::OkStatus();
  FADU_ASSIGN_OR_RETURN(std::vector<v1::OfficerTraining> left,
                        OfOfficer<v1::OfficerTraining>(view, holder, id));
  if (!records::TakesAway(context) && training.officer_id() == holder) left.push_back(training);
  return CheckCertificatesOf(view, holder,
                             static_cast<const v1::EnforcementOfficer&>(*held_by->message), left);
}

absl::Status LawOfCertificate(LockedView& view, const Uuid& id, const Message* before,
                              Message& after, const LawContext& context) {
  if (records::TakesAway(context)) return absl::OkStatus();
  const auto& certificate = static_cast<const v1::EnforcementCertificate&>(after);
  FADU_ASSIGN_OR_RETURN(
      const std::vector<StoredRecord> same,
      view.Find(TypeOf<v1::EnforcementCertificate>(),
                absl::StrCat("number = ", records::FilterLiteral(certificate.number())), 2));
  for (const StoredRecord& record : same) {
    if (record.id == id) continue;
    return Fail(absl::StatusCode::kAlreadyExists, v1::REASON_CERTIFICATE_NUMBER_TAKEN,
                "the certificate number is taken", {{"number", certificate.number()}});
  }
  FADU_ASSIGN_OR_RETURN(const auto officer,
                        records::FindReferred(view, TypeOf<v1::EnforcementOfficer>(),
                                              certificate.officer_id(), certificate.area_code()));
  if (!officer.has_value()) return NoOfficer(certificate.officer_id());
  FADU_ASSIGN_OR_RETURN(const std::vector<v1::OfficerTraining> trainings,
                        OfOfficer<v1::OfficerTraining>(view, certificate.officer_id(), id));
  FADU_ASSIGN_OR_RETURN(const std::vector<v1::EnforcementCertificate> others,
                        OfOfficer<v1::EnforcementCertificate>(view, certificate.officer_id(), id));
  // What was issued under the law of its day stays; but it comes back beside no other.
  if (context.operation != records::Operation::kCreate) {
    const bool comes_back =
        context.operation == records::Operation::kUndelete ||
        StateOf(static_cast<const v1::EnforcementCertificate&>(*before)) != StateOf(certificate);
    if (!comes_back || !IsValidOn(certificate, context.today)) return absl::OkStatus();
    return CheckHeldAlone(others, "", context.today);
  }
  absl::optional<StoredRecord> renewed;
  if (!certificate.renews_id().empty()) {
    FADU_ASSIGN_OR_RETURN(renewed,
                          records::FindReferred(view, TypeOf<v1::EnforcementCertificate>(),
                                                certificate.renews_id(), certificate.area_code()));
    if (!renewed.has_value() ||
        static_cast<const v1::EnforcementCertificate&>(*renewed->message).officer_id() !=
            certificate.officer_id()) {
      return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_NOT_QUALIFIED,
                  "the renewed certificate is not the officer's",
                  {{"problem", "换发的原证不是该人员的证件"}});
    }
  }
  const auto* renewed_one = renewed.has_value()
                                ? &static_cast<const v1::EnforcementCertificate&>(*renewed->message)
                                : nullptr;
  return DecideIssue(certificate, static_cast<const v1::EnforcementOfficer&>(*officer->message),
                     trainings, others, renewed_one);
}

}  // namespace

records::RecordModuleOptions Options() {
  records::RecordModuleOptions options;
  options.name = "enforcement";
  options.types = &Types();
  options.laws = {
      {v1::EnforcementOfficer::descriptor()->full_name(),
       [](const Message*, Message& after, const LawContext& context) {
         return DecideOfficer(static_cast<v1::EnforcementOfficer&>(after), context.today);
       }},
      {v1::OfficerTraining::descriptor()->full_name(),
       [](const Message*, Message& after, const LawContext& context) {
         return DecideTraining(static_cast<const v1::OfficerTraining&>(after), context.today);
       }},
      {v1::EnforcementCertificate::descriptor()->full_name(),
       [](const Message* before, Message& after, const LawContext& context) {
         return DecideCertificate(static_cast<const v1::EnforcementCertificate*>(before),
                                  static_cast<v1::EnforcementCertificate&>(after), context.today);
       }}};
  options.locked_laws = {{v1::EnforcementOfficer::descriptor()->full_name(), LawOfOfficer},
                         {v1::OfficerTraining::descriptor()->full_name(), LawOfTraining},
                         {v1::EnforcementCertificate::descriptor()->full_name(), LawOfCertificate}};
  return options;
}

}  // namespace fadu::enforcement
