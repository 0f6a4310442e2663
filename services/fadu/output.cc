#include "services/fadu/output.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/base/status.h"
#include "common/schema/reason.h"

namespace fadu::cli {
namespace {

// One code point and the bytes it takes; an invalid byte counts as one narrow character.
char32_t Decode(absl::string_view text, size_t* size) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  size_t length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  if (length > text.size()) length = 1;
  char32_t code = length == 1 ? first : first & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = (code << 6) | (byte(i) & 0x3F);
  *size = length;
  return code;
}

bool IsWide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
         (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
         (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x20000 && c <= 0x3FFFD);
}

bool LooksNumeric(absl::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.-%") == absl::string_view::npos &&
         text != "-";
}

std::string CsvCell(absl::string_view cell) {
  std::string text(cell);
  const bool formula = !text.empty() && std::string("=+@\t\r").find(text[0]) != std::string::npos;
  const bool minus = !text.empty() && text[0] == '-' && !LooksNumeric(text);
  if (formula || minus) text.insert(0, "'");
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

}  // namespace

absl::StatusOr<Format> FormatOf(const Args& args) {
  const std::string name = args.Get("output", "table");
  if (name == "table") return Format::kTable;
  if (name == "json") return Format::kJson;
  if (name == "jsonl") return Format::kJsonl;
  if (name == "csv") return Format::kCsv;
  return absl::InvalidArgumentError(absl::StrCat(
      T("输出格式只有 table、json、jsonl、csv，没有 ", "formats are table, json, jsonl, csv, not "),
      name));
}

size_t DisplayWidth(absl::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    size_t size = 1;
    width += IsWide(Decode(text, &size)) ? 2 : 1;
    text.remove_prefix(size);
  }
  return width;
}

std::string Aligned(const Table& table) {
  std::vector<size_t> widths(table.columns.size());
  std::vector<bool> numeric(table.columns.size(), !table.rows.empty());
  for (size_t i = 0; i < widths.size(); ++i) widths[i] = DisplayWidth(table.columns[i]);
  for (const auto& row : table.rows) {
    for (size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
      numeric[i] = numeric[i] && (LooksNumeric(row[i]) || row[i].empty());
    }
  }
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (size_t i = 0; i < widths.size(); ++i) {
      const std::string cell = i < cells.size() ? cells[i] : "";
      const std::string pad(widths[i] - DisplayWidth(cell), ' ');
      if (i > 0) text += "  ";
      text += numeric[i] ? pad + cell : cell + pad;
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    absl::StrAppend(&out, text, "\n");
  };
  line(table.columns);
  for (const auto& row : table.rows) line(row);
  return out;
}

void Print(const Table& table, Format format) {
  std::string out;
  switch (format) {
    case Format::kTable:
      out = Aligned(table);
      break;
    case Format::kJson:
      out = table.json.empty() ? "[]\n"
                               : absl::StrCat("[\n", absl::StrJoin(table.json, ",\n"), "\n]\n");
      break;
    case Format::kJsonl:
      for (const std::string& object : table.json) absl::StrAppend(&out, object, "\n");
      break;
    case Format::kCsv: {
      out = "\xEF\xBB\xBF";
      const auto line = [&](const std::vector<std::string>& cells) {
        std::vector<std::string> escaped;
        for (const std::string& cell : cells) escaped.push_back(CsvCell(cell));
        absl::StrAppend(&out, absl::StrJoin(escaped, ","), "\r\n");
      };
      line(table.columns);
      for (const auto& row : table.rows) line(row);
      break;
    }
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::fflush(stdout);
}

std::string ToJson(const google::protobuf::Message& message, bool indented) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = indented;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return "{}";
  while (!json.empty() && json.back() == '\n') json.pop_back();
  return json;
}

std::string JsonText(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += absl::StrFormat("\\u%04x", c);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

void Say(absl::string_view text) {
  const std::string line = absl::StrCat(text, "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void Progress(absl::string_view text) {
  if (isatty(2) == 0) return;
  const std::string line = absl::StrCat("\r\x1b[K", text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void EndProgress() {
  if (isatty(2) != 0) std::fputs("\r\x1b[K", stderr);
}

int Complain(const absl::Status& status) {
  EndProgress();
  const ErrorDetail detail = DetailOf(status);
  const std::string text =
      detail.reason.empty() ? std::string(status.message()) : LocalizedText(status, Language());
  Say(absl::StrCat(T("错误：", "error: "), text,
                   detail.reason.empty() ? "" : absl::StrCat(" [", detail.reason, "]")));
  for (const FieldViolation& violation : detail.violations) {
    Say(absl::StrCat("  ", violation.field, ": ", violation.description));
  }
  if (const auto item = detail.metadata.find("item"); item != detail.metadata.end()) {
    Say(absl::StrCat(T("  第 ", "  record "), item->second, T(" 条（从 0 起）", " (from 0)")));
  }
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return kDataError;
    case absl::StatusCode::kNotFound:
      return kNotFound;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
      return kUnavailable;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return kNoPermission;
    case absl::StatusCode::kInternal:
      return kInternal;
    default:
      return kFailed;
  }
}

}  // namespace fadu::cli
