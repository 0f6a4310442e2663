#include "services/registry/bootstrap_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "services/registry/domain/secret.h"
#include "services/registry/store.h"

namespace fadu::registry {
namespace {

absl::Status FileError(absl::string_view path, absl::string_view problem) {
  return absl::FailedPreconditionError(absl::StrCat("the bootstrap secret ", path, ": ", problem));
}

absl::StatusOr<std::string> ReadSecret(const std::string& path) {
  struct stat info {};
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError(path, strerror(errno));
  char buffer[200];
  const ssize_t size = fstat(fd, &info) == 0 ? read(fd, buffer, sizeof buffer) : -1;
  const int error = errno;
  close(fd);
  if (size < 0) return FileError(path, strerror(error));
  if ((info.st_mode & 077) != 0) return FileError(path, "open to others; chmod 0400 it");
  const std::string secret(
      absl::StripAsciiWhitespace(absl::string_view(buffer, static_cast<size_t>(size))));
  if (!LooksLikeBootstrap(secret)) return FileError(path, "not a bootstrap secret; delete it");
  return secret;
}

// Makes the file when it is missing. Whoever comes second keeps the first one's.
absl::Status MakeSecret(const std::string& path) {
  if (access(path.c_str(), F_OK) == 0) return absl::OkStatus();
  const std::string temporary = absl::StrCat(path, ".tmp-", Hex(RandomBytes(8)));
  const std::string text = absl::StrCat(BootstrapSecret(RandomBytes(kSecretBytes)), "\n");
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
  if (fd < 0) return FileError(temporary, strerror(errno));
  const bool written =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  const bool placed = written && (link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  close(fd);
  unlink(temporary.c_str());
  return placed ? absl::OkStatus() : FileError(path, strerror(error));
}

}  // namespace

std::string BootstrapPath(absl::string_view folder) {
  return absl::StrCat(folder, "/bootstrap.secret");
}

absl::Status EnsureBootstrap(db::Pool& pool, absl::string_view folder, absl::Time now,
                             absl::Time deadline) {
  const std::string path = BootstrapPath(folder);
  bool done = false;
  FADU_RETURN_IF_ERROR(
      pool.Read(db::Scope{}, deadline, [&](db::Transaction& transaction) -> absl::Status {
        FADU_ASSIGN_OR_RETURN(const bool has_account, HasCredential(transaction));
        FADU_ASSIGN_OR_RETURN(const auto stored, FindBootstrap(transaction));
        done = has_account || (stored && stored->consumed);
        return absl::OkStatus();
      }));
  if (done) {
    RemoveBootstrapFile(folder);
    return absl::OkStatus();
  }
  FADU_RETURN_IF_ERROR(MakeSecret(path));
  FADU_ASSIGN_OR_RETURN(const std::string secret, ReadSecret(path));
  FADU_RETURN_IF_ERROR(pool.InTransaction(db::Scope{}, deadline, [&](db::Transaction& transaction) {
    return PutBootstrap(transaction, SecretDigest(secret), now);
  }));
  Log(LogLevel::kInfo, "no account yet: create the first administrator with the bootstrap secret",
      {{"file", path}});
  return absl::OkStatus();
}

void RemoveBootstrapFile(absl::string_view folder) {
  const std::string path = BootstrapPath(folder);
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return;
  Log(LogLevel::kWarning, "a used bootstrap secret cannot be deleted",
      {{"file", path}, {"problem", strerror(errno)}});
}

}  // namespace fadu::registry
