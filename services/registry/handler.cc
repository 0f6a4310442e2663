#include "services/registry/handler.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include <openssl/crypto.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/base/area_code.h"
#include "common/base/civil_day.h"
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/records/page_token.h"
#include "common/schema/names.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/registry/v1/records.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "services/registry/bootstrap_file.h"
#include "services/registry/domain/account.h"
#include "services/registry/domain/area_import.h"

namespace fadu::registry {
namespace {

namespace common = ::fadu::common::v1;

constexpr int kDefaultPage = 200;
constexpr int kMaxPage = 2000;
constexpr int kMaxChanges = 1000;
constexpr size_t kCountyDigits = 6;
constexpr int kMaxAccounts = 100000;
// Wrong secrets per process: ten at once, then one every six seconds.
constexpr int kFailures = 10;
constexpr absl::Duration kFailureInterval = absl::Seconds(6);
// How exactly an account's last use is known.
constexpr absl::Duration kUseInterval = absl::Minutes(1);
// How long a repeated Bootstrap is taken for one whose answer was lost.
constexpr absl::Duration kBootstrapRetry = absl::Minutes(10);

absl::Status InvalidField(absl::string_view field, absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, common::REASON_FIELD_INVALID, "invalid field",
              {{"field", std::string(field)}, {"problem", std::string(problem)}},
              {{std::string(field), std::string(problem)}});
}

absl::Status NotFound(absl::string_view name) {
  return Fail(absl::StatusCode::kNotFound, common::REASON_NOT_FOUND,
              "no such account, or not visible", {{"name", std::string(name)}});
}

absl::Status UnknownArea(absl::string_view area) {
  return Fail(absl::StatusCode::kNotFound, v1::REASON_AREA_UNKNOWN, "no such area",
              {{"area", std::string(area)}});
}

// Every organisation that a grant is limited to is one of the county's.
absl::Status CheckOrganisations(
    records::LockedView& view, const RecordType& type,
    const google::protobuf::RepeatedPtrField<v1::AccountGrant>& grants) {
  for (int i = 0; i < grants.size(); ++i) {
    const std::string& organisation = grants[i].organisation();
    if (organisation.empty()) continue;
    const absl::StatusOr<Uuid> id = Uuid::Parse(organisation);
    absl::optional<records::StoredRecord> found;
    if (id.ok()) {
      FADU_ASSIGN_OR_RETURN(found, view.Get(type, *id));
    }
    if (found.has_value() && !found->deleted_at.has_value()) continue;
    return Fail(absl::StatusCode::kPermissionDenied, v1::REASON_GRANT_DENIED,
                "there is no such organisation",
                {{"item", absl::StrCat(i + 1)},
                 {"area", grants[i].area_code()},
                 {"problem", absl::StrCat("本县没有编号为 ", organisation, " 的单位")}});
  }
  return absl::OkStatus();
}

absl::Status SecretInvalid() {
  return Fail(absl::StatusCode::kUnauthenticated, v1::REASON_SECRET_INVALID,
              "no account has this secret");
}

absl::Status SecretLocked(absl::Time until) {
  return Fail(absl::StatusCode::kResourceExhausted, v1::REASON_SECRET_LOCKED,
              "the secret is locked after wrong ones",
              {{"until", absl::FormatTime("%Y-%m-%d %H:%M:%S", until, LegalTimeZone())}});
}

// Why a secret that is the account's, or was, gives no token; OK when it gives one.
absl::Status CheckUsable(const v1::Account& account, const StoredCredential& credential,
                         absl::Time now) {
  switch (StateOf(account, DayOf(now))) {
    case v1::ACCOUNT_STATE_DISABLED:
      return Fail(absl::StatusCode::kUnauthenticated, v1::REASON_ACCOUNT_DISABLED,
                  "the account is disabled");
    case v1::ACCOUNT_STATE_EXPIRED:
      return Fail(absl::StatusCode::kUnauthenticated, v1::REASON_ACCOUNT_EXPIRED,
                  "the account has expired", {{"date", account.expire_date()}});
    default:
      break;
  }
  if (credential.revoked_at.has_value()) {
    return Fail(absl::StatusCode::kUnauthenticated, v1::REASON_SECRET_REPLACED,
                "the secret was replaced", {{"date", FormatDay(DayOf(*credential.revoked_at))}});
  }
  return absl::OkStatus();
}

absl::Status BootstrapRefused() {
  return Fail(absl::StatusCode::kUnauthenticated, v1::REASON_BOOTSTRAP_REFUSED,
              "the bootstrap secret is wrong or was used");
}

absl::Status MayAdminister(const CallContext& call, absl::string_view county) {
  if (call.principal.MayIn(county, {common::ROLE_COUNTY_ADMIN})) return absl::OkStatus();
  return Fail(absl::StatusCode::kPermissionDenied, common::REASON_AREA_DENIED,
              "the county is not the caller's", {{"area", std::string(county)}});
}

// A day that passed Rules; `fallback` when there is none.
absl::StatusOr<absl::CivilDay> DayOr(absl::string_view text, absl::CivilDay fallback) {
  if (text.empty()) return fallback;
  return ParseDay(text);
}

// The digest under which a request is known again.
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

std::string NewSecret() { return AccountSecret(RandomBytes(kSecretBytes)); }

v1::Area ToProto(const AreaSpan& span, const std::vector<std::string>& names) {
  v1::Area area;
  area.set_name(absl::StrCat("areas/", span.code));
  area.set_code(span.code);
  area.set_title(span.name);
  area.set_parent(span.parent);
  area.set_level(
      static_cast<v1::AreaLevel>(static_cast<int>(LevelOf(span.code)) + v1::AREA_LEVEL_PROVINCE));
  area.set_valid_from_date(FormatDay(span.from));
  if (span.to) area.set_valid_to_date(FormatDay(*span.to));
  area.set_successor(span.successor);
  for (const std::string& name : names) {
    if (name != span.name) area.add_aliases(name);
  }
  return area;
}

v1::ImportAreasResponse ToProto(const AreaPlan& plan, const AreaFile& file) {
  v1::ImportAreasResponse response;
  response.set_added(plan.added);
  response.set_renamed(plan.renamed);
  response.set_ended(plan.ended);
  response.set_moved(plan.moved);
  response.set_unchanged(plan.unchanged);
  *response.mutable_errors() = {plan.errors.begin(), plan.errors.end()};
  *response.mutable_warnings() = {file.warnings.begin(), file.warnings.end()};
  for (const v1::AreaChange& change : plan.changes) {
    if (response.changes_size() == kMaxChanges) break;
    *response.add_changes() = change;
  }
  return response;
}

// The area that a name means: the one in force, or the only one there was.
absl::StatusOr<std::string> TheOneMeant(const std::vector<NamedArea>& areas,
                                        absl::string_view name) {
  std::vector<std::string> all;
  std::vector<std::string> in_force;
  for (const NamedArea& area : areas) {
    all.push_back(area.code);
    if (area.in_force) in_force.push_back(area.code);
  }
  if (all.empty()) return UnknownArea(name);
  if (in_force.size() == 1) return in_force[0];
  if (all.size() == 1) return all[0];
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_ALIAS_AMBIGUOUS,
              "several areas have this name",
              {{"alias", std::string(name)}, {"areas", absl::StrJoin(all, "、")}});
}

