#include "services/registry/sign_in.h"

#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/schema/names.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/options.pb.h"
#include "fadu/common/v1/reason.pb.h"
#include "services/registry/accounts.h"
#include "services/registry/domain/account.h"
#include "services/registry/domain/sign_in.h"

namespace fadu::registry {
namespace {

namespace common = ::fadu::common::v1;

constexpr int kWrongSecrets = 10;
constexpr absl::Duration kWrongSecretInterval = absl::Seconds(6);

absl::Status Refused() {
  return Fail(absl::StatusCode::kUnauthenticated, v1::REASON_SIGN_IN_REFUSED,
              "login or password is wrong, or the account cannot be used");
}

absl::Status WrongSecret() {
  return Fail(absl::StatusCode::kUnauthenticated, v1::REASON_PASSWORD_SECRET,
              "the one-time secret is wrong, used or too old");
}

absl::Status Ended() {
  return Fail(absl::StatusCode::kUnauthenticated, v1::REASON_SESSION_ENDED,
              "the session has ended");
}

// A change that only says something in the audit log: the login stays what it is.
records::Change NoteOf(const RecordType* type, const Credential& credential,
                       const std::string& login, const std::string& comment) {
  records::Change change;
  change.operation = records::Operation::kUpdate;
  change.type = type;
  change.id = credential.account;
  auto message = std::make_shared<v1::Account>();
  message->set_login(login);
  change.message = std::move(message);
  change.mask = {"login"};
  change.comment = comment;
  return change;
}

// The same county and account, in whose name a person acts who has no token yet.
CallContext AsAccount(const CallContext& call, const Credential& credential) {
  CallContext own = AsRegistry(call, credential.county);
  own.principal.subject = SubjectOf(credential.account);
  return own;
}

}  // namespace

SignInHandler::SignInHandler(HandlerParts parts)
    : parts_(std::move(parts)),
      account_type_(parts_.store.types().FindByName(v1::Account::descriptor()->full_name())),
      wrong_secrets_(kWrongSecrets, kWrongSecretInterval),
      service_("fadu.registry.v1.SignInService") {
  service_.HandleRecording<v1::CreatePasswordSecretRequest, v1::PasswordSecret>(
      "CreatePasswordSecret",
      [this](const CallContext& call, const v1::CreatePasswordSecretRequest& request,
             std::function<void(absl::StatusOr<v1::PasswordSecret>)> done) {
        CreatePasswordSecret(call, request, std::move(done));
      });
  service_.Handle<v1::SetPasswordRequest, v1::SetPasswordResponse>(
      "SetPassword", [this](const CallContext& call, const v1::SetPasswordRequest& request) {
        return SetPassword(call, request);
      });
  service_.Handle<v1::SignInRequest, v1::Session>(
      "SignIn", [this](const CallContext& call, const v1::SignInRequest& request) {
        return SignIn(call, request);
      });
  service_.Handle<v1::RefreshSessionRequest, v1::Session>(
      "RefreshSession", [this](const CallContext& call, const v1::RefreshSessionRequest& request) {
        return RefreshSession(call, request);
      });
  service_.Handle<v1::SignOutRequest, v1::SignOutResponse>(
      "SignOut", [this](const CallContext& call, const v1::SignOutRequest& request) {
        return SignOut(call, request);
      });
}

std::string SignInHandler::NameOf(const Credential& credential) const {
  return RecordName{credential.county, account_type_->collection(), credential.account}.ToString();
}

absl::StatusOr<v1::Account> SignInHandler::ReadAccount(const CallContext& call,
                                                       const Credential& credential) {
  FADU_ASSIGN_OR_RETURN(const records::StoredRecord record,
                        parts_.store.Get(AsRegistry(call, credential.county), NameOf(credential)));
  if (record.deleted_at) return NotFound(record.Name());
  return AccountOf(record);
}

// ---- Setting a password ------------------------------------------------------------------------

void SignInHandler::CreatePasswordSecret(
    const CallContext& call, const v1::CreatePasswordSecretRequest& request,
    std::function<void(absl::StatusOr<v1::PasswordSecret>)> done) {
  const absl::StatusOr<RecordName> name = ParseRecordName(request.name());
  if (!name.ok()) return done(name.status());
  const absl::StatusOr<Uuid> request_id = Uuid::Parse(request.request_id());
  if (!request_id.ok()) return done(FADU_BUG("a request id that passed its rules"));
  if (name->collection != account_type_->collection() ||
      !call.principal.MayIn(name->county, {common::ROLE_COUNTY_ADMIN})) {
    return done(NotFound(request.name()));
  }
  if (!request.login().empty() && !IsLogin(request.login())) {
    return done(Fail(absl::StatusCode::kInvalidArgument, v1::REASON_LOGIN_INVALID,
                     "a login of other characters", {{"login", request.login()}}));
  }
  const Credential credential{name->county, name->id};
  const std::string secret = PasswordSecret(RandomBytes(kSecretBytes));
  const absl::Time expires_at = call.now + kPasswordSecretLife;
  records::WriteRequest write;
  write.county = credential.county;
  write.request_id = *request_id;
  write.request_hash = HashOf(request);
  write.trusted = true;
  write.changes.push_back(NoteOf(account_type_, credential, request.login(), "password secret"));
  write.decide = [type = account_type_, credential, wished = request.login(), secret, expires_at,
                  today = DayOf(call.now),
                  text = request.name()](records::LockedView& view,
                                         std::vector<records::Change>& changes) -> absl::Status {
    FADU_ASSIGN_OR_RETURN(const absl::optional<records::StoredRecord> record,
                          view.Get(*type, credential.account));
    if (!record || record->deleted_at) return NotFound(text);
    const v1::Account account = AccountOf(*record);
    if (!IsUsable(account, today)) {
      return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_ACCOUNT_DISABLED,
                  "the account is disabled or has expired");
    }
    if (account.kind() != v1::ACCOUNT_KIND_USER) {
      return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_PASSWORD_CLIENT,
                  "an API client has no password");
    }
    const std::string login = wished.empty() ? account.login() : wished;
    if (login.empty()) {
      return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_LOGIN_MISSING,
                  "the account has no login");
    }
    if (login != account.login()) {
      FADU_ASSIGN_OR_RETURN(const std::vector<records::StoredRecord> others,
                            view.Find(*type, absl::StrCat("login = \"", login, "\""), 1));
      if (!others.empty()) {
        return Fail(absl::StatusCode::kAlreadyExists, v1::REASON_LOGIN_TAKEN,
                    "another account has this login", {{"login", login}});
      }
    }
    changes = {NoteOf(type, credential, login, "password secret")};
    return PutPasswordSecret(view.sql(), credential, SecretDigest(secret), expires_at);
  };
  parts_.store.Write(
      call, std::move(write),
      [done = std::move(done), secret, expires_at](absl::StatusOr<records::WriteResult> result) {
        if (!result.ok()) return done(result.status());
        if (result->records.empty()) return done(FADU_BUG("a write without a record"));
        v1::PasswordSecret answer;
        answer.set_name(result->records[0].Name());
        answer.set_login(AccountOf(result->records[0]).login());
        if (!result->replayed) {
          answer.set_secret(secret);
          answer.mutable_expire_time()->set_seconds(absl::ToUnixSeconds(expires_at));
        }
        done(std::move(answer));
      });
}

