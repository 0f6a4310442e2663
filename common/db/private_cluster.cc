#include "common/db/private_cluster.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <libpq-fe.h>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/base/digest.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/db/migrate.h"

namespace fadu::db {
namespace {

namespace fs = std::filesystem;
constexpr char kBin[] = "/usr/lib/postgresql/15/bin";
// A unix socket's path: sun_path holds 108 bytes with the end mark.
constexpr size_t kMaxSocketPath = 107;
constexpr char kSocketName[] = "/.s.PGSQL.5432";

absl::Status CannotStart(absl::string_view sentence) {
  return absl::FailedPreconditionError(sentence);
}

// The system user the server runs as; empty when we are not root and it runs as ourselves.
absl::StatusOr<std::string> ServerUser() {
  if (geteuid() != 0) return std::string();
  for (const char* name : {"fadu", "postgres"}) {
    if (getpwnam(name) != nullptr) return std::string(name);
  }
  return CannotStart(
      "PostgreSQL does not run as root: make a system user with `adduser --system --group fadu`");
}

bool MayTraverse(const struct stat& info, const struct passwd& user) {
  if (info.st_uid == user.pw_uid) return (info.st_mode & S_IXUSR) != 0;
  if (info.st_gid == user.pw_gid) return (info.st_mode & S_IXGRP) != 0;
  return (info.st_mode & S_IXOTH) != 0;
}

// Every folder above `folder` can be entered by the server's user.
absl::Status CheckTraversable(const fs::path& folder, const std::string& user_name) {
  if (user_name.empty()) return absl::OkStatus();
  const struct passwd* user = getpwnam(user_name.c_str());
  for (fs::path parent = folder;; parent = parent.parent_path()) {
    struct stat info {};
    if (stat(parent.c_str(), &info) != 0 || !MayTraverse(info, *user)) {
      return CannotStart(absl::StrCat("user ", user_name, " cannot enter the folder ",
                                      parent.string(),
                                      "; choose another data folder or `chmod o+x` it"));
    }
    if (parent == parent.root_path()) return absl::OkStatus();
  }
}

absl::Status MakeFolder(const fs::path& path, const std::string& user_name, mode_t mode) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    return CannotStart(absl::StrCat("cannot make the folder ", path.string(), ": ",
                                    error.message()));
  }
  if (chmod(path.c_str(), mode) != 0) {
    return CannotStart(absl::StrCat("cannot set the mode of ", path.string(), ": ",
                                    strerror(errno)));
  }
  if (user_name.empty()) return absl::OkStatus();
  const struct passwd* user = getpwnam(user_name.c_str());
  if (chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
    return CannotStart(absl::StrCat("cannot give ", path.string(), " to ", user_name, ": ",
                                    strerror(errno)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(path.string());
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

absl::Status WriteFile(const fs::path& path, absl::string_view text, mode_t mode) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  const bool written = fd >= 0 && fchmod(fd, mode) == 0 &&
                       write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (written) return absl::OkStatus();
  return CannotStart(absl::StrCat("cannot write ", path.string(), ": ", strerror(error)));
}

// In the child: become `user`, keep nothing of our environment but what a program needs.
void BecomeAndExec(const std::vector<std::string>& argv, const std::string& user) {
  if (!user.empty() && geteuid() == 0) {
    const struct passwd* entry = getpwnam(user.c_str());
    if (entry == nullptr || setgroups(0, nullptr) != 0 || setgid(entry->pw_gid) != 0 ||
        setuid(entry->pw_uid) != 0) {
      _exit(126);
    }
  }
  // The launcher blocks signals in all its threads; a child must not inherit that.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  char path[] = "PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin";
  char locale[] = "LC_ALL=C.UTF-8";
  char zone[] = "TZ=UTC";
  char* environment[] = {path, locale, zone, nullptr};
  if (chdir("/") != 0) _exit(126);
  execve(argv[0].c_str(), arguments.data(), environment);
  _exit(127);
}

bool Answers(const std::string& dsn) { return PQping(dsn.c_str()) == PQPING_OK; }

// The pid in postmaster.pid; 0 when there is no such file.
int PidIn(const fs::path& data) {
  const absl::StatusOr<std::string> text = ReadFile(data / "postmaster.pid");
  if (!text.ok()) return 0;
  const std::vector<std::string> lines = absl::StrSplit(*text, '\n');
  int pid = 0;
  return absl::SimpleAtoi(lines[0], &pid) ? pid : 0;
}

// A live process that is a postgres: a pid file may outlive a reboot and name someone else.
bool IsLivePostmaster(int pid) {
  if (pid <= 0 || kill(pid, 0) != 0) return false;
  const absl::StatusOr<std::string> name = ReadFile(absl::StrCat("/proc/", pid, "/comm"));
  return name.ok() && absl::StripAsciiWhitespace(*name) == "postgres";
}

std::string LastLineOf(const fs::path& file) {
  const absl::StatusOr<std::string> text = ReadFile(file);
  if (!text.ok()) return "";
  const std::vector<std::string> lines = absl::StrSplit(*text, '\n', absl::SkipWhitespace());
  return lines.empty() ? "" : lines.back();
}

}  // namespace

absl::StatusOr<std::string> RunProgram(const std::vector<std::string>& argv,
                                       absl::string_view as_user) {
  int out[2];
  int err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) {
    return CannotStart(absl::StrCat("cannot make a pipe: ", strerror(errno)));
  }
  const std::string user(as_user);
  const pid_t child = fork();
  if (child == 0) {
    dup2(out[1], 1);
    dup2(err[1], 2);
    BecomeAndExec(argv, user);
  }
  close(out[1]);
  close(err[1]);
  std::string texts[2];
  struct pollfd polls[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  int open_ends = 2;
  while (open_ends > 0 && poll(polls, 2, -1) >= 0) {
    for (int i = 0; i < 2; ++i) {
      if (polls[i].fd < 0 || polls[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t size = read(polls[i].fd, buffer, sizeof buffer);
      if (size > 0) {
        texts[i].append(buffer, static_cast<size_t>(size));
      } else {
        close(polls[i].fd);
        polls[i].fd = -1;
        --open_ends;
      }
    }
  }
  int state = 0;
  while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return texts[0];
  const std::vector<std::string> lines = absl::StrSplit(texts[1], '\n', absl::SkipWhitespace());
  return CannotStart(absl::StrCat(argv[0], " failed: ", lines.empty() ? "no message" : lines.back()));
}

absl::StatusOr<std::unique_ptr<PrivateCluster>> PrivateCluster::Start(
    PrivateClusterOptions options) {
  if (access(absl::StrCat(kBin, "/postgres").c_str(), X_OK) != 0) {
    return CannotStart("PostgreSQL 15 is not installed; run `apt-get install postgresql-15`");
  }
  std::error_code error;
  const fs::path folder = fs::absolute(options.folder, error).lexically_normal();
  const fs::path data = folder / "pg";
  const fs::path run = folder / "run";
  const fs::path keys = folder / "keys";
  if (run.string().size() + sizeof(kSocketName) - 1 > kMaxSocketPath) {
    return CannotStart(absl::StrCat("the data folder's path is too long for a unix socket (",
                                    run.string().size() + sizeof(kSocketName) - 1,
                                    " bytes of at most ", kMaxSocketPath, "): ", folder.string()));
  }
  FADU_ASSIGN_OR_RETURN(const std::string user, ServerUser());
  fs::create_directories(folder, error);
  if (error) {
    return CannotStart(absl::StrCat("cannot make the data folder ", folder.string(), ": ",
                                    error.message()));
  }
  FADU_RETURN_IF_ERROR(CheckTraversable(folder, user));
  FADU_RETURN_IF_ERROR(MakeFolder(run, user, 0750));
  fs::create_directories(keys, error);
  if (chmod(keys.c_str(), 0700) != 0) {
    return CannotStart(absl::StrCat("cannot use the key folder ", keys.string()));
  }

  // A cluster counts as made when its marker says so; a half-made one is made anew.
  const fs::path marker = folder / "pg.made";
  const fs::path password_file = keys / "admin.password";
  if (!fs::exists(marker) || !fs::exists(data / "PG_VERSION")) {
    if (fs::exists(marker)) {
      return CannotStart(absl::StrCat("the data folder ", folder.string(),
                                      " has lost its database (pg/PG_VERSION is missing)"));
    }
    fs::remove_all(data, error);
    FADU_RETURN_IF_ERROR(MakeFolder(data, user, 0700));
    const std::string password = Hex(RandomBytes(24));
    FADU_RETURN_IF_ERROR(WriteFile(password_file, password, 0400));
    const fs::path handed = run / "initial.password";
    FADU_RETURN_IF_ERROR(WriteFile(handed, password, 0600));
    if (!user.empty()) {
      const struct passwd* entry = getpwnam(user.c_str());
      if (chown(handed.c_str(), entry->pw_uid, entry->pw_gid) != 0) {
        return CannotStart(absl::StrCat("cannot hand ", handed.string(), " to ", user));
      }
    }
    std::vector<std::string> initdb = {
        absl::StrCat(kBin, "/initdb"), "-D", data.string(), "-U", "fadu_admin", "--encoding=UTF8",
        "--locale-provider=icu", "--icu-locale=zh-Hans-CN", "--locale=C.UTF-8", "--data-checksums",
        "--auth-local=scram-sha-256", "--auth-host=reject",
        absl::StrCat("--pwfile=", handed.string()), "--no-instructions"};
    if (!options.durable) initdb.push_back("--no-sync");
    const absl::StatusOr<std::string> made = RunProgram(initdb, user);
    fs::remove(handed, error);
    FADU_RETURN_IF_ERROR(made.status());
  }
  FADU_ASSIGN_OR_RETURN(const std::string password, ReadFile(password_file));

  std::unique_ptr<PrivateCluster> cluster(new PrivateCluster);
  cluster->options_ = options;
  cluster->options_.folder = folder.string();
  std::string base = WithDsn("", "host", run.string());
  base = WithDsn(base, "port", "5432");
  base = WithDsn(base, "user", "fadu_admin");
  base = WithDsn(base, "password", password);
  const std::string maintenance = WithDsn(base, "dbname", "postgres");
  cluster->admin_dsn_ = WithDsn(base, "dbname", "fadu");

  const int pid = PidIn(data);
  if (IsLivePostmaster(pid)) {
    Log(LogLevel::kInfo, "adopting the database that runs on this folder", {{"pid", pid}});
  } else {
    if (pid != 0) {
      fs::remove(data / "postmaster.pid", error);
      // The socket's lock file names the same dead process.
      fs::remove(run / ".s.PGSQL.5432.lock", error);
    }
    const fs::path log = run / "postgres.log";
    std::vector<std::string> argv = {absl::StrCat(kBin, "/postgres"), "-D", data.string()};
    const auto set = [&](absl::string_view name, absl::string_view value) {
      argv.push_back("-c");
      argv.push_back(absl::StrCat(name, "=", value));
    };
    set("listen_addresses", "");
    set("port", "5432");
    set("unix_socket_directories", run.string());
    set("unix_socket_permissions", "0770");
    set("max_connections", "200");
    set("timezone", "UTC");
    set("log_timezone", "UTC");
    set("password_encryption", "scram-sha-256");
    if (!options.durable) {
      set("fsync", "off");
      set("synchronous_commit", "off");
      set("full_page_writes", "off");
    }
    const pid_t child = fork();
    if (child == 0) {
      // Twice, so that the server belongs to init and outlives a launcher that is killed.
      setsid();
      if (fork() != 0) _exit(0);
      const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
      const int null = open("/dev/null", O_RDONLY);
      dup2(null, 0);
      dup2(fd, 1);
      dup2(fd, 2);
      // Nothing of ours stays open in the server.
      for (int other = 3; other < 1024; ++other) close(other);
      BecomeAndExec(argv, user);
    }
    int state = 0;
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
    }
  }
  cluster->running_ = true;
  const absl::Time give_up = absl::Now() + absl::Seconds(60);
  while (!Answers(maintenance)) {
    if (absl::Now() > give_up) {
      return CannotStart(absl::StrCat("PostgreSQL did not start on ", folder.string(), ": ",
                                      LastLineOf(run / "postgres.log")));
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
  if (!fs::exists(marker)) {
    PGconn* connection = PQconnectdb(maintenance.c_str());
    PGresult* result = PQexec(connection, "CREATE DATABASE fadu");
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    // 42P04: it is there, from a start that was cut off after this point.
    const bool made = PQresultStatus(result) == PGRES_COMMAND_OK ||
                      (state != nullptr && strcmp(state, "42P04") == 0);
    PQclear(result);
    PQfinish(connection);
    if (!made) return CannotStart("cannot create the database fadu");
    FADU_RETURN_IF_ERROR(WriteFile(marker, "15\n", 0644));
  }
  return cluster;
}

PrivateCluster::~PrivateCluster() {
  if (!options_.stop_on_close) return;
  const absl::Status stopped = Stop();
  if (!stopped.ok()) {
    Log(LogLevel::kWarning, "the database did not stop", {{"why", stopped.message()}});
  }
}

int PrivateCluster::postmaster_pid() const { return PidIn(fs::path(options_.folder) / "pg"); }

absl::Status PrivateCluster::Stop() {
  if (!running_) return absl::OkStatus();
  running_ = false;
  const int pid = postmaster_pid();
  if (!IsLivePostmaster(pid)) return absl::OkStatus();
  // Fast shutdown, then immediate: the next start recovers from the log.
  for (const int signal : {SIGINT, SIGQUIT}) {
    if (kill(pid, signal) != 0) return absl::OkStatus();
    const absl::Time give_up = absl::Now() + absl::Seconds(20);
    while (absl::Now() < give_up) {
      if (!IsLivePostmaster(pid)) return absl::OkStatus();
      absl::SleepFor(absl::Milliseconds(10));
    }
  }
  return absl::UnavailableError("PostgreSQL is still running");
}

}  // namespace fadu::db