v1::Account AccountOf(const records::StoredRecord& record) {
  v1::Account account;
  account.CopyFrom(*record.message);
  return account;
}

// The registry itself, within one county: what it may read and confirm on its own account.
CallContext AsRegistry(const CallContext& call, const std::string& county) {
  CallContext own = call;
  own.principal = Principal();
  own.principal.subject = "services/registry";
  own.principal.grants = {RoleGrant{common::ROLE_COUNTY_ADMIN, county, ""}};
  return own;
}

// The answer to a write of one account; the secret only when this call made it.
absl::StatusOr<v1::AccountSecret> SecretAnswer(const absl::StatusOr<records::WriteResult>& result,
                                               const std::string& secret) {
  if (!result.ok()) return result.status();
  if (result->records.empty()) return FADU_BUG("a write without a record");
  v1::AccountSecret answer;
  answer.set_name(result->records[0].Name());
  *answer.mutable_account() = AccountOf(result->records[0]);
  if (!result->replayed) answer.set_secret(secret);
  return answer;
}

v1::AccountInfo InfoOf(const records::StoredRecord& record) {
  v1::AccountInfo info;
  info.set_name(record.Name());
  *info.mutable_account() = AccountOf(record);
  return info;
}

// Another account can still administer the county.
absl::StatusOr<bool> HasOtherAdministrator(records::LockedView& view, const RecordType& type,
                                           const Credential& credential, absl::CivilDay today) {
  FADU_ASSIGN_OR_RETURN(const std::vector<records::StoredRecord> accounts,
                        view.Find(type, "disabled = false", kMaxAccounts));
  return std::any_of(accounts.begin(), accounts.end(), [&](const records::StoredRecord& record) {
    return record.id != credential.account &&
           Administers(AccountOf(record), credential.county, today);
  });
}

}  // namespace