absl::StatusOr<SignInHandler::Person> SignInHandler::ProveBySecret(const CallContext& call,
                                                                   const std::string& secret) {
  absl::optional<StoredPasswordSecret> stored;
  FADU_RETURN_IF_ERROR(parts_.pool.Read(
      db::Scope{}, call.deadline, [&](db::Transaction& transaction) -> absl::Status {
        FADU_ASSIGN_OR_RETURN(stored, FindPasswordSecret(transaction, SecretDigest(secret)));
        return absl::OkStatus();
      }));
  if (!stored || call.now >= stored->expires_at) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (wrong_secrets_.Take(call.now)) return WrongSecret();
    return Fail(absl::StatusCode::kResourceExhausted, v1::REASON_TOO_MANY_ATTEMPTS,
                "too many wrong secrets");
  }
  Person person;
  person.credential = stored->credential;
  FADU_ASSIGN_OR_RETURN(person.account, ReadAccount(call, person.credential));
  if (!IsUsable(person.account, DayOf(call.now))) return WrongSecret();
  return person;
}

absl::StatusOr<v1::SetPasswordResponse> SignInHandler::SetPassword(
    const CallContext& call, const v1::SetPasswordRequest& request) {
  const std::string secret(absl::StripAsciiWhitespace(request.secret()));
  Person person;
  if (secret.empty()) {
    FADU_ASSIGN_OR_RETURN(const std::string county, ParseCountyName(request.parent()));
    FADU_ASSIGN_OR_RETURN(person, Prove(call, county, request.login(), request.password()));
  } else {
    FADU_ASSIGN_OR_RETURN(person, ProveBySecret(call, secret));
  }
  FADU_RETURN_IF_ERROR(CheckPassword(request.new_password(), person.account.login()));
  FADU_ASSIGN_OR_RETURN(const std::string hash,
                        hasher_.Hash(request.new_password(), call.deadline));

  const Credential credential = person.credential;
  records::WriteRequest write;
  write.county = credential.county;
  write.request_id = parts_.ids.NewId();
  write.request_hash = StoredDigest("");
  write.trusted = true;
  write.changes.push_back(
      NoteOf(account_type_, credential, person.account.login(), "set password"));
  write.decide = [credential, hash, secret, before = person.hash, login = person.account.login(),
                  now = call.now](records::LockedView& view,
                                  std::vector<records::Change>&) -> absl::Status {
    // Whoever was faster has used the secret, or changed the password that was proved.
    FADU_ASSIGN_OR_RETURN(
        const bool set, secret.empty() ? ReplacePassword(view.sql(), credential, before, hash, now)
                                       : SetPasswordBySecret(view.sql(), credential,
                                                             SecretDigest(secret), hash, now));
    if (!set) return secret.empty() ? Refused() : WrongSecret();
    FADU_RETURN_IF_ERROR(ForgetFailures(view.sql(), credential.county, SecretDigest(login)));
    return EndSessions(view.sql(), credential, now);
  };
  FADU_RETURN_IF_ERROR(
      parts_.store.WriteAndWait(AsAccount(call, credential), std::move(write)).status());
  v1::SetPasswordResponse response;
  response.set_parent(absl::StrCat("counties/", credential.county));
  response.set_login(person.account.login());
  return response;
}

