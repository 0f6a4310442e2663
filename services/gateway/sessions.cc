#include "services/gateway/sessions.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <openssl/crypto.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/digest.h"

namespace fadu::gateway {
namespace {

namespace registry = ::fadu::registry::v1;

constexpr char kService[] = "/fadu.registry.v1.SignInService/";
constexpr absl::Duration kKnownFor = absl::Seconds(60);
constexpr absl::Duration kTokenMargin = absl::Seconds(60);
constexpr size_t kMaxKnown = 10000;
constexpr size_t kMaxSecret = 200;

// A call's messages, alive until it is answered.
template <typename Request>
struct Flight {
  Request request;
  registry::Session session;
};

}  // namespace

std::string SessionIn(absl::string_view cookie_header) {
  std::string found;
  for (const absl::string_view pair : absl::StrSplit(cookie_header, ';')) {
    absl::string_view text = absl::StripAsciiWhitespace(pair);
    if (!absl::ConsumePrefix(&text, kSessionCookie) || !absl::ConsumePrefix(&text, "=")) continue;
    if (!found.empty() || text.size() > kMaxSecret) return "";
    found = std::string(text);
  }
  return found;
}

std::string SessionCookie(absl::string_view secret) {
  return absl::StrCat(kSessionCookie, "=", secret, "; Path=/; Secure; HttpOnly; SameSite=Strict",
                      secret.empty() ? "; Max-Age=0" : "");
}

std::string CsrfTokenOf(absl::string_view secret) {
  return Hex(HmacSha256(secret, "fadu page token")).substr(0, 32);
}

bool SameText(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void Sessions::SignIn(const registry::SignInRequest& request, absl::Time deadline, Done done) {
  auto flight = std::make_shared<Flight<registry::SignInRequest>>();
  flight->request = request;
  peers_.CallAsync(deadline, "registry", absl::StrCat(kService, "SignIn"), flight->request,
                   &flight->session, [flight, done = std::move(done)](absl::Status status) {
                     if (!status.ok()) return done(std::move(status));
                     done(std::move(flight->session));
                   });
}

void Sessions::Find(const std::string& secret, absl::Time deadline, Done done) {
  const std::string key = Sha256(secret);
  const absl::Time now = clock_.Now();
  absl::optional<registry::Session> session;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = known_.find(key);
    if (found != known_.end() && now < found->second.until) session = found->second.session;
  }
  if (session) return done(*std::move(session));
  auto flight = std::make_shared<Flight<registry::RefreshSessionRequest>>();
  flight->request.set_secret(secret);
  peers_.CallAsync(
      deadline, "registry", absl::StrCat(kService, "RefreshSession"), flight->request,
      &flight->session, [this, flight, key, now, done = std::move(done)](absl::Status status) {
        if (!status.ok()) return done(std::move(status));
        const absl::Time expires = absl::FromUnixSeconds(flight->session.expire_time().seconds());
        {
          const std::lock_guard<std::mutex> lock(mutex_);
          if (known_.size() >= kMaxKnown) {
            std::erase_if(known_, [now](const auto& one) { return one.second.until <= now; });
          }
          if (known_.size() < kMaxKnown) {
            known_[key] = Known{flight->session, std::min(now + kKnownFor, expires - kTokenMargin)};
          }
        }
        done(std::move(flight->session));
      });
}

void Sessions::SignOut(const std::string& secret, absl::Time deadline,
                       std::function<void(absl::Status)> done) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    known_.erase(Sha256(secret));
  }
  struct Messages {
    registry::SignOutRequest request;
    registry::SignOutResponse response;
  };
  auto messages = std::make_shared<Messages>();
  messages->request.set_secret(secret);
  peers_.CallAsync(deadline, "registry", absl::StrCat(kService, "SignOut"), messages->request,
                   &messages->response, [messages, done = std::move(done)](absl::Status status) {
                     done(std::move(status));
                   });
}

}  // namespace fadu::gateway
