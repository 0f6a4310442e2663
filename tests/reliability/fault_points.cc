// The program with its fault points open (ADR 0023): linked with services/fadu/main.cc into
// fadu_with_faults, which is built for tests and never installed.
//
// FADU_FAULTS names a folder:
//   visited              one line for each point, when this process first comes to it
//   armed/delay/POINT    a fault for the next process and thread that comes there: it waits as many
//   armed/cut/POINT      milliseconds as the file says; its database connection is cut; the process
//   armed/crash/POINT    kills itself
//   struck/ACTION/POINT  where the file goes when that happens

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/fadu/modules.h"

namespace fadu {
namespace {

class FaultFolder {
 public:
  explicit FaultFolder(std::string folder) : folder_(std::move(folder)) {}

  // True: the connection is to be cut.
  bool Pass(absl::string_view point) {
    Visit(point);
    if (Strikes("delay", point)) {
      std::ifstream in(absl::StrCat(folder_, "/struck/delay/", point));
      int millis = 0;
      in >> millis;
      absl::SleepFor(absl::Milliseconds(millis));
    }
    if (Strikes("crash", point)) {
      kill(getpid(), SIGKILL);
      while (true) pause();
    }
    return Strikes("cut", point);
  }

 private:
  // Whoever moves the file suffers the fault; the others pass.
  bool Strikes(absl::string_view action, absl::string_view point) {
    return rename(absl::StrCat(folder_, "/armed/", action, "/", point).c_str(),
                  absl::StrCat(folder_, "/struck/", action, "/", point).c_str()) == 0;
  }

  void Visit(absl::string_view point) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!visited_.insert(std::string(point)).second) return;
    const std::string line = absl::StrCat(point, "\n");
    const int fd = open(absl::StrCat(folder_, "/visited").c_str(),
                        O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      std::abort();
    }
    close(fd);
  }

  const std::string folder_;
  std::mutex mutex_;
  std::set<std::string> visited_;
};

[[maybe_unused]] const bool kOpened = [] {
  const char* const folder = std::getenv("FADU_FAULTS");
  if (folder == nullptr) return false;
  static auto* const faults = new FaultFolder(folder);
  cli::AdjustModules([](host::Module& module) {
    module.start = [start = module.start](const host::ModuleContext& context) {
      // A module may refer to its context as long as it lives: as long as the process here.
      auto* const open = new host::ModuleContext(context);
      open->fault = [](absl::string_view point) { return faults->Pass(point); };
      return start(*open);
    };
  });
  return true;
}();

}  // namespace
}  // namespace fadu
