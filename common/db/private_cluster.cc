#include "common/db/private_cluster.h"

#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/base/digest.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/db/migrate.h"
#include "common/schema/reason.h"
#include "fadu/config/v1/reason.pb.h"

namespace fadu::db {
namespace {

namespace fs = std::filesystem;
namespace v1 = ::fadu::config::v1;
constexpr char kBin[] = "/usr/lib/postgresql/15/bin";
// A unix socket's path: sun_path holds 108 bytes with the end mark.
constexpr size_t kMaxSocketPath = 107;
constexpr char kSocketName[] = "/.s.PGSQL.5432";
// What initdb writes (about 40 MB), the first log segments, and room to begin.
constexpr uint64_t kLeastFreeMegabytes = 256;
constexpr absl::Duration kStartWithin = absl::Seconds(60);
constexpr absl::Duration kStopWithin = absl::Seconds(20);
constexpr absl::Duration kPoll = absl::Milliseconds(10);

absl::Status CannotStart(v1::Reason reason, absl::string_view sentence, Metadata metadata = {}) {
  return Fail(absl::StatusCode::kFailedPrecondition, reason, sentence, std::move(metadata));
}

absl::Status CannotUse(const fs::path& path, absl::string_view problem) {
  return CannotStart(v1::REASON_FILE_UNUSABLE,
                     absl::StrCat("cannot use ", path.string(), ": ", problem),
                     {{"path", path.string()}, {"problem", std::string(problem)}});
}

absl::Status DatabaseFailed(absl::string_view problem) {
  return CannotStart(v1::REASON_DATABASE_FAILED, problem, {{"problem", std::string(problem)}});
}

// Whom a child becomes, and who owns what the server writes.
struct Identity {
  std::string name;  // empty: the user we are
  uid_t uid = 0;
  gid_t gid = 0;
};

absl::StatusOr<Identity> IdentityOf(const std::string& name) {
  if (name.empty() || geteuid() != 0) return Identity{};
  const struct passwd* entry = getpwnam(name.c_str());
  if (entry == nullptr) {
    return CannotStart(v1::REASON_SYSTEM_USER_MISSING,
                       absl::StrCat("there is no system user ", name));
  }
  return Identity{name, entry->pw_uid, entry->pw_gid};
}

// Who the server runs as. Once made, a cluster stays its owner's: `fadu` may be added later.
absl::StatusOr<Identity> ServerIdentity(const fs::path& data) {
  if (geteuid() != 0) return Identity{};
  struct stat info {};
  if (stat(data.c_str(), &info) == 0 && info.st_uid != 0) {
    if (const struct passwd* owner = getpwuid(info.st_uid); owner != nullptr) {
      return Identity{owner->pw_name, owner->pw_uid, owner->pw_gid};
    }
  }
  for (const char* name : {"fadu", "postgres"}) {
    if (getpwnam(name) != nullptr) return IdentityOf(name);
  }
  return CannotStart(v1::REASON_SYSTEM_USER_MISSING, "PostgreSQL does not run as root");
}

// ---- files -------------------------------------------------------------------------------------

bool MayTraverse(const struct stat& info, const Identity& user) {
  if (info.st_uid == user.uid) return (info.st_mode & S_IXUSR) != 0;
  if (info.st_gid == user.gid) return (info.st_mode & S_IXGRP) != 0;
  return (info.st_mode & S_IXOTH) != 0;
}

// The folder and every folder above it can be entered by the server's user.
absl::Status CheckTraversable(const fs::path& folder, const Identity& user) {
  if (user.name.empty()) return absl::OkStatus();
  for (fs::path at = folder;; at = at.parent_path()) {
    struct stat info {};
    if (stat(at.c_str(), &info) != 0 || !MayTraverse(info, user)) {
      return CannotStart(v1::REASON_FOLDER_CLOSED,
                         absl::StrCat("user ", user.name, " cannot enter the folder ", at.string(),
                                      "; choose another data folder or `chmod o+x` it"),
                         {{"user", user.name}, {"path", at.string()}});
    }
    if (at == at.root_path()) return absl::OkStatus();
  }
}

absl::Status PathTooLong(const fs::path& folder) {
  return CannotStart(v1::REASON_PATH_TOO_LONG,
                     absl::StrCat("too long for a unix socket: ", folder.string()),
                     {{"path", folder.string()}, {"limit", absl::StrCat(kMaxSocketPath)}});
}

// Makes the data folder, enterable for the server's user whatever our umask is.
absl::Status MakeDataFolder(const fs::path& folder) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (!error && made) {
    fs::permissions(folder, fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add,
                    error);
  }
  if (!error) return absl::OkStatus();
  return CannotUse(folder, error.message());
}

absl::Status MakeFolder(const fs::path& path, const Identity& owner, mode_t mode) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return CannotUse(path, error.message());
  if (chmod(path.c_str(), mode) != 0 ||
      (!owner.name.empty() && chown(path.c_str(), owner.uid, owner.gid) != 0)) {
    return CannotUse(path, strerror(errno));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return CannotUse(path, strerror(errno));
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

// A new file in place of an old one. Never follows a link: run/ belongs to the server's user.
absl::Status WriteFile(const fs::path& path, absl::string_view text, mode_t mode,
                       const Identity& owner) {
  unlink(path.c_str());
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  const bool written = fd >= 0 && fchmod(fd, mode) == 0 &&
                       (owner.name.empty() || fchown(fd, owner.uid, owner.gid) == 0) &&
                       write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (written) return absl::OkStatus();
  return CannotUse(path, strerror(error));
}

void SyncFolder(const fs::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

// Keeps two launchers from making or starting the same folder at once.
class FolderLock {
 public:
  static absl::StatusOr<FolderLock> Take(const fs::path& folder, absl::Time give_up) {
    const fs::path path = folder / "start.lock";
    FolderLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (lock.fd_ < 0) {
      return CannotUse(path, strerror(errno));
    }
    while (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
      if (absl::Now() > give_up) {
        return CannotStart(
            v1::REASON_FOLDER_BUSY,
            absl::StrCat("another program is starting the database of ", folder.string()),
            {{"path", folder.string()}});
      }
      absl::SleepFor(kPoll);
    }
    return lock;
  }
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock() {
    if (fd_ >= 0) close(fd_);
  }

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

// ---- processes ---------------------------------------------------------------------------------

// A program, ready to run in a child. All that allocates or locks happens before fork; the methods
// are for the child and only make system calls.
class Program {
 public:
  Program(std::vector<std::string> argv, Identity user)
      : argv_(std::move(argv)), user_(std::move(user)) {
    for (std::string& argument : argv_) pointers_.push_back(argument.data());
    pointers_.push_back(nullptr);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void BecomeUser() const {
    if (user_.name.empty()) return;
    if (setgroups(0, nullptr) != 0 || setgid(user_.gid) != 0 || setuid(user_.uid) != 0) _exit(126);
  }

  // With nothing of our environment but what a program needs.
  [[noreturn]] void Exec() const {
    // The launcher blocks signals in all its threads; a child must not inherit that.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    char path[] = "PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin";
    char locale[] = "LC_ALL=C.UTF-8";
    char zone[] = "TZ=UTC";
    char* environment[] = {path, locale, zone, nullptr};
    if (chdir("/") != 0) _exit(126);
    execve(pointers_[0], pointers_.data(), environment);
    _exit(127);
  }

 private:
  std::vector<std::string> argv_;
  std::vector<char*> pointers_;
  Identity user_;
};

pid_t WaitFor(pid_t child, int* state) {
  pid_t waited = -1;
  do {
    waited = waitpid(child, state, 0);
  } while (waited < 0 && errno == EINTR);
  return waited;
}

// Starts a program that belongs to init, so that it outlives a launcher that is killed; its output
// goes to `log`. Returns its pid.
absl::StatusOr<int> Spawn(const Program& program, const fs::path& log) {
  int answer[2];
  if (pipe2(answer, O_CLOEXEC) != 0) {
    return DatabaseFailed(strerror(errno));
  }
  const char* log_path = log.c_str();
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    const pid_t server = fork();
    if (server != 0) {
      const bool told = write(answer[1], &server, sizeof server) == sizeof server;
      _exit(told ? 0 : 1);
    }
    program.BecomeUser();
    const int null = open("/dev/null", O_RDONLY);
    const int out = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0640);
    if (null < 0 || out < 0) _exit(126);
    dup2(null, 0);
    dup2(out, 1);
    dup2(out, 2);
    // Nothing of ours stays open in the server.
    close_range(3, ~0U, 0);
    program.Exec();
  }
  close(answer[1]);
  pid_t server = -1;
  const ssize_t size = child < 0 ? -1 : read(answer[0], &server, sizeof server);
  close(answer[0]);
  int state = 0;
  if (child > 0) WaitFor(child, &state);
  if (size != sizeof server || server <= 0) return DatabaseFailed("cannot start a process");
  return server;
}

// Runs, and neither ends nor is a zombie that nobody waits for: those have no executable any more.
bool IsAlive(int pid) {
  std::error_code error;
  const fs::path program = fs::read_symlink(absl::StrCat("/proc/", pid, "/exe"), error);
  return !error && !program.empty();
}

// A PostgreSQL process that works in `data`. A pid alone says nothing: a pid file may outlive a
// reboot and name someone else, another cluster's server even.
bool ServesFolder(int pid, const fs::path& data) {
  std::error_code error;
  // A process that ends loses its executable before its folder.
  if (pid <= 0 || fs::read_symlink(absl::StrCat("/proc/", pid, "/cwd"), error) != data ||
      !IsAlive(pid)) {
    return false;
  }
  const absl::StatusOr<std::string> name = ReadFile(absl::StrCat("/proc/", pid, "/comm"));
  return name.ok() && absl::StripAsciiWhitespace(*name) == "postgres";
}

// Any process of the server, backends included.
bool HasServerProcess(const fs::path& data) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", error)) {
    int pid = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &pid) && ServesFolder(pid, data)) {
      return true;
    }
  }
  return false;
}

