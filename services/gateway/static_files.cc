#include "services/gateway/static_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/digest.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/config/v1/reason.pb.h"

namespace fadu::gateway {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kMaxBytes = 64 << 20;

absl::Status Unusable(absl::string_view path, absl::string_view problem) {
  return Fail(absl::StatusCode::kFailedPrecondition, fadu::config::v1::REASON_FILE_UNUSABLE,
              "the folder of static files cannot be used",
              {{"path", std::string(path)}, {"problem", std::string(problem)}});
}

// index-BwX3k9_a.js: eight characters or more after the last hyphen, some of them not lower-case
// letters, as bundlers write content hashes.
bool HasHash(absl::string_view name) {
  const size_t dot = name.find('.');
  const size_t hyphen = name.substr(0, dot).rfind('-');
  if (dot == absl::string_view::npos || hyphen == absl::string_view::npos) return false;
  const absl::string_view hash = name.substr(hyphen + 1, dot - hyphen - 1);
  return hash.size() >= 8 && std::any_of(hash.begin(), hash.end(), [](char c) {
           return !absl::ascii_islower(static_cast<unsigned char>(c));
         });
}

}  // namespace

absl::string_view ContentTypeOf(absl::string_view name) {
  static const auto* const types = new std::map<absl::string_view, absl::string_view>{
      {"html", "text/html; charset=utf-8"},
      {"js", "text/javascript; charset=utf-8"},
      {"mjs", "text/javascript; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"json", "application/json"},
      {"map", "application/json"},
      {"webmanifest", "application/manifest+json"},
      {"txt", "text/plain; charset=utf-8"},
      {"svg", "image/svg+xml"},
      {"png", "image/png"},
      {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},
      {"webp", "image/webp"},
      {"ico", "image/x-icon"},
      {"woff", "font/woff"},
      {"woff2", "font/woff2"},
  };
  const size_t dot = name.rfind('.');
  if (dot == absl::string_view::npos) return "application/octet-stream";
  const auto found = types->find(name.substr(dot + 1));
  return found == types->end() ? "application/octet-stream" : found->second;
}

absl::StatusOr<StaticFiles> StaticFiles::Load(const std::string& folder) {
  StaticFiles loaded;
  if (folder.empty()) return loaded;
  std::error_code error;
  if (!fs::is_directory(folder, error)) return Unusable(folder, "不是目录");
  uintmax_t total = 0;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (!fs::is_regular_file(entry->symlink_status(error))) continue;
    total += entry->file_size(error);
    if (error || total > kMaxBytes) return Unusable(folder, "超过 64 MiB");
    std::ifstream in(entry->path(), std::ios::binary);
    auto text = std::make_shared<const std::string>(std::istreambuf_iterator<char>(in),
                                                    std::istreambuf_iterator<char>());
    if (in.bad()) return Unusable(entry->path().string(), "无法读取");
    std::string path =
        absl::StrCat("/", fs::relative(entry->path(), folder, error).generic_string());
    if (absl::EndsWith(path, ".gz")) {
      loaded.files_[path.substr(0, path.size() - 3)].gzip = std::move(text);
      continue;
    }
    File& file = loaded.files_[path];
    file.etag = absl::StrCat("\"", Hex(Sha256(*text)).substr(0, 32), "\"");
    file.type = std::string(ContentTypeOf(path));
    file.immutable =
        absl::StartsWith(path, "/assets/") && HasHash(path.substr(path.rfind('/') + 1));
    file.plain = std::move(text);
  }
  if (error) return Unusable(folder, error.message());
  std::erase_if(loaded.files_, [](const auto& one) { return one.second.plain == nullptr; });
  return loaded;
}

std::unique_ptr<HttpResponse> StaticFiles::Get(absl::string_view path, const HttpHead& head) const {
  auto found = files_.find(path);
  const absl::string_view name = path.substr(path.rfind('/') + 1);
  if (found == files_.end() && name.find('.') == absl::string_view::npos) {
    found = files_.find("/index.html");
  }
  if (found == files_.end()) return nullptr;
  const File& file = found->second;
  auto response = std::make_unique<HttpResponse>();
  response->headers = {
      {"Content-Type", file.type},
      {"ETag", file.etag},
      {"Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache"}};
  if (file.gzip != nullptr) response->headers.emplace_back("Vary", "Accept-Encoding");
  if (head.Header("if-none-match") == file.etag) {
    response->status = 304;
    return response;
  }
  const bool gzip =
      file.gzip != nullptr && absl::StrContains(head.Header("accept-encoding"), "gzip");
  if (gzip) response->headers.emplace_back("Content-Encoding", "gzip");
  response->shared_body = gzip ? file.gzip : file.plain;
  return response;
}

}  // namespace fadu::gateway