RegistryHandler::RegistryHandler(HandlerParts parts)
    : parts_(std::move(parts)),
      account_type_(parts_.store.types().FindByName(v1::Account::descriptor()->full_name())),
      organisation_type_(
          parts_.store.types().FindByName(v1::Organisation::descriptor()->full_name())),
      failures_(kFailures, kFailureInterval),
      service_("fadu.registry.v1.RegistryService") {
  service_.Handle<v1::ImportAreasRequest, v1::ImportAreasResponse>(
      "ImportAreas", [this](const CallContext& call, const v1::ImportAreasRequest& request) {
        return ImportAreas(call, request);
      });
  service_.Handle<v1::ListAreasRequest, v1::ListAreasResponse>(
      "ListAreas", [this](const CallContext& call, const v1::ListAreasRequest& request) {
        return ListAreas(call, request);
      });
  service_.Handle<v1::GetAreaRequest, v1::Area>(
      "GetArea", [this](const CallContext& call, const v1::GetAreaRequest& request) {
        return GetArea(call, request);
      });
  service_.Handle<v1::AddAreaAliasRequest, v1::Area>(
      "AddAreaAlias", [this](const CallContext& call, const v1::AddAreaAliasRequest& request) {
        return AddAreaAlias(call, request);
      });
  service_.Handle<v1::ExchangeTokenRequest, v1::ExchangeTokenResponse>(
      "ExchangeToken", [this](const CallContext& call, const v1::ExchangeTokenRequest& request) {
        return ExchangeToken(call, request);
      });
  service_.Handle<v1::BootstrapRequest, v1::AccountSecret>(
      "Bootstrap", [this](const CallContext& call, const v1::BootstrapRequest& request) {
        return Bootstrap(call, request);
      });
  service_.HandleRecording<v1::CreateAccountRequest, v1::AccountSecret>(
      "CreateAccount", [this](const CallContext& call, const v1::CreateAccountRequest& request,
                              SecretDone done) { CreateAccount(call, request, std::move(done)); });
  service_.Handle<v1::ListAccountsRequest, v1::ListAccountsResponse>(
      "ListAccounts", [this](const CallContext& call, const v1::ListAccountsRequest& request) {
        return ListAccounts(call, request);
      });
  service_.HandleRecording<v1::RotateSecretRequest, v1::AccountSecret>(
      "RotateSecret", [this](const CallContext& call, const v1::RotateSecretRequest& request,
                             SecretDone done) { RotateSecret(call, request, std::move(done)); });
  service_.HandleRecording<v1::DisableAccountRequest, v1::AccountInfo>(
      "DisableAccount", [this](const CallContext& call, const v1::DisableAccountRequest& request,
                               InfoDone done) { DisableAccount(call, request, std::move(done)); });
}

// ---- Areas -------------------------------------------------------------------------------------

absl::StatusOr<v1::ImportAreasResponse> RegistryHandler::ImportAreas(
    const CallContext& call, const v1::ImportAreasRequest& request) {
  FADU_ASSIGN_OR_RETURN(const std::string county, ParseCountyName(request.parent()));
  FADU_RETURN_IF_ERROR(MayAdminister(call, county));
  if (request.tsv().size() > kMaxFileBytes) {
    return Fail(absl::StatusCode::kInvalidArgument, common::REASON_TOO_LARGE,
                "the file is larger than 2 MiB", {{"limit", "2 MiB"}});
  }
  FADU_ASSIGN_OR_RETURN(const absl::CivilDay as_of, ParseDay(request.as_of_date()));
  const AreaFile file = ReadAreaFile(request.tsv(), county);
  const bool writes = !request.dry_run() && file.errors.empty();
  const Uuid import_id = parts_.ids.NewId();
  AreaPlan plan;
  bool imported = false;
  const auto import = [&](db::Transaction& transaction) -> absl::Status {
    imported = false;
    if (writes) FADU_RETURN_IF_ERROR(LockAreaTree(transaction, county));
    FADU_ASSIGN_OR_RETURN(const KnownAreas known, ReadKnownAreas(transaction, county));
    FADU_ASSIGN_OR_RETURN(plan, PlanImport(file, known, as_of, DayOf(call.now)));
    if (!writes || (plan.adds.empty() && plan.ends.empty())) return absl::OkStatus();
    imported = true;
    return WriteAreaPlan(transaction, plan,
                         AreaImport{import_id, county, as_of, request.source(),
                                    StoredDigest(request.tsv()), call.now, call.principal.subject});
  };
  const db::Scope scope = db::Scope::WholeCounty(county);
  FADU_RETURN_IF_ERROR(writes ? parts_.pool.InTransaction(scope, call.deadline, import)
                              : parts_.pool.Read(scope, call.deadline, import));
  v1::ImportAreasResponse response = ToProto(plan, file);
  response.set_imported(imported);
  return response;
}

