#include "common/host/host.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/db/migrate.h"
#include "common/db/pool.h"
#include "common/rpc/identity.h"
#include "common/rpc/metrics.h"
#include "common/rpc/server.h"
#include "common/schema/reason.h"
#include "fadu/config/v1/reason.pb.h"

namespace fadu::host {
namespace {

constexpr absl::Duration kProbeInterval = absl::Seconds(5);

absl::Status CannotUse(const std::string& path, absl::string_view problem) {
  return Fail(absl::StatusCode::kFailedPrecondition, fadu::config::v1::REASON_FILE_UNUSABLE,
              absl::StrCat("cannot use ", path, ": ", problem),
              {{"path", path}, {"problem", std::string(problem)}});
}

absl::StatusOr<std::string> ReadSecret(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return CannotUse(path, strerror(errno));
  char buffer[256];
  const ssize_t size = read(fd, buffer, sizeof buffer);
  close(fd);
  if (size <= 0) return CannotUse(path, "is empty");
  return std::string(buffer, static_cast<size_t>(size));
}

std::string PasswordPath(absl::string_view folder, absl::string_view service) {
  return absl::StrCat(folder, "/", service, ".dbpass");
}

absl::Status EnsurePassword(const std::string& path) {
  const std::string temporary = absl::StrCat(path, ".", getpid());
  if (access(path.c_str(), F_OK) == 0) return absl::OkStatus();
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
  const std::string secret = absl::WebSafeBase64Escape(RandomBytes(24));
  const bool written =
      fd >= 0 && write(fd, secret.data(), secret.size()) == static_cast<ssize_t>(secret.size()) &&
      fsync(fd) == 0;
  if (fd >= 0) close(fd);
  // link, not rename: whoever comes second keeps the first one's password.
  const bool placed = written && (link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  unlink(temporary.c_str());
  if (placed) return absl::OkStatus();
  return CannotUse(path, strerror(error));
}

absl::StatusOr<db::ServiceSchema> SchemaOf(const Module& module, absl::string_view keys_folder) {
  FADU_ASSIGN_OR_RETURN(db::ServiceSchema schema, module.schema());
  FADU_ASSIGN_OR_RETURN(schema.role_password, ReadSecret(PasswordPath(keys_folder, module.name)));
  return schema;
}

}  // namespace

struct Host::Running {
  std::string name;
  std::unique_ptr<db::Pool> pool;
  std::unique_ptr<rpc::Peers> peers;
  std::unique_ptr<ModuleContext> context;
  std::unique_ptr<RunningModule> module;
  std::unique_ptr<rpc::Server> server;
};

absl::Status EnsureKeys(absl::string_view folder, const std::vector<std::string>& services) {
  const std::string path(folder);
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return CannotUse(path, strerror(errno));
  }
  for (const std::string& service : services) {
    FADU_RETURN_IF_ERROR(rpc::EnsureKeyPair(folder, service));
    FADU_RETURN_IF_ERROR(EnsurePassword(PasswordPath(folder, service)));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> MigrateModules(const std::vector<Module>& modules, absl::string_view admin_dsn,
                                   absl::string_view keys_folder, const Clock& clock) {
  int applied = 0;
  for (const Module& module : modules) {
    if (!module.schema) continue;
    FADU_ASSIGN_OR_RETURN(const db::ServiceSchema schema, SchemaOf(module, keys_folder));
    FADU_ASSIGN_OR_RETURN(const int steps,
                          db::Migrate(admin_dsn, schema, clock, absl::Now() + absl::Minutes(2)));
    applied += steps;
    if (module.after_migrate) {
      FADU_RETURN_IF_ERROR(module.after_migrate(std::string(admin_dsn)));
    }
  }
  return applied;
}

absl::StatusOr<std::unique_ptr<Host>> Host::Start(HostOptions options, const Clock& clock,
                                                  IdSource& ids) {
  auto host = std::unique_ptr<Host>(new Host);
  host->options_ = std::move(options);
  const HostOptions& own = host->options_;
  FADU_RETURN_IF_ERROR(EnsureKeys(own.keys_folder, own.services));
  if (!own.admin_dsn.empty()) {
    FADU_ASSIGN_OR_RETURN(const int applied,
                          MigrateModules(own.modules, own.admin_dsn, own.keys_folder, clock));
    if (applied > 0) Log(LogLevel::kInfo, "schemas migrated", {{"steps", applied}});
  }
  host->metrics_ = std::make_unique<rpc::Metrics>();
  host->probe_ = std::make_unique<DatabaseProbe>(*host->metrics_);
  FADU_ASSIGN_OR_RETURN(host->verifier_, rpc::Verifier::Load(own.keys_folder));
  if (const absl::Status started = host->StartModules(clock, ids); !started.ok()) {
    host->Stop();
    return started;
  }
  if (!own.metrics_listen.empty()) {
    FADU_ASSIGN_OR_RETURN(host->ports_["metrics"], host->metrics_->Expose(own.metrics_listen));
  }
  for (const auto& running : host->running_) running->module->StartBackground();
  host->probe_->Start(kProbeInterval);
  return host;
}

absl::Status Host::StartModules(const Clock& clock, IdSource& ids) {
  for (const Module& module : options_.modules) {
    auto running = std::make_unique<Running>();
    running->name = module.name;
    std::string dsn;
    if (module.schema) {
      FADU_ASSIGN_OR_RETURN(const db::ServiceSchema schema, SchemaOf(module, options_.keys_folder));
      dsn = db::WithDsn(db::WithDsn(options_.dsn, "user", absl::StrCat("fadu_", module.name)),
                        "password", schema.role_password);
      FADU_RETURN_IF_ERROR(db::CheckMigrated(dsn, schema));
    }
    running->pool = std::make_unique<db::Pool>(
        db::PoolOptions{dsn, options_.pool_connections, absl::StrCat("fadu ", module.name)});
    db::Pool* pool = running->pool.get();
    if (module.schema) {
      metrics_->Gauge("fadu_db_pool_in_use", "Database connections in use.",
                      {{"service", module.name}},
                      [pool] { return static_cast<double>(pool->in_use()); });
      metrics_->Gauge("fadu_db_pool_size", "Database connections there may be.",
                      {{"service", module.name}},
                      [pool] { return static_cast<double>(pool->size()); });
      probe_->Watch(module.name, *pool);
    }
    FADU_ASSIGN_OR_RETURN(std::unique_ptr<rpc::Signer> signer,
                          rpc::Signer::Load(options_.keys_folder, module.name));
    running->peers = std::make_unique<rpc::Peers>(std::move(signer), clock, metrics_.get());
    running->context = std::make_unique<ModuleContext>(
        ModuleContext{dsn, *running->pool, clock, ids, *running->peers, *metrics_,
                      options_.keys_folder, options_.monitor_interval});
    FADU_ASSIGN_OR_RETURN(running->module, module.start(*running->context));
    rpc::ServerOptions server;
    server.name = module.name;
    server.reflection = options_.reflection;
    server.limits = options_.limits;
    const auto listen = options_.listen.find(module.name);
    if (listen != options_.listen.end()) server.listen = listen->second;
    const std::vector<const rpc::Service*> services = running->module->services();
    if (!services.empty()) {
      FADU_ASSIGN_OR_RETURN(
          running->server, rpc::Server::Start(server, services, *verifier_, clock, ids, *metrics_));
      if (running->server->port() != 0) ports_[module.name] = running->server->port();
    }
    if (running->module->http_port() != 0) ports_[module.name] = running->module->http_port();
    running_.push_back(std::move(running));
  }
  // Peers in this process need no port; the others are found by configuration.
  for (const auto& running : running_) {
    for (const Module& module : options_.modules) {
      if (module.name != running->name) continue;
      for (const std::string& peer : module.peers) {
        const auto address = options_.peers.find(peer);
        if (std::shared_ptr<rpc::Channel> here = channel(peer); here != nullptr) {
          running->peers->Add(peer, std::move(here));
        } else if (address != options_.peers.end()) {
          running->peers->Add(peer, rpc::Channel::ToAddress(address->second));
        } else {
          return Fail(absl::StatusCode::kFailedPrecondition, fadu::config::v1::REASON_PEER_MISSING,
                      "a peer has no address", {{"service", running->name}, {"peer", peer}});
        }
      }
    }
  }
  return absl::OkStatus();
}

std::shared_ptr<rpc::Channel> Host::channel(absl::string_view service) const {
  for (const auto& running : running_) {
    if (running->name == service && running->server != nullptr) return running->server->InProcess();
  }
  return nullptr;
}

RunningModule* Host::module(absl::string_view service) const {
  for (const auto& running : running_) {
    if (running->name == service) return running->module.get();
  }
  return nullptr;
}

void Host::Stop() {
  if (stopped_) return;
  stopped_ = true;
  if (probe_ != nullptr) probe_->Stop();
  // Callers before callees: what is still running may need its peers.
  for (auto running = running_.rbegin(); running != running_.rend(); ++running) {
    if ((*running)->module != nullptr) (*running)->module->StopBackground();
  }
  for (auto running = running_.rbegin(); running != running_.rend(); ++running) {
    if ((*running)->server != nullptr) (*running)->server->Drain(options_.drain);
  }
  for (auto running = running_.rbegin(); running != running_.rend(); ++running) {
    (*running)->server.reset();
  }
}

Host::~Host() {
  Stop();
  // Gauges read pools and writers: the exposer goes first.
  probe_.reset();
  metrics_.reset();
}

}  // namespace fadu::host
