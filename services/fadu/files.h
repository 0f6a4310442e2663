// services/fadu/files.h
#ifndef FADU_SERVICES_FADU_FILES_H_
#define FADU_SERVICES_FADU_FILES_H_

#include <string>

#include "absl/status/statusor.h"

namespace fadu::cli {

// The whole of a file; "-" is standard input. NOT_FOUND naming the file when it cannot be read.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace fadu::cli

#endif  // FADU_SERVICES_FADU_FILES_H_
