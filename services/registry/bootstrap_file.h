// services/registry/bootstrap_file.h
//
// The one-time secret of a new installation, as a file of the key folder that only its owner reads.
#ifndef FADU_SERVICES_REGISTRY_BOOTSTRAP_FILE_H_
#define FADU_SERVICES_REGISTRY_BOOTSTRAP_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/db/pool.h"

namespace fadu::registry {

// {folder}/bootstrap.secret
std::string BootstrapPath(absl::string_view folder);

// Makes the secret when there is no account and none was ever used: the file (mode 0400), and its
// digest in the database. A file that is there is kept, a lost one is made anew. Once there is an
// account the file goes away.
//
// FAILED_PRECONDITION when the folder cannot be written or the file is open to others.
absl::Status EnsureBootstrap(db::Pool& pool, absl::string_view folder, absl::Time now,
                             absl::Time deadline);

// Deletes the file; a file that is not there is fine. What fails is logged: the secret is used up
// all the same.
void RemoveBootstrapFile(absl::string_view folder);

}  // namespace fadu::registry

#endif  // FADU_SERVICES_REGISTRY_BOOTSTRAP_FILE_H_