// The pid in postmaster.pid; 0 when there is no such file.
int PidIn(const fs::path& data) {
  const absl::StatusOr<std::string> text = ReadFile(data / "postmaster.pid");
  if (!text.ok()) return 0;
  const std::vector<std::string> lines = absl::StrSplit(*text, '\n');
  int pid = 0;
  return absl::SimpleAtoi(lines[0], &pid) ? pid : 0;
}

// ---- the server --------------------------------------------------------------------------------

bool Answers(const std::string& dsn) { return PQping(dsn.c_str()) == PQPING_OK; }

// Why a server did not start: its last complaint after byte `begin` of its log.
std::string ComplaintIn(const fs::path& log, size_t begin) {
  const absl::StatusOr<std::string> text = ReadFile(log);
  if (!text.ok() || text->size() <= begin) return "it left no message";
  std::string last;
  std::string complaint;
  for (absl::string_view line :
       absl::StrSplit(absl::string_view(*text).substr(begin), '\n', absl::SkipWhitespace())) {
    last = std::string(line);
    if (absl::StrContains(line, "FATAL:") || absl::StrContains(line, "PANIC:")) complaint = last;
  }
  return complaint.empty() ? last : complaint;
}

absl::Status CheckSpace(const fs::path& folder) {
  struct statvfs info {};
  if (statvfs(folder.c_str(), &info) != 0) return absl::OkStatus();
  const uint64_t free = static_cast<uint64_t>(info.f_bavail) * info.f_frsize >> 20;
  if (free >= kLeastFreeMegabytes) return absl::OkStatus();
  return CannotStart(v1::REASON_DISK_FULL,
                     absl::StrCat("the disk of ", folder.string(), " has ", free, " MB free"),
                     {{"path", folder.string()},
                      {"free", absl::StrCat(free)},
                      {"needed", absl::StrCat(kLeastFreeMegabytes)}});
}

