#include "services/registry/store.h"

#include <utility>

#include "common/base/area_code.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"
#include "services/registry/domain/secret.h"
#include "services/registry/sql.h"

namespace fadu::registry {
namespace {

std::vector<std::string> AncestorsOf(absl::string_view county) {
  const std::string city = ParentOf(county);
  return {ParentOf(city), city};
}

db::Params SubtreeAndAbove(absl::string_view county) {
  return db::Params().Text(county).Text(AfterSubtree(county)).TextArray(AncestorsOf(county));
}

AreaSpan SpanOf(const db::Row& row) {
  AreaSpan span{row.Text(0), row.Text(1), row.Text(2), row.Day(3), absl::nullopt, ""};
  if (!row.IsNull(4)) span.to = row.Day(4);
  if (!row.IsNull(5)) span.successor = row.Text(5);
  return span;
}

std::vector<AreaSpan> SpansOf(const db::Rows& rows) {
  std::vector<AreaSpan> spans;
  for (const db::Row& row : rows) spans.push_back(SpanOf(row));
  return spans;
}

absl::optional<absl::Time> TimeIn(const db::Row& row, size_t column) {
  if (row.IsNull(column)) return absl::nullopt;
  return row.Time(column);
}

void Put(const absl::optional<absl::Time>& time, db::Params& params) {
  if (time.has_value()) {
    params.Time(*time);
  } else {
    params.Null();
  }
}

}  // namespace

absl::StatusOr<KnownAreas> ReadKnownAreas(db::Transaction& transaction, absl::string_view county) {
  KnownAreas known;
  FADU_ASSIGN_OR_RETURN(const db::Rows spans,
                        transaction.Run(sql::kListKnownAreas, SubtreeAndAbove(county)));
  known.spans = SpansOf(spans);
  const std::string province = AncestorsOf(county)[0];
  FADU_ASSIGN_OR_RETURN(
      const db::Rows cities,
      transaction.Run(sql::kListSharedAncestors,
                      db::Params().Text(province).Text(AfterSubtree(province)).Text(county)));
  for (const db::Row& row : cities) {
    known.shared.insert(row.Text(0));
    known.shared.insert(province);
  }
  return known;
}

absl::Status LockAreaTree(db::Transaction& transaction, absl::string_view county) {
  const db::Params params = db::Params().Text(county);
  FADU_RETURN_IF_ERROR(transaction.Execute(sql::kMakeAreaTree, params).status());
  return transaction.Run(sql::kLockAreaTree, params).status();
}

absl::Status WriteAreaPlan(db::Transaction& transaction, const AreaPlan& plan,
                           const AreaImport& import) {
  std::vector<std::string> codes;
  std::vector<std::string> successors;
  for (const AreaEnd& end : plan.ends) {
    codes.push_back(end.code);
    successors.push_back(end.successor);
  }
  std::vector<std::string> added;
  std::vector<std::string> names;
  std::vector<std::string> parents;
  for (const AreaSpan& add : plan.adds) {
    added.push_back(add.code);
    names.push_back(add.name);
    parents.push_back(add.parent);
  }
  FADU_ASSIGN_OR_RETURN(
      const int64_t ended,
      transaction.Execute(
          sql::kEndAreas,
          db::Params().Day(import.as_of - 1).TextArray(codes).TextArray(successors)));
  FADU_ASSIGN_OR_RETURN(const int64_t inserted,
                        transaction.Execute(sql::kInsertAreas, db::Params()
                                                                   .Day(import.as_of)
                                                                   .Id(import.id)
                                                                   .TextArray(added)
                                                                   .TextArray(names)
                                                                   .TextArray(parents)));
  if (ended != static_cast<int64_t>(codes.size()) ||
      inserted != static_cast<int64_t>(added.size())) {
    return Fail(absl::StatusCode::kAborted, fadu::common::v1::REASON_CONFLICT,
                "the tree changed during the import");
  }
  FADU_RETURN_IF_ERROR(transaction
                           .Execute(sql::kInsertImport, db::Params()
                                                            .Text(import.county)
                                                            .Id(import.id)
                                                            .Day(import.as_of)
                                                            .Text(import.source)
                                                            .Bytes(import.digest)
                                                            .Int(inserted)
                                                            .Int(ended)
                                                            .Time(import.now)
                                                            .Text(import.actor))
                           .status());
  return transaction.Execute(sql::kCountImport, db::Params().Text(import.county)).status();
}

absl::StatusOr<std::vector<AreaSpan>> ReadAreasOn(db::Transaction& transaction,
                                                  absl::string_view county, absl::CivilDay day) {
  FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                        transaction.Run(sql::kListAreasOn, SubtreeAndAbove(county).Day(day)));
  return SpansOf(rows);
}

absl::StatusOr<std::map<std::string, std::vector<std::string>>> ReadAreaNames(
    db::Transaction& transaction, absl::string_view county) {
  FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                        transaction.Run(sql::kListAreaNames, SubtreeAndAbove(county)));
  std::map<std::string, std::vector<std::string>> names;
  for (const db::Row& row : rows) names[row.Text(0)].push_back(row.Text(1));
  return names;
}

absl::StatusOr<absl::optional<AreaSpan>> FindArea(db::Transaction& transaction,
                                                  absl::string_view code) {
  FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                        transaction.Run(sql::kFindArea, db::Params().Text(code)));
  if (rows.empty()) return absl::optional<AreaSpan>();
  return absl::optional<AreaSpan>(SpanOf(rows[0]));
}