// ---- Sessions ----------------------------------------------------------------------------------

absl::StatusOr<SignInHandler::Person> SignInHandler::FindPerson(const CallContext& call,
                                                                const std::string& county,
                                                                const std::string& login) {
  Person person;
  // Of other characters there is none, and a filter takes no others.
  if (!IsLogin(login)) return person;
  records::ListQuery query;
  query.county = county;
  query.type = account_type_;
  query.filter = absl::StrCat("login = \"", login, "\"");
  FADU_ASSIGN_OR_RETURN(const records::ListPage page,
                        parts_.store.List(AsRegistry(call, county), query));
  if (page.records.empty()) return person;
  person.credential = Credential{county, page.records[0].id};
  person.account = AccountOf(page.records[0]);
  FADU_RETURN_IF_ERROR(parts_.pool.Read(
      db::Scope{}, call.deadline, [&](db::Transaction& transaction) -> absl::Status {
        FADU_ASSIGN_OR_RETURN(person.hash, FindPassword(transaction, person.credential));
        return absl::OkStatus();
      }));
  return person;
}

absl::StatusOr<SignInHandler::Person> SignInHandler::Prove(const CallContext& call,
                                                           const std::string& county,
                                                           const std::string& login,
                                                           const std::string& password) {
  // Counted before the password is looked at: however many try at once, five are tried.
  Attempt attempt;
  FADU_RETURN_IF_ERROR(parts_.pool.InTransaction(
      db::Scope{}, call.deadline, [&](db::Transaction& transaction) -> absl::Status {
        FADU_RETURN_IF_ERROR(ForgetOldFailures(transaction, county, call.now - kLockTime));
        FADU_ASSIGN_OR_RETURN(const Failures before,
                              LockFailures(transaction, county, SecretDigest(login), call.now));
        attempt = Attempted(before, call.now);
        if (attempt.locked_for > absl::ZeroDuration()) return absl::OkStatus();
        return WriteFailures(transaction, county, SecretDigest(login), attempt.after);
      }));
  if (attempt.locked_for > absl::ZeroDuration()) {
    const int64_t minutes = absl::ToInt64Minutes(absl::Ceil(attempt.locked_for, absl::Minutes(1)));
    return Fail(absl::StatusCode::kResourceExhausted, v1::REASON_SIGN_IN_LOCKED,
                "too many failures", {{"minutes", absl::StrCat(minutes)}});
  }
  FADU_ASSIGN_OR_RETURN(Person person, FindPerson(call, county, login));
  FADU_ASSIGN_OR_RETURN(const bool matches, hasher_.Matches(person.hash, password, call.deadline));
  if (!matches || !IsUsable(person.account, DayOf(call.now))) return Refused();
  FADU_RETURN_IF_ERROR(
      parts_.pool.InTransaction(db::Scope{}, call.deadline, [&](db::Transaction& transaction) {
        return ForgetFailures(transaction, county, SecretDigest(login));
      }));
  return person;
}