absl::StatusOr<v1::ListAreasResponse> RegistryHandler::ListAreas(
    const CallContext& call, const v1::ListAreasRequest& request) {
  FADU_ASSIGN_OR_RETURN(const std::string county, ParseCountyName(request.parent()));
  if (!request.area().empty() && !IsWithin(request.area(), county)) {
    return InvalidField("area", "不属于该县");
  }
  FADU_ASSIGN_OR_RETURN(const absl::CivilDay day, DayOr(request.as_of_date(), DayOf(call.now)));
  std::vector<AreaSpan> spans;
  std::map<std::string, std::vector<std::string>> names;
  FADU_RETURN_IF_ERROR(
      parts_.pool.Read(db::Scope::WholeCounty(county), call.deadline,
                       [&](db::Transaction& transaction) -> absl::Status {
                         FADU_ASSIGN_OR_RETURN(spans, ReadAreasOn(transaction, county, day));
                         FADU_ASSIGN_OR_RETURN(names, ReadAreaNames(transaction, county));
                         return absl::OkStatus();
                       }));
  v1::ListAreasResponse response;
  response.set_tree_version(TreeVersion(spans));
  // Pages of one list are of one tree.
  const std::string query =
      absl::StrJoin({county, FormatDay(day), request.area(), response.tree_version()}, "|");
  std::string after;
  if (!request.page_token().empty()) {
    FADU_ASSIGN_OR_RETURN(const std::vector<std::string> place,
                          records::ReadPageToken(parts_.sealer, query, request.page_token(), 1));
    after = place[0];
  }
  const int size =
      request.page_size() == 0 ? kDefaultPage : std::min(request.page_size(), kMaxPage);
  for (const AreaSpan& span : spans) {
    if (span.code <= after || !IsWithin(span.code, request.area())) continue;
    if (response.areas_size() == size) {
      response.set_next_page_token(
          records::MakePageToken(parts_.sealer, query, {response.areas(size - 1).code()}));
      break;
    }
    *response.add_areas() = ToProto(span, names[span.code]);
  }
  return response;
}

absl::StatusOr<v1::Area> RegistryHandler::ReadArea(db::Transaction& transaction,
                                                   const std::string& code) const {
  FADU_ASSIGN_OR_RETURN(const absl::optional<AreaSpan> span, FindArea(transaction, code));
  if (!span) return UnknownArea(code);
  std::vector<std::string> names;
  if (code.size() >= kCountyDigits) {
    FADU_ASSIGN_OR_RETURN(auto all, ReadAreaNames(transaction, CountyOf(code)));
    names = std::move(all[code]);
  }
  return ToProto(*span, names);
}

absl::StatusOr<v1::Area> RegistryHandler::GetArea(const CallContext& call,
                                                  const v1::GetAreaRequest& request) {
  absl::string_view code = request.name();
  const bool by_code = absl::ConsumePrefix(&code, "areas/");
  if (by_code && !IsAreaCode(code)) return InvalidField("name", "应形如 areas/421221106");
  std::string county;
  if (!by_code) {
    FADU_ASSIGN_OR_RETURN(county, ParseCountyName(request.parent()));
  }
  v1::Area area;
  FADU_RETURN_IF_ERROR(parts_.pool.Read(
      db::Scope{}, call.deadline, [&](db::Transaction& transaction) -> absl::Status {
        std::string meant(code);
        if (!by_code) {
          FADU_ASSIGN_OR_RETURN(const std::vector<NamedArea> areas,
                                FindAreasByName(transaction, county, request.name()));
          FADU_ASSIGN_OR_RETURN(meant, TheOneMeant(areas, request.name()));
        }
        FADU_ASSIGN_OR_RETURN(area, ReadArea(transaction, meant));
        return absl::OkStatus();
      }));
  return area;
}