absl::StatusOr<std::vector<NamedArea>> FindAreasByName(db::Transaction& transaction,
                                                       absl::string_view county,
                                                       absl::string_view name) {
  FADU_ASSIGN_OR_RETURN(
      const db::Rows rows,
      transaction.Run(sql::kFindAreasByName,
                      db::Params().Text(county).Text(AfterSubtree(county)).Text(name)));
  std::vector<NamedArea> areas;
  for (const db::Row& row : rows) areas.push_back(NamedArea{row.Text(0), row.Bool(1)});
  return areas;
}

absl::Status InsertAlias(db::Transaction& transaction, absl::string_view code,
                         absl::string_view alias, absl::Time now, absl::string_view actor) {
  return transaction
      .Execute(sql::kInsertAlias,
               db::Params().Text(CountyOf(code)).Text(alias).Text(code).Time(now).Text(actor))
      .status();
}

absl::StatusOr<absl::optional<StoredCredential>> FindCredential(db::Transaction& transaction,
                                                                absl::string_view digest) {
  FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                        transaction.Run(sql::kFindCredential, db::Params().Bytes(digest)));
  if (rows.empty()) return absl::optional<StoredCredential>();
  return absl::optional<StoredCredential>(StoredCredential{{rows[0].Text(0), rows[0].Id(1)},
                                                           TimeIn(rows[0], 2),
                                                           TimeIn(rows[0], 3),
                                                           TimeIn(rows[0], 4)});
}

absl::Status UseCredential(db::Transaction& transaction, absl::string_view county,
                           absl::string_view digest, absl::Time now) {
  return transaction.Execute(sql::kUseCredential, db::Params().Text(county).Bytes(digest).Time(now))
      .status();
}

absl::StatusOr<absl::optional<absl::Time>> CountFailure(db::Transaction& transaction,
                                                        absl::string_view handle, absl::Time now) {
  FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                        transaction.Run(sql::kLockCredentialsOfHandle, db::Params().Text(handle)));
  absl::optional<absl::Time> locked_until;
  for (const db::Row& row : rows) {
    Failures failures{row.Int(2), TimeIn(row, 3), TimeIn(row, 4)};
    if (!failures.IsLocked(now)) {
      failures = AfterFailure(failures, now);
      db::Params params;
      params.Text(row.Text(0)).Bytes(row.Bytes(1)).Int(failures.count);
      Put(failures.since, params);
      Put(failures.locked_until, params);
      FADU_RETURN_IF_ERROR(transaction.Execute(sql::kPutFailures, params).status());
    }
    if (failures.IsLocked(now)) locked_until = failures.locked_until;
  }
  return locked_until;
}

absl::StatusOr<std::map<Uuid, CredentialUse>> ReadCredentialUses(
    db::Transaction& transaction, absl::string_view county, const std::vector<Uuid>& accounts) {
  FADU_ASSIGN_OR_RETURN(
      const db::Rows rows,
      transaction.Run(sql::kListCredentialUses, db::Params().Text(county).IdArray(accounts)));
  std::map<Uuid, CredentialUse> uses;
  for (const db::Row& row : rows) {
    uses[row.Id(0)] = CredentialUse{TimeIn(row, 1), TimeIn(row, 2)};
  }
  return uses;
}

absl::StatusOr<bool> HasCredential(db::Transaction& transaction) {
  FADU_ASSIGN_OR_RETURN(const db::Rows rows, transaction.Run(sql::kHasCredential));
  if (rows.empty()) return FADU_BUG("EXISTS gave no row");
  return rows[0].Bool(0);
}

absl::Status InsertCredential(db::Transaction& transaction, const Credential& credential,
                              absl::string_view secret, absl::Time now) {
  return transaction
      .Execute(sql::kInsertCredential, db::Params()
                                           .Text(credential.county)
                                           .Bytes(SecretDigest(secret))
                                           .Id(credential.account)
                                           .Time(now)
                                           .Text(HandleOf(secret)))
      .status();
}

absl::Status RevokeCredentials(db::Transaction& transaction, const Credential& credential,
                               absl::Time now) {
  return transaction
      .Execute(sql::kRevokeCredentials,
               db::Params().Text(credential.county).Id(credential.account).Time(now))
      .status();
}

absl::StatusOr<absl::optional<StoredBootstrap>> FindBootstrap(db::Transaction& transaction) {
  FADU_ASSIGN_OR_RETURN(const db::Rows rows, transaction.Run(sql::kFindBootstrap));
  if (rows.empty()) return absl::optional<StoredBootstrap>();
  return absl::optional<StoredBootstrap>(StoredBootstrap{rows[0].Bytes(0), rows[0].Bool(1)});
}

absl::Status PutBootstrap(db::Transaction& transaction, absl::string_view digest, absl::Time now) {
  return transaction.Execute(sql::kPutBootstrap, db::Params().Bytes(digest).Time(now)).status();
}

absl::StatusOr<bool> ConsumeBootstrap(db::Transaction& transaction, absl::string_view digest,
                                      const Credential& credential, absl::Time now) {
  FADU_ASSIGN_OR_RETURN(
      const int64_t consumed,
      transaction.Execute(
          sql::kConsumeBootstrap,
          db::Params().Bytes(digest).Time(now).Text(credential.county).Id(credential.account)));
  return consumed == 1;
}

}  // namespace fadu::registry