// Makes the cluster beside its place and moves it there when it is whole: what was interrupted is
// made anew, and a folder pg/ that is there is never deleted.
absl::Status MakeCluster(const fs::path& folder, const Identity& user, bool durable) {
  FADU_RETURN_IF_ERROR(CheckSpace(folder));
  const fs::path making = folder / "pg.making";
  std::error_code error;
  fs::remove_all(making, error);
  FADU_RETURN_IF_ERROR(MakeFolder(making, user, 0700));
  const std::string password = Hex(RandomBytes(24));
  FADU_RETURN_IF_ERROR(WriteFile(folder / "keys" / "admin.password", password, 0400, Identity{}));
  const fs::path handed = folder / "run" / "initial.password";
  FADU_RETURN_IF_ERROR(WriteFile(handed, password, 0400, user));
  std::vector<std::string> argv = {absl::StrCat(kBin, "/initdb"),
                                   "-D",
                                   making.string(),
                                   "-U",
                                   "fadu_admin",
                                   "--encoding=UTF8",
                                   "--locale-provider=icu",
                                   "--icu-locale=zh-Hans-CN",
                                   "--locale=C.UTF-8",
                                   "--data-checksums",
                                   "--auth-local=scram-sha-256",
                                   "--auth-host=reject",
                                   absl::StrCat("--pwfile=", handed.string()),
                                   "--no-clean",  // its last line is then the complaint
                                   "--no-instructions"};
  if (!durable) argv.push_back("--no-sync");
  const absl::Status made = RunProgram(argv, user.name).status();
  fs::remove(handed, error);
  FADU_RETURN_IF_ERROR(made);
  SyncFolder(folder / "keys");
  fs::rename(making, folder / "pg", error);
  if (error) {
    return CannotUse(folder / "pg", error.message());
  }
  SyncFolder(folder);
  return absl::OkStatus();
}