absl::StatusOr<v1::Area> RegistryHandler::AddAreaAlias(const CallContext& call,
                                                       const v1::AddAreaAliasRequest& request) {
  const std::string code(absl::StripPrefix(request.name(), "areas/"));
  if (code.size() < kCountyDigits) return InvalidField("name", "只能为县及县以下区划添加别名");
  const std::string county = CountyOf(code);
  FADU_RETURN_IF_ERROR(MayAdminister(call, county));
  if (!IsAreaName(request.alias())) return InvalidField("alias", "首尾有空格或含有不可见字符");
  v1::Area area;
  const auto add = [&](db::Transaction& transaction) -> absl::Status {
    FADU_RETURN_IF_ERROR(LockAreaTree(transaction, county));
    FADU_RETURN_IF_ERROR(ReadArea(transaction, code).status());
    FADU_ASSIGN_OR_RETURN(const std::vector<NamedArea> areas,
                          FindAreasByName(transaction, county, request.alias()));
    bool known = false;
    for (const NamedArea& other : areas) {
      known = known || other.code == code;
      // The name of an area that ended may go on as another's: villages merge.
      if (other.code == code || !other.in_force) continue;
      return Fail(absl::StatusCode::kAlreadyExists, v1::REASON_ALIAS_TAKEN,
                  "it is a name of another area",
                  {{"alias", request.alias()}, {"area", other.code}});
    }
    if (!known) {
      FADU_RETURN_IF_ERROR(
          InsertAlias(transaction, code, request.alias(), call.now, call.principal.subject));
    }
    FADU_ASSIGN_OR_RETURN(area, ReadArea(transaction, code));
    return absl::OkStatus();
  };
  FADU_RETURN_IF_ERROR(
      parts_.pool.InTransaction(db::Scope::WholeCounty(county), call.deadline, add));
  return area;
}

// ---- Secrets -----------------------------------------------------------------------------------

absl::Status RegistryHandler::Refuse(absl::Time now, absl::Status status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (failures_.Take(now)) return status;
  return Fail(absl::StatusCode::kResourceExhausted, v1::REASON_TOO_MANY_ATTEMPTS,
              "too many wrong secrets");
}

// The limit of the process comes first: behind it nobody makes the database write.
absl::Status RegistryHandler::WrongSecret(const CallContext& call, absl::string_view secret) {
  const absl::Status refused = Refuse(call.now, SecretInvalid());
  const std::string handle = HandleOf(secret);
  if (handle.empty() || refused.code() == absl::StatusCode::kResourceExhausted) return refused;
  absl::optional<absl::Time> locked_until;
  FADU_RETURN_IF_ERROR(parts_.pool.InTransaction(
      db::Scope{}, call.deadline, [&](db::Transaction& transaction) -> absl::Status {
        FADU_ASSIGN_OR_RETURN(locked_until, CountFailure(transaction, handle, call.now));
        return absl::OkStatus();
      }));
  if (!locked_until.has_value()) return refused;
  Log(LogLevel::kWarning, "a secret is locked after wrong ones", {{"request_id", call.request_id}});
  return SecretLocked(*locked_until);
}

absl::StatusOr<v1::ExchangeTokenResponse> RegistryHandler::ExchangeToken(
    const CallContext& call, const v1::ExchangeTokenRequest& request) {
  const absl::string_view secret = absl::StripAsciiWhitespace(request.secret());
  if (LooksLikeBootstrap(secret)) {
    return Refuse(call.now, Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_BOOTSTRAP_SECRET,
                                 "a bootstrap secret gives no token"));
  }
  const std::string digest = SecretDigest(secret);
  absl::optional<StoredCredential> found;
  FADU_RETURN_IF_ERROR(parts_.pool.Read(
      db::Scope{}, call.deadline, [&](db::Transaction& transaction) -> absl::Status {
        FADU_ASSIGN_OR_RETURN(found, FindCredential(transaction, digest));
        return absl::OkStatus();
      }));
  if (!found) return WrongSecret(call, secret);
  const std::string& county = found->credential.county;
  const RecordName name{county, account_type_->collection(), found->credential.account};
  FADU_ASSIGN_OR_RETURN(const records::StoredRecord record,
                        parts_.store.Get(AsRegistry(call, county), name.ToString()));
  const v1::Account account = AccountOf(record);
  if (record.deleted_at) return Refuse(call.now, SecretInvalid());
  if (const absl::Status usable = CheckUsable(account, *found, call.now); !usable.ok()) {
    return Refuse(call.now, usable);
  }
  if (found->locked_until.has_value() && call.now < *found->locked_until) {
    return SecretLocked(*found->locked_until);
  }
  if (!found->last_used_at.has_value() || call.now - *found->last_used_at >= kUseInterval) {
    FADU_RETURN_IF_ERROR(
        parts_.pool.InTransaction(db::Scope{}, call.deadline, [&](db::Transaction& transaction) {
          return UseCredential(transaction, county, digest, call.now);
        }));
  }
  const common::Identity identity = IdentityOf(account, record.id, call.now);
  v1::ExchangeTokenResponse response;
  FADU_ASSIGN_OR_RETURN(*response.mutable_bearer(), parts_.signer.Sign(identity));
  response.mutable_expire_time()->set_seconds(identity.expire_seconds());
  response.set_subject(identity.subject());
  *response.mutable_grants() = identity.grants();
  response.set_display_name(identity.display_name());
  response.set_account(record.Name());
  return response;
}

