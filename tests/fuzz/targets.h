// tests/fuzz/targets.h
//
// One function for each parser that reads what others wrote. Each takes any bytes, and aborts when
// what it knows of its parser does not hold. libFuzzer calls them (preset fuzz), and a test replays
// their corpora.
#ifndef FADU_TESTS_FUZZ_TARGETS_H_
#define FADU_TESTS_FUZZ_TARGETS_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace fadu::fuzz {

void AreaFile(absl::string_view bytes);       // registry's area file
void Rubric(absl::string_view bytes);         // assessment's YAML
void Filter(absl::string_view bytes);         // of List: the tree, its meaning, its SQL
void Measure(absl::string_view bytes);        // scoring's expressions
void PageToken(absl::string_view bytes);      // of every list
void RecordJson(absl::string_view bytes);     // a record of any type, as JSON and as bytes
void AuditEntry(absl::string_view bytes);     // an event's canonical bytes
void IdentityToken(absl::string_view bytes);  // a bearer token, and an identity to be signed

// All of them, by the name of their corpus.
using Target = std::pair<std::string, std::function<void(absl::string_view)>>;
const std::vector<Target>& Targets();

}  // namespace fadu::fuzz

#endif  // FADU_TESTS_FUZZ_TARGETS_H_