std::vector<std::string> ServerCommand(const fs::path& data, const fs::path& run, bool durable) {
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
  set("shared_buffers", "128MB");
  // After a crash the file system is synced at once, not file by file: seconds less. Since
  // Linux 5.8 it tells of errors like the other.
  set("recovery_init_sync_method", "syncfs");
  set("timezone", "UTC");
  set("log_timezone", "UTC");
  set("password_encryption", "scram-sha-256");
  if (!durable) {
    set("fsync", "off");
    set("synchronous_commit", "off");
    set("full_page_writes", "off");
  }
  return argv;
}

// Clears what a killed server left. Its last backends must be gone first: without the pid file a
// new server would not notice that they still write.
absl::Status ClearStale(const fs::path& data, const fs::path& run, absl::Time give_up) {
  while (HasServerProcess(data)) {
    if (absl::Now() > give_up) {
      return CannotStart(
          v1::REASON_FOLDER_BUSY,
          absl::StrCat("processes of a killed PostgreSQL still work in ", data.string()),
          {{"path", data.string()}});
    }
    absl::SleepFor(kPoll);
  }
  std::error_code error;
  fs::remove(data / "postmaster.pid", error);
  fs::remove(run / absl::StrCat(kSocketName + 1, ".lock"), error);
  return absl::OkStatus();
}

// Adopts the server of `data` or starts one; returns when it answers.
absl::Status Launch(const fs::path& data, const fs::path& run, const Identity& user, bool durable,
                    const std::string& dsn) {
  const fs::path log = run / "postgres.log";
  const absl::Time give_up = absl::Now() + kStartWithin;
  while (true) {
    int pid = PidIn(data);
    const bool adopted = ServesFolder(pid, data);
    std::error_code error;
    const uintmax_t written = fs::file_size(log, error);
    const size_t log_begin = error ? 0 : static_cast<size_t>(written);
    if (adopted) {
      Log(LogLevel::kInfo, "adopting the database that runs on this folder", {{"pid", pid}});
    } else {
      FADU_RETURN_IF_ERROR(ClearStale(data, run, give_up));
      const Program server(ServerCommand(data, run, durable), user);
      FADU_ASSIGN_OR_RETURN(pid, Spawn(server, log));
    }
    bool answers = Answers(dsn);
    while (!answers && IsAlive(pid) && absl::Now() < give_up) {
      absl::SleepFor(kPoll);
      answers = Answers(dsn);
    }
    if (answers) return absl::OkStatus();
    // One that was just shutting down when we found it: start our own.
    if (adopted && !IsAlive(pid) && absl::Now() < give_up) continue;
    return DatabaseFailed(ComplaintIn(log, log_begin));
  }
}

// Makes the database `fadu` when it is missing.
absl::Status MakeDatabase(const std::string& dsn) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(dsn.c_str()),
                                                                &PQfinish);
  const auto run = [&](const char* sql) {
    return std::unique_ptr<PGresult, decltype(&PQclear)>(PQexec(connection.get(), sql), &PQclear);
  };
  const auto found = run("SELECT 1 FROM pg_database WHERE datname = 'fadu'");
  if (PQntuples(found.get()) == 1) return absl::OkStatus();
  if (PQresultStatus(found.get()) == PGRES_TUPLES_OK &&
      PQresultStatus(run("CREATE DATABASE fadu").get()) == PGRES_COMMAND_OK) {
    return absl::OkStatus();
  }
  return DatabaseFailed(absl::StripAsciiWhitespace(PQerrorMessage(connection.get())));
}

}  // namespace