// Not a recording method: nobody without the secret reaches the county's writer.
absl::StatusOr<v1::AccountSecret> RegistryHandler::Bootstrap(const CallContext& call,
                                                             const v1::BootstrapRequest& request) {
  FADU_ASSIGN_OR_RETURN(const std::string county, ParseCountyName(request.parent()));
  const std::string digest = SecretDigest(absl::StripAsciiWhitespace(request.secret()));
  absl::optional<StoredBootstrap> stored;
  FADU_RETURN_IF_ERROR(parts_.pool.Read(db::Scope{}, call.deadline,
                                        [&](db::Transaction& transaction) -> absl::Status {
                                          FADU_ASSIGN_OR_RETURN(stored, FindBootstrap(transaction));
                                          return absl::OkStatus();
                                        }));
  const bool right = stored && stored->digest.size() == digest.size() &&
                     CRYPTO_memcmp(stored->digest.data(), digest.data(), digest.size()) == 0;
  if (!right) return Refuse(call.now, BootstrapRefused());

  const std::string secret = NewSecret();
  const Credential credential{county, parts_.ids.NewId()};
  records::WriteRequest wish;
  wish.county = county;
  FADU_ASSIGN_OR_RETURN(wish.request_id, Uuid::Parse(request.request_id()));
  wish.request_hash = HashOf(request);
  wish.trusted = true;
  records::Change change;
  change.type = account_type_;
  change.id = credential.account;
  change.message = std::make_shared<v1::Account>(
      FirstAdministrator(county, request.display_name(), DayOf(call.now)));
  change.comment = "bootstrap";
  change.submit = true;
  wish.changes.push_back(std::move(change));
  wish.decide = [digest, credential, secret, now = call.now](
                    records::LockedView& view, std::vector<records::Change>&) -> absl::Status {
    FADU_ASSIGN_OR_RETURN(const bool consumed,
                          ConsumeBootstrap(view.sql(), digest, credential, now));
    if (!consumed) return BootstrapRefused();
    return InsertCredential(view.sql(), credential, secret, now);
  };
  const CallContext own = AsRegistry(call, county);
  const absl::StatusOr<records::WriteResult> result =
      parts_.store.WriteAndWait(own, std::move(wish));
  if (!result.ok()) {
    return result.status().code() == absl::StatusCode::kUnauthenticated ||
                   ReasonOf(result.status()) == "REASON_REQUEST_ID_REUSED"
               ? Refuse(call.now, BootstrapRefused())
               : result.status();
  }
  RemoveBootstrapFile(parts_.keys_folder);
  if (!result->replayed) return SecretAnswer(result, secret);
  // The answer was lost, and nobody else can make a secret for this account.
  if (result->records.empty()) return FADU_BUG("a replay without a record");
  const records::StoredRecord& first = result->records[0];
  if (call.now - first.created_at > kBootstrapRetry) return Refuse(call.now, BootstrapRefused());
  return SecretAnswer(
      parts_.store.WriteAndWait(
          own, Rotation(call.now, Credential{county, first.id}, parts_.ids.NewId(), secret)),
      secret);
}

// ---- Accounts ----------------------------------------------------------------------------------

