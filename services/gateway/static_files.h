// services/gateway/static_files.h
//
// The files of the console, held in memory: what is not in the folder at start cannot be asked for,
// whatever a path looks like.
#ifndef FADU_SERVICES_GATEWAY_STATIC_FILES_H_
#define FADU_SERVICES_GATEWAY_STATIC_FILES_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/gateway/http.h"

namespace fadu::gateway {

// The content type of a file name; application/octet-stream for one that is not known.
absl::string_view ContentTypeOf(absl::string_view name);

// Immutable once loaded.
class StaticFiles {
 public:
  // Every regular file under `folder`, links not followed; an empty name: none. `x.js.gz` is how
  // `x.js` is sent to whoever accepts gzip. FAILED_PRECONDITION when the folder cannot be read or
  // holds over 64 MiB.
  static absl::StatusOr<StaticFiles> Load(const std::string& folder);

  // The answer to GET of `path` ("/assets/a.js"); nullptr when there is no such file. "/" and any
  // path without a dot in its last segment is index.html: the pages of an application. A file under
  // assets/ whose name holds a hash never changes and is kept; all else is asked for again by ETag.
  std::unique_ptr<HttpResponse> Get(absl::string_view path, const HttpHead& head) const;

  bool empty() const { return files_.empty(); }

 private:
  struct File {
    std::shared_ptr<const std::string> plain;
    std::shared_ptr<const std::string> gzip;  // null: none
    std::string etag;
    std::string type;
    bool immutable = false;
  };
  std::map<std::string, File, std::less<>> files_;  // by path
};

}  // namespace fadu::gateway

#endif  // FADU_SERVICES_GATEWAY_STATIC_FILES_H_
