// services/fadu/output.h
//
// What a command prints: data on standard output as table, json, jsonl or csv; talk on standard
// error.
#ifndef FADU_SERVICES_FADU_OUTPUT_H_
#define FADU_SERVICES_FADU_OUTPUT_H_

#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/fadu/args.h"

namespace fadu::cli {

enum class Format { kTable, kJson, kJsonl, kCsv };

// INVALID_ARGUMENT for an unknown format.
absl::StatusOr<Format> FormatOf(const Args& args);

// Rows for people and spreadsheets, and the same as JSON objects, one per row.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> json;  // as many as rows
};

// Prints a table in the format asked for. CSV begins with a BOM and neutralises cells that a
// spreadsheet would take for a formula.
void Print(const Table& table, Format format);
// Only the aligned table.
std::string Aligned(const Table& table);

// A message as JSON with proto names, one line or indented.
std::string ToJson(const google::protobuf::Message& message, bool indented);
// A JSON string literal.
std::string JsonText(absl::string_view text);

// Columns a text takes on a terminal: East Asian wide characters take two.
size_t DisplayWidth(absl::string_view text);

// A line on standard error.
void Say(absl::string_view text);
// Progress on standard error, one line that is overwritten; nothing when it is not a terminal.
void Progress(absl::string_view text);
void EndProgress();

// Prints a failure in the user's language, with every wrong field, and returns its exit code.
int Complain(const absl::Status& status);

}  // namespace fadu::cli

#endif  // FADU_SERVICES_FADU_OUTPUT_H_