void RegistryHandler::CreateAccount(const CallContext& call,
                                    const v1::CreateAccountRequest& request, SecretDone done) {
  const auto wish = [&](const Credential& credential,
                        const std::string& secret) -> absl::StatusOr<records::WriteRequest> {
    FADU_RETURN_IF_ERROR(MayAdminister(call, credential.county));
    FADU_ASSIGN_OR_RETURN(v1::Account account,
                          NewAccount(call.principal, credential.county, request, DayOf(call.now)));
    records::WriteRequest write;
    write.county = credential.county;
    FADU_ASSIGN_OR_RETURN(write.request_id, Uuid::Parse(request.request_id()));
    write.request_hash = HashOf(request);
    write.trusted = true;
    records::Change change;
    change.type = account_type_;
    change.id = credential.account;
    change.message = std::make_shared<v1::Account>(std::move(account));
    change.submit = true;
    write.changes.push_back(std::move(change));
    write.decide = [type = account_type_, organisations = organisation_type_,
                    grants = request.grants(), login = request.login(), credential, secret,
                    now = call.now](records::LockedView& view,
                                    std::vector<records::Change>&) -> absl::Status {
      FADU_RETURN_IF_ERROR(CheckOrganisations(view, *organisations, grants));
      if (!login.empty()) {
        FADU_ASSIGN_OR_RETURN(const std::vector<records::StoredRecord> others,
                              view.Find(*type, absl::StrCat("login = \"", login, "\""), 1));
        if (!others.empty()) {
          return Fail(absl::StatusCode::kAlreadyExists, v1::REASON_LOGIN_TAKEN,
                      "another account has this login", {{"login", login}});
        }
      }
      return InsertCredential(view.sql(), credential, secret, now);
    };
    return write;
  };
  const absl::StatusOr<std::string> county = ParseCountyName(request.parent());
  if (!county.ok()) return done(county.status());
  const std::string secret = NewSecret();
  absl::StatusOr<records::WriteRequest> write =
      wish(Credential{*county, parts_.ids.NewId()}, secret);
  if (!write.ok()) return done(write.status());
  parts_.store.Write(call, *std::move(write),
                     [done = std::move(done), secret](absl::StatusOr<records::WriteResult> result) {
                       done(SecretAnswer(result, secret));
                     });
}

absl::StatusOr<v1::ListAccountsResponse> RegistryHandler::ListAccounts(
    const CallContext& call, const v1::ListAccountsRequest& request) {
  FADU_ASSIGN_OR_RETURN(const std::string county, ParseCountyName(request.parent()));
  if (!call.principal.MayIn(county, {common::ROLE_COUNTY_ADMIN, common::ROLE_AUDITOR})) {
    return Fail(absl::StatusCode::kPermissionDenied, common::REASON_AREA_DENIED,
                "the county is not the caller's", {{"area", county}});
  }
  records::ListQuery query;
  query.county = county;
  query.type = account_type_;
  if (request.kind() != v1::ACCOUNT_KIND_UNSPECIFIED) {
    query.filter = absl::StrCat(
        "kind = ", EnumCode(v1::AccountKind_descriptor()->FindValueByNumber(request.kind())));
  }
  query.page_size = request.page_size();
  query.page_token = request.page_token();
  FADU_ASSIGN_OR_RETURN(const records::ListPage page, parts_.store.List(call, query));
  std::vector<Uuid> ids;
  for (const records::StoredRecord& record : page.records) ids.push_back(record.id);
  std::map<Uuid, CredentialUse> uses;
  FADU_RETURN_IF_ERROR(parts_.pool.Read(
      db::Scope{}, call.deadline, [&](db::Transaction& transaction) -> absl::Status {
        FADU_ASSIGN_OR_RETURN(uses, ReadCredentialUses(transaction, county, ids));
        return absl::OkStatus();
      }));
  v1::ListAccountsResponse response;
  response.set_next_page_token(page.next_page_token);
  for (const records::StoredRecord& record : page.records) {
    v1::AccountInfo& info = *response.add_accounts();
    info = InfoOf(record);
    info.set_state(StateOf(info.account(), DayOf(call.now)));
    const CredentialUse& use = uses[record.id];
    if (use.last_used_at.has_value()) {
      info.mutable_last_used_time()->set_seconds(absl::ToUnixSeconds(*use.last_used_at));
    }
    if (use.locked_until.has_value() && call.now < *use.locked_until &&
        info.state() == v1::ACCOUNT_STATE_USABLE) {
      info.set_state(v1::ACCOUNT_STATE_LOCKED);
      info.mutable_lock_expire_time()->set_seconds(absl::ToUnixSeconds(*use.locked_until));
    }
  }
  return response;
}

