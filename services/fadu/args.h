// services/fadu/args.h
//
// The command line: words, flags, and the table of commands from which help is made.
#ifndef FADU_SERVICES_FADU_ARGS_H_
#define FADU_SERVICES_FADU_ARGS_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fadu::cli {

// Exit codes, after sysexits.h; documented in `fadu help exit-codes`.
enum ExitCode {
  kOk = 0,
  kFailed = 1,        // refused: wrong state, conflict, failed verification; a figure differs
  kUsage = 64,        // the command line is wrong
  kDataError = 65,    // the input is wrong (INVALID_ARGUMENT, a rubric with errors)
  kNotFound = 66,     // no such record, file or area
  kUnavailable = 69,  // nobody answers, or out of time
  kInternal = 70,     // our bug
  kCannotStart = 71,  // the suite cannot start here
  kNoPermission = 77,
  kConfig = 78,  // the configuration is wrong
};

struct Flag {
  std::string name;   // "data", without dashes
  std::string value;  // placeholder in help: "DIR"; empty: a switch
  std::string help;
};

// What a command was given.
class Args {
 public:
  std::vector<std::string> words;  // positional
  std::string Get(absl::string_view flag, absl::string_view fallback = "") const;
  bool Has(absl::string_view flag) const { return flags.count(std::string(flag)) > 0; }
  std::map<std::string, std::string> flags;
};

struct Command {
  std::string name;       // "record list"
  std::string arguments;  // "COLLECTION"
  std::string summary;    // one line
  std::vector<std::string> examples;
  std::vector<Flag> flags;
  size_t min_words = 0;
  size_t max_words = 0;
  bool client = true;  // takes the flags of client commands
  std::function<int(const Args&)> run;
};

// Flags of every client command: --data, --address, --token-file, --as, -o, --lang, --timeout.
const std::vector<Flag>& ClientFlags();

// INVALID_ARGUMENT with a sentence in the language of `lang`: unknown flag (with the nearest one),
// missing value, too many or too few words.
absl::StatusOr<Args> ParseArgs(const Command& command, const std::vector<std::string>& rest);

// The nearest of `names` by edit distance, or "" when none is near.
std::string Nearest(absl::string_view word, const std::vector<std::string>& names);

// Examples first, then what it does, then flags.
std::string HelpOf(const Command& command);

// Texts in the language that was asked for: T("中文", "English").
void SetLanguage(absl::string_view language);
const std::string& Language();
std::string T(absl::string_view zh, absl::string_view en);

}  // namespace fadu::cli

#endif  // FADU_SERVICES_FADU_ARGS_H_