absl::StatusOr<v1::Session> SignInHandler::SessionOf(const CallContext& call, const Person& person,
                                                     absl::Time created_at) const {
  const common::Identity identity = IdentityOf(person.account, person.credential.account, call.now);
  v1::Session session;
  FADU_ASSIGN_OR_RETURN(*session.mutable_bearer(), parts_.signer.Sign(identity));
  session.mutable_expire_time()->set_seconds(identity.expire_seconds());
  session.mutable_end_time()->set_seconds(absl::ToUnixSeconds(created_at + kSessionLife));
  session.set_account(NameOf(person.credential));
  session.set_display_name(person.account.display_name());
  *session.mutable_grants() = identity.grants();
  return session;
}

absl::StatusOr<v1::Session> SignInHandler::SignIn(const CallContext& call,
                                                  const v1::SignInRequest& request) {
  FADU_ASSIGN_OR_RETURN(const std::string county, ParseCountyName(request.parent()));
  FADU_ASSIGN_OR_RETURN(const Person person,
                        Prove(call, county, request.login(), request.password()));
  FADU_ASSIGN_OR_RETURN(v1::Session session, SessionOf(call, person, call.now));
  const std::string secret = SessionSecret(RandomBytes(kSecretBytes));
  FADU_RETURN_IF_ERROR(parts_.pool.InTransaction(
      db::Scope{}, call.deadline, [&](db::Transaction& transaction) -> absl::Status {
        FADU_RETURN_IF_ERROR(
            ForgetOldSessions(transaction, person.credential, call.now - kSessionLife));
        return InsertSession(transaction, person.credential, SecretDigest(secret), call.now);
      }));
  session.set_secret(secret);
  return session;
}

absl::StatusOr<v1::Session> SignInHandler::RefreshSession(
    const CallContext& call, const v1::RefreshSessionRequest& request) {
  absl::optional<StoredSession> stored;
  FADU_RETURN_IF_ERROR(parts_.pool.InTransaction(
      db::Scope{}, call.deadline, [&](db::Transaction& transaction) -> absl::Status {
        FADU_ASSIGN_OR_RETURN(stored, FindSession(transaction, SecretDigest(request.secret())));
        if (!stored || !SessionHolds(stored->created_at, stored->seen_at, call.now)) {
          stored.reset();
          return absl::OkStatus();
        }
        return SeeSession(transaction, SecretDigest(request.secret()), call.now);
      }));
  if (!stored) return Ended();
  Person person;
  person.credential = stored->credential;
  FADU_ASSIGN_OR_RETURN(person.account, ReadAccount(call, person.credential));
  if (!IsUsable(person.account, DayOf(call.now))) return Ended();
  return SessionOf(call, person, stored->created_at);
}

absl::StatusOr<v1::SignOutResponse> SignInHandler::SignOut(const CallContext& call,
                                                           const v1::SignOutRequest& request) {
  FADU_RETURN_IF_ERROR(
      parts_.pool.InTransaction(db::Scope{}, call.deadline, [&](db::Transaction& transaction) {
        return EndSession(transaction, SecretDigest(request.secret()), call.now);
      }));
  return v1::SignOutResponse();
}

}  // namespace fadu::registry