records::WriteRequest RegistryHandler::Rotation(absl::Time now, const Credential& credential,
                                                const Uuid& request_id,
                                                const std::string& secret) const {
  records::WriteRequest write;
  write.county = credential.county;
  write.request_id = request_id;
  write.trusted = true;
  records::Change change;
  change.operation = records::Operation::kUpdate;
  change.type = account_type_;
  change.id = credential.account;
  auto message = std::make_shared<v1::Account>();
  message->set_secret_date(FormatDay(DayOf(now)));
  change.message = std::move(message);
  change.mask = {"secret_date"};
  change.comment = "rotate secret";
  write.changes.push_back(std::move(change));
  write.decide = [type = account_type_, credential, secret, now](
                     records::LockedView& view, std::vector<records::Change>&) -> absl::Status {
    FADU_ASSIGN_OR_RETURN(const absl::optional<records::StoredRecord> record,
                          view.Get(*type, credential.account));
    if (!record) {
      return NotFound(
          RecordName{credential.county, type->collection(), credential.account}.ToString());
    }
    if (AccountOf(*record).disabled()) {
      return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_ACCOUNT_DISABLED,
                  "the account is disabled");
    }
    FADU_RETURN_IF_ERROR(RevokeCredentials(view.sql(), credential, now));
    return InsertCredential(view.sql(), credential, secret, now);
  };
  return write;
}

void RegistryHandler::RotateSecret(const CallContext& call, const v1::RotateSecretRequest& request,
                                   SecretDone done) {
  const absl::StatusOr<RecordName> name = ParseRecordName(request.name());
  const absl::StatusOr<Uuid> request_id = Uuid::Parse(request.request_id());
  if (!name.ok()) return done(name.status());
  if (!request_id.ok()) return done(InvalidField("request_id", "不是 UUID"));
  const bool may = call.principal.subject == SubjectOf(name->id) ||
                   call.principal.MayIn(name->county, {common::ROLE_COUNTY_ADMIN});
  if (name->collection != account_type_->collection() || !may) {
    return done(NotFound(request.name()));
  }
  const std::string secret = NewSecret();
  records::WriteRequest write =
      Rotation(call.now, Credential{name->county, name->id}, *request_id, secret);
  write.request_hash = HashOf(request);
  parts_.store.Write(call, std::move(write),
                     [done = std::move(done), secret](absl::StatusOr<records::WriteResult> result) {
                       done(SecretAnswer(result, secret));
                     });
}

void RegistryHandler::DisableAccount(const CallContext& call,
                                     const v1::DisableAccountRequest& request, InfoDone done) {
  const absl::StatusOr<RecordName> name = ParseRecordName(request.name());
  const absl::StatusOr<Uuid> request_id = Uuid::Parse(request.request_id());
  if (!name.ok()) return done(name.status());
  if (!request_id.ok()) return done(InvalidField("request_id", "不是 UUID"));
  if (name->collection != account_type_->collection() ||
      !call.principal.MayIn(name->county, {common::ROLE_COUNTY_ADMIN})) {
    return done(NotFound(request.name()));
  }
  records::WriteRequest write;
  write.county = name->county;
  write.request_id = *request_id;
  write.request_hash = HashOf(request);
  write.trusted = true;
  records::Change change;
  change.operation = records::Operation::kUpdate;
  change.type = account_type_;
  change.id = name->id;
  auto message = std::make_shared<v1::Account>();
  message->set_disabled(true);
  change.message = std::move(message);
  change.mask = {"disabled"};
  change.comment = request.reason();
  write.changes.push_back(std::move(change));
  // The account as it was when there was nothing to do; shared with the decision, which may run on
  // a writer thread more than once before `done`.
  auto already = std::make_shared<absl::optional<records::StoredRecord>>();
  write.decide = [type = account_type_, credential = Credential{name->county, name->id},
                  text = request.name(), now = call.now,
                  already](records::LockedView& view,
                           std::vector<records::Change>& changes) -> absl::Status {
    already->reset();
    FADU_ASSIGN_OR_RETURN(absl::optional<records::StoredRecord> record,
                          view.Get(*type, credential.account));
    if (!record) return NotFound(text);
    const v1::Account account = AccountOf(*record);
    if (account.disabled()) {
      changes.clear();
      *already = std::move(record);
      return absl::OkStatus();
    }
    const absl::CivilDay today = DayOf(now);
    if (Administers(account, credential.county, today)) {
      FADU_ASSIGN_OR_RETURN(const bool others,
                            HasOtherAdministrator(view, *type, credential, today));
      if (!others) {
        return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_LAST_ADMINISTRATOR,
                    "the county's last administrator");
      }
    }
    return RevokeCredentials(view.sql(), credential, now);
  };
  parts_.store.Write(
      call, std::move(write),
      [done = std::move(done), already](absl::StatusOr<records::WriteResult> result) {
        if (!result.ok()) return done(result.status());
        if (result->records.empty() && *already) return done(InfoOf(**already));
        if (result->records.empty()) return done(FADU_BUG("a write without a record"));
        done(InfoOf(result->records[0]));
      });
}

}  // namespace fadu::registry
