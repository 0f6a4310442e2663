// tests/reliability/client_log.h
//
// What a client knows, durable before it is used: every wish before it is sent, every answer when
// it came. One JSON line each.
#ifndef FADU_TESTS_RELIABILITY_CLIENT_LOG_H_
#define FADU_TESTS_RELIABILITY_CLIENT_LOG_H_

#include <fcntl.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>

namespace fadu::reliability {

// Thread-safe. One caller syncs for all that wait with it.
class ClientLog {
 public:
  explicit ClientLog(const std::string& path)
      : fd_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
    if (fd_ < 0) std::abort();
  }
  ~ClientLog() { close(fd_); }

  // Durable when this returns.
  void Append(const std::string& line) {
    std::unique_lock<std::mutex> lock(mutex_);
    // Lines are short: written whole, or the disk is full.
    if (write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
    const int64_t mine = ++written_;
    while (synced_ < mine) {
      if (syncing_) {
        changed_.wait(lock);
        continue;
      }
      syncing_ = true;
      const int64_t upto = written_;
      lock.unlock();
      if (fdatasync(fd_) != 0) std::abort();
      lock.lock();
      syncing_ = false;
      synced_ = upto;
      changed_.notify_all();
    }
  }

 private:
  const int fd_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t written_ = 0;  // lines
  int64_t synced_ = 0;
  bool syncing_ = false;
};

}  // namespace fadu::reliability

#endif  // FADU_TESTS_RELIABILITY_CLIENT_LOG_H_
