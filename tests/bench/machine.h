// tests/bench/machine.h
//
// What the processors did while something was measured: for us, for others, and for nobody because
// the host had other guests. Programs that are run and waited for.
#ifndef FADU_TESTS_BENCH_MACHINE_H_
#define FADU_TESTS_BENCH_MACHINE_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace fadu::bench {

// Processor seconds since boot, by group of processes. Only differences mean something.
struct Cpu {
  double client = 0;    // this process and the programs it waited for
  double server = 0;    // fadu
  double database = 0;  // PostgreSQL with all its processes
  double busy = 0;      // the whole machine
  double stolen = 0;    // taken by the host

  Cpu operator-(const Cpu& before) const;
  // What the machine did that was none of ours.
  double others() const;
};

// Now. `server` and `postmaster` are pids.
Cpu ReadCpu(pid_t server, pid_t postmaster);

// Runs a program to its end; its standard output. Aborts with its complaint when it fails.
std::string Run(const std::vector<std::string>& argv,
                const std::map<std::string, std::string>& environment = {});

// A program that runs until it is told to stop, its output in a file.
class Background {
 public:
  Background(const std::vector<std::string>& argv, const std::string& output);
  ~Background();
  pid_t pid() const { return pid_; }
  bool Running() const;

 private:
  pid_t pid_ = -1;
};

// Says why, stops what `BeforeDeath` names, and ends.
[[noreturn]] void Die(const std::string& why);
// What must not outlive this process; one at a time.
void BeforeDeath(std::function<void()> stop);

}  // namespace fadu::bench

#endif  // FADU_TESTS_BENCH_MACHINE_H_
