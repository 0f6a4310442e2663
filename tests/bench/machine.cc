#include "tests/bench/machine.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace fadu::bench {
namespace {

std::function<void()> g_before_death;

std::string ReadText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

struct Process {
  pid_t parent = 0;
  double seconds = 0;         // its own
  double reaped_seconds = 0;  // of children that ended and were waited for
};

// Fields of /proc/PID/stat after the name, which may hold anything: state, ppid, …
std::map<pid_t, Process> ReadProcesses() {
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  std::map<pid_t, Process> processes;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    int pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    const std::string text = ReadText(absl::StrCat(entry.path().string(), "/stat"));
    const size_t end = text.rfind(')');
    if (end == std::string::npos) continue;
    const std::vector<std::string> fields =
        absl::StrSplit(text.substr(end + 1), ' ', absl::SkipEmpty());
    if (fields.size() < 16) continue;
    const auto number = [&fields](size_t i) {
      int64_t value = 0;
      (void)absl::SimpleAtoi(fields[i], &value);
      return static_cast<double>(value);
    };
    processes[pid] = {static_cast<pid_t>(number(1)), (number(11) + number(12)) / ticks,
                      (number(13) + number(14)) / ticks};
  }
  return processes;
}

double TreeSeconds(const std::map<pid_t, Process>& processes, pid_t root,
                   const std::set<pid_t>& without) {
  double seconds = 0;
  for (const auto& [pid, process] : processes) {
    pid_t at = pid;
    bool inside = false;
    for (int depth = 0; depth < 64 && at > 1 && without.count(at) == 0; ++depth) {
      inside = at == root;
      if (inside) break;
      const auto parent = processes.find(at);
      if (parent == processes.end()) break;
      at = parent->second.parent;
    }
    if (inside) seconds += process.seconds + process.reaped_seconds;
  }
  return seconds;
}

pid_t Start(const std::vector<std::string>& argv,
            const std::map<std::string, std::string>& environment, int output) {
  std::vector<char*> arguments;
  for (const std::string& word : argv) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(output, 1);
    dup2(output, 2);
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  if (child < 0) Die(absl::StrCat("cannot start ", argv[0]));
  return child;
}

}  // namespace

void Die(const std::string& why) {
  std::fprintf(stderr, "bench: %s\n", why.c_str());
  if (const std::function<void()> stop = std::exchange(g_before_death, nullptr)) stop();
  _exit(70);
}

void BeforeDeath(std::function<void()> stop) { g_before_death = std::move(stop); }

Cpu Cpu::operator-(const Cpu& before) const {
  return Cpu{client - before.client, server - before.server, database - before.database,
             busy - before.busy, stolen - before.stolen};
}

double Cpu::others() const { return std::max(0.0, busy - client - server - database); }

Cpu ReadCpu(pid_t server, pid_t postmaster) {
  Cpu cpu;
  const std::map<pid_t, Process> processes = ReadProcesses();
  cpu.server = TreeSeconds(processes, server, {});
  cpu.database = TreeSeconds(processes, postmaster, {});
  cpu.client = TreeSeconds(processes, getpid(), {server, postmaster});
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const std::vector<std::string> lines = absl::StrSplit(ReadText("/proc/stat"), '\n');
  const std::vector<std::string> fields = absl::StrSplit(lines[0], ' ', absl::SkipEmpty());
  // cpu user nice system idle iowait irq softirq steal
  for (size_t i = 1; i < 9 && i < fields.size(); ++i) {
    int64_t value = 0;
    (void)absl::SimpleAtoi(fields[i], &value);
    if (i == 8) {
      cpu.stolen = static_cast<double>(value) / ticks;
    } else if (i != 4 && i != 5) {
      cpu.busy += static_cast<double>(value) / ticks;
    }
  }
  return cpu;
}

std::string Run(const std::vector<std::string>& argv,
                const std::map<std::string, std::string>& environment) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) Die("cannot make a pipe");
  const pid_t child = Start(argv, environment, ends[1]);
  close(ends[1]);
  std::string output;
  char buffer[4096];
  ssize_t size = 0;
  while ((size = read(ends[0], buffer, sizeof buffer)) > 0) {
    output.append(buffer, static_cast<size_t>(size));
  }
  close(ends[0]);
  int state = 0;
  waitpid(child, &state, 0);
  if (!WIFEXITED(state) || WEXITSTATUS(state) != 0) {
    Die(absl::StrCat(absl::StrJoin(argv, " "), " failed:\n", output));
  }
  return output;
}

Background::Background(const std::vector<std::string>& argv, const std::string& output) {
  const int fd = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) Die(absl::StrCat("cannot write ", output));
  pid_ = Start(argv, {}, fd);
  close(fd);
}

Background::~Background() {
  kill(pid_, SIGTERM);
  int state = 0;
  waitpid(pid_, &state, 0);
}

bool Background::Running() const { return waitpid(pid_, nullptr, WNOHANG) == 0; }

}  // namespace fadu::bench
