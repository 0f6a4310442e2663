// What stands on the clients' side of a fault test.
//
//   reliability_client load  --endpoints FILE --keys DIR --counties A,B --log FILE [--seed S]
//                            [--mix all|numbers] [--callers N] [--wishes N]
//   reliability_client state --endpoints FILE --keys DIR --counties A,B --dsn-file FILE
//
// The load ends when standard input does, or with N wishes of each caller.

#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/log.h"
#include "services/fadu/modules.h"
#include "tests/reliability/load.h"
#include "tests/reliability/state.h"

int main(int argc, char** argv) {
  std::map<std::string, std::string> flags = {
      {"mix", "all"}, {"callers", "12"}, {"wishes", "0"}, {"seed", "1"}};
  for (int i = 2; i + 1 < argc; i += 2) {
    absl::string_view name(argv[i]);
    if (!absl::ConsumePrefix(&name, "--")) break;
    flags[std::string(name)] = argv[i + 1];
  }
  const std::string verb = argc > 1 ? argv[1] : "";
  // Every contract is linked: records are read by their types' names.
  if (fadu::cli::AllModules().empty()) return 70;
  fadu::SetLogLevel(fadu::LogLevel::kError);
  const fadu::reliability::Place place{flags["endpoints"], flags["keys"]};
  const std::vector<std::string> counties =
      absl::StrSplit(flags["counties"], ',', absl::SkipWhitespace());
  if (verb == "load" && !counties.empty()) {
    fadu::reliability::LoadOptions options;
    options.counties = counties;
    options.place = place;
    options.log = flags["log"];
    options.mix = flags["mix"];
    if (!absl::SimpleAtoi(flags["callers"], &options.callers) ||
        !absl::SimpleAtoi(flags["wishes"], &options.wishes) ||
        !absl::SimpleAtoi(flags["seed"], &options.seed)) {
      std::fputs("--callers, --wishes and --seed are numbers\n", stderr);
      return 64;
    }
    return fadu::reliability::RunLoad(options);
  }
  if (verb == "state") {
    std::ifstream in(flags["dsn-file"]);
    const std::string dsn((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    return fadu::reliability::PrintState(place, counties, dsn);
  }
  std::fputs("reliability_client load|state --endpoints FILE --keys DIR --counties A,B …\n",
             stderr);
  return 64;
}
