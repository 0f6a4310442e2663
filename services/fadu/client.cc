#include "services/fadu/client.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "fadu/registry/v1/registry_service.pb.h"
#include "services/fadu/files.h"

namespace fadu::cli {
namespace {

namespace fs = std::filesystem;

std::string CredentialsFile(const std::string& folder) {
  return absl::StrCat(folder, "/client/credentials.json");
}

google::protobuf::Struct ReadCredentials(const std::string& folder) {
  google::protobuf::Struct saved;
  const absl::StatusOr<std::string> text = ReadFile(CredentialsFile(folder));
  if (text.ok() && !google::protobuf::util::JsonStringToMessage(*text, &saved).ok()) saved.Clear();
  return saved;
}

// The log of a suite that runs for one command goes to the folder: standard error is for talk.
void SendLogTo(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  const int fd = open(absl::StrCat(folder, "/fadu.log").c_str(),
                      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  SetLogDescriptor(fd);
}

}  // namespace

std::unique_ptr<Client> Client::On(Suite& suite, const Args& args) {
  std::unique_ptr<Client> client(new Client);
  client->ids_ = NewUuidV7Source(SystemClock());
  client->suite_ = &suite;
  client->folder_ = suite.folder();
  client->account_ = args.Get("as", "admin");
  client->county_ = args.Get("county", "421221");
  return client;
}

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const Args& args) {
  std::unique_ptr<Client> client(new Client);
  client->ids_ = NewUuidV7Source(SystemClock());
  client->account_ = args.Get("as", "admin");
  client->county_ = args.Get("county", "421221");
  double seconds = 30;
  if (!absl::SimpleAtod(args.Get("timeout", "30"), &seconds) || seconds <= 0 || seconds > 30) {
    return absl::InvalidArgumentError(
        T("--timeout 应在 0 到 30 秒之间", "--timeout lies between 0 and 30 seconds"));
  }
  client->timeout_ = absl::Seconds(seconds);
  if (args.Has("token-file")) {
    FADU_ASSIGN_OR_RETURN(const std::string text, ReadFile(args.Get("token-file")));
    client->secret_ = std::string(absl::StripAsciiWhitespace(text));
    if (client->secret_.empty()) {
      return absl::NotFoundError(
          absl::StrCat(T("密钥文件为空或无法读取：", "cannot read "), args.Get("token-file")));
    }
  }
  const std::string folder = args.Get("data");
  if (args.Has("endpoints")) {
    FADU_ASSIGN_OR_RETURN(client->endpoints_, ReadEndpoints(args.Get("endpoints")));
    // Accounts saved in a data folder serve here too.
    client->folder_ = folder;
    return client;
  }
  if (folder.empty()) {
    return absl::InvalidArgumentError(
        T("请用 --data DIR 指定数据目录，或用 --endpoints FILE 与 --token-file FILE 指定服务",
          "name a data folder with --data DIR, or a suite with --endpoints FILE and --token-file "
          "FILE"));
  }
  std::error_code error;
  client->folder_ = fs::absolute(folder, error).lexically_normal().string();
  FADU_ASSIGN_OR_RETURN(std::unique_ptr<FolderLock> lock, FolderLock::Try(client->folder_));
  if (lock == nullptr) {
    // Somebody serves it; the file may be a moment younger than the lock.
    const absl::Time give_up = absl::Now() + absl::Seconds(20);
    while (true) {
      absl::StatusOr<std::map<std::string, std::string>> found =
          ReadEndpoints(EndpointsFile(client->folder_));
      if (found.ok()) {
        client->endpoints_ = *std::move(found);
        return client;
      }
      if (absl::Now() > give_up) return found.status();
      absl::SleepFor(absl::Milliseconds(50));
    }
  }
  lock.reset();
  SendLogTo(client->folder_);
  fadu::config::v1::Config config;
  config.set_data_folder(client->folder_);
  config.set_metrics_listen("off");
  config.mutable_gateway()->set_listen("off");
  FADU_ASSIGN_OR_RETURN(client->own_suite_, Suite::Start(config, {}));
  client->suite_ = client->own_suite_.get();
  return client;
}

absl::StatusOr<std::shared_ptr<rpc::Channel>> Client::ChannelTo(absl::string_view service) {
  const std::string name(service);
  if (const auto found = channels_.find(name); found != channels_.end()) return found->second;
  std::shared_ptr<rpc::Channel> channel;
  if (suite_ != nullptr) {
    channel = suite_->host().channel(service);
  } else if (const auto found = endpoints_.find(name); found != endpoints_.end()) {
    channel = rpc::Channel::ToAddress(found->second);
  }
  if (channel == nullptr) {
    return absl::UnavailableError(absl::StrCat(T("没有服务 ", "there is no service "), service));
  }
  channels_[name] = channel;
  return channel;
}

rpc::CallOptions Client::Options(bool anonymous) const {
  rpc::CallOptions options;
  options.deadline = absl::Now() + timeout_;
  if (!anonymous) options.bearer = bearer_;
  options.language = Language();
  return options;
}

absl::Status Client::CallAnonymous(absl::string_view service, absl::string_view method,
                                   const google::protobuf::Message& request,
                                   google::protobuf::Message* response) {
  FADU_ASSIGN_OR_RETURN(const std::shared_ptr<rpc::Channel> channel, ChannelTo(service));
  return channel->Call(method, request, response, Options(/*anonymous=*/true));
}

absl::Status Client::SignIn(const std::string& secret) {
  fadu::registry::v1::ExchangeTokenRequest request;
  request.set_secret(secret);
  fadu::registry::v1::ExchangeTokenResponse response;
  FADU_RETURN_IF_ERROR(CallAnonymous("registry", "/fadu.registry.v1.RegistryService/ExchangeToken",
                                     request, &response));
  secret_ = secret;
  bearer_ = response.bearer();
  bearer_until_ = absl::FromUnixMicros(
      google::protobuf::util::TimeUtil::TimestampToMicroseconds(response.expire_time()));
  return absl::OkStatus();
}

absl::Status Client::SignInAs(const std::string& account) {
  account_ = account;
  FADU_ASSIGN_OR_RETURN(const std::string secret, SavedSecret(account));
  return SignIn(secret);
}

absl::Status Client::EnsureSignedIn() {
  if (!bearer_.empty() && absl::Now() + absl::Minutes(1) < bearer_until_) return absl::OkStatus();
  if (!secret_.empty()) return SignIn(secret_);
  return SignInAs(account_);
}

absl::Status Client::Call(absl::string_view service, absl::string_view method,
                          const google::protobuf::Message& request,
                          google::protobuf::Message* response) {
  FADU_RETURN_IF_ERROR(EnsureSignedIn());
  FADU_ASSIGN_OR_RETURN(const std::shared_ptr<rpc::Channel> channel, ChannelTo(service));
  return channel->Call(method, request, response, Options(/*anonymous=*/false));
}

void Client::CallAsync(absl::string_view service, absl::string_view method,
                       const google::protobuf::Message& request,
                       google::protobuf::Message* response,
                       std::function<void(absl::Status)> done) {
  if (const absl::Status signed_in = EnsureSignedIn(); !signed_in.ok()) return done(signed_in);
  absl::StatusOr<std::shared_ptr<rpc::Channel>> channel = ChannelTo(service);
  if (!channel.ok()) return done(channel.status());
  (*channel)->CallAsync(method, request, response, Options(/*anonymous=*/false), std::move(done));
}

absl::StatusOr<std::string> Client::SavedSecret(const std::string& account) const {
  const google::protobuf::Struct saved = ReadCredentials(folder_);
  const auto found = saved.fields().find(account);
  if (found == saved.fields().end()) {
    return absl::NotFoundError(absl::StrCat(
        T("数据目录中没有账户 ", "the data folder has no account "), account,
        T("；首次使用请先运行：fadu bootstrap --data ", "; first run: fadu bootstrap --data "),
        folder_));
  }
  return found->second.string_value();
}

absl::Status Client::SaveSecret(const std::string& account, const std::string& secret) {
  google::protobuf::Struct saved = ReadCredentials(folder_);
  (*saved.mutable_fields())[account].set_string_value(secret);
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  (void)google::protobuf::util::MessageToJsonString(saved, &text, options);
  const std::string path = CredentialsFile(folder_);
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  chmod(fs::path(path).parent_path().c_str(), 0700);
  const std::string temporary = absl::StrCat(path, ".new");
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written =
      fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (fd >= 0) close(fd);
  if (!written || rename(temporary.c_str(), path.c_str()) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(T("无法保存账户密钥：", "cannot save "), path));
  }
  return absl::OkStatus();
}

int WithClient(const Args& args, const std::function<absl::Status(Client&, Format)>& body) {
  const absl::StatusOr<Format> format = FormatOf(args);
  if (!format.ok()) {
    Say(absl::StrCat(T("错误：", "error: "), format.status().message()));
    return kUsage;
  }
  const absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(args);
  if (!client.ok()) {
    const int code = Complain(client.status());
    return code == kDataError ? kUsage : code == kFailed ? kCannotStart : code;
  }
  const absl::Status status = body(**client, *format);
  if (status.ok()) return kOk;
  const int code = Complain(status);
  if (code == kNoPermission && !(*client)->folder().empty()) {
    std::vector<std::string> accounts;
    const google::protobuf::Struct saved = ReadCredentials((*client)->folder());
    for (const auto& [name, unused] : saved.fields()) {
      accounts.push_back(name);
    }
    std::sort(accounts.begin(), accounts.end());
    Say(absl::StrCat(T("  当前账户：", "  account: "), args.Get("as", "admin"),
                     T("；可用 --as 换用：", "; choose another with --as: "),
                     absl::StrJoin(accounts, ", ")));
  }
  return code;
}

}  // namespace fadu::cli