absl::StatusOr<std::string> RunProgram(const std::vector<std::string>& argv,
                                       absl::string_view as_user) {
  FADU_ASSIGN_OR_RETURN(const Identity user, IdentityOf(std::string(as_user)));
  const Program program(argv, user);
  int out[2];
  int err[2];
  if (pipe2(out, O_CLOEXEC) != 0) {
    return DatabaseFailed(strerror(errno));
  }
  if (pipe2(err, O_CLOEXEC) != 0) {
    close(out[0]);
    close(out[1]);
    return DatabaseFailed(strerror(errno));
  }
  const pid_t child = fork();
  if (child == 0) {
    dup2(out[1], 1);
    dup2(err[1], 2);
    program.BecomeUser();
    program.Exec();
  }
  close(out[1]);
  close(err[1]);
  std::string texts[2];
  struct pollfd polls[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  int open_ends = 2;
  while (open_ends > 0) {
    if (poll(polls, 2, -1) < 0) continue;  // a signal; nothing else can go wrong here
    for (int i = 0; i < 2; ++i) {
      if (polls[i].fd < 0 || polls[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t size = read(polls[i].fd, buffer, sizeof buffer);
      if (size > 0) {
        texts[i].append(buffer, static_cast<size_t>(size));
      } else if (size == 0 || errno != EINTR) {
        close(polls[i].fd);
        polls[i].fd = -1;
        --open_ends;
      }
    }
  }
  int state = 0;
  if (child > 0 && WaitFor(child, &state) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0) {
    return texts[0];
  }
  const std::vector<std::string> lines = absl::StrSplit(texts[1], '\n', absl::SkipWhitespace());
  return DatabaseFailed(
      absl::StrCat(argv[0], ": ", lines.empty() ? "it left no message" : lines.back()));
}

absl::StatusOr<std::unique_ptr<PrivateCluster>> PrivateCluster::Start(
    PrivateClusterOptions options) {
  if (access(absl::StrCat(kBin, "/postgres").c_str(), X_OK) != 0) {
    return CannotStart(v1::REASON_POSTGRESQL_MISSING, "PostgreSQL 15 is not installed");
  }
  std::error_code error;
  fs::path folder = fs::absolute(options.folder, error).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // "…/data/" is "…/data"
  const size_t socket_path = (folder / "run").string().size() + sizeof(kSocketName) - 1;
  if (socket_path > kMaxSocketPath) return PathTooLong(folder);
  FADU_ASSIGN_OR_RETURN(const Identity user, ServerIdentity(folder / "pg"));
  FADU_RETURN_IF_ERROR(MakeDataFolder(folder));
  // As the server's processes see it (/proc/…/cwd): without symbolic links.
  folder = fs::canonical(folder, error);
  const fs::path data = folder / "pg";
  const fs::path run = folder / "run";
  FADU_RETURN_IF_ERROR(CheckTraversable(folder, user));
  if ((run.string().size() + sizeof(kSocketName) - 1) > kMaxSocketPath) {
    return PathTooLong(folder);
  }
  FADU_ASSIGN_OR_RETURN(const FolderLock lock,
                        FolderLock::Take(folder, absl::Now() + kStartWithin));
  FADU_RETURN_IF_ERROR(MakeFolder(run, user, 0750));
  FADU_RETURN_IF_ERROR(MakeFolder(folder / "keys", Identity{}, 0700));
  if (!fs::exists(data, error)) {
    FADU_RETURN_IF_ERROR(MakeCluster(folder, user, options.durable));
  } else if (!fs::exists(data / "PG_VERSION", error)) {
    return CannotStart(v1::REASON_DATABASE_MISSING,
                       absl::StrCat("PG_VERSION is missing in ", data.string()),
                       {{"path", data.string()}});
  }
  FADU_ASSIGN_OR_RETURN(const std::string password, ReadFile(folder / "keys" / "admin.password"));

  std::unique_ptr<PrivateCluster> cluster(new PrivateCluster);
  cluster->options_ = options;
  cluster->options_.folder = folder.string();
  std::string base = WithDsn("", "host", run.string());
  base = WithDsn(base, "port", "5432");
  base = WithDsn(base, "user", "fadu_admin");
  base = WithDsn(base, "password", password);
  cluster->admin_dsn_ = WithDsn(base, "dbname", "fadu");
  const std::string maintenance =
      WithDsn(WithDsn(base, "dbname", "postgres"), "connect_timeout", "2");
  cluster->running_ = true;
  FADU_RETURN_IF_ERROR(Launch(data, run, user, options.durable, maintenance));
  FADU_RETURN_IF_ERROR(MakeDatabase(maintenance));
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

bool PrivateCluster::alive() const {
  return ServesFolder(postmaster_pid(), fs::path(options_.folder) / "pg");
}

absl::Status PrivateCluster::Stop() {
  if (!running_) return absl::OkStatus();
  running_ = false;
  const fs::path data = fs::path(options_.folder) / "pg";
  const int pid = PidIn(data);
  // Fast shutdown, then immediate: the next start recovers from the log.
  for (const int signal : {SIGINT, SIGQUIT}) {
    if (!ServesFolder(pid, data) || kill(pid, signal) != 0) return absl::OkStatus();
    const absl::Time give_up = absl::Now() + kStopWithin;
    while (absl::Now() < give_up) {
      if (!ServesFolder(pid, data)) return absl::OkStatus();
      absl::SleepFor(kPoll);
    }
  }
  return absl::UnavailableError(absl::StrCat("PostgreSQL still runs on ", data.string()));
}

}  // namespace fadu::db
