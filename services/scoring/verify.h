// services/scoring/verify.h
//
// Verification of a stored run: nothing that was derived is believed. Digests, positions, columns
// and the result are recomputed from the bytes that were taken from the feeds.
#ifndef FADU_SERVICES_SCORING_VERIFY_H_
#define FADU_SERVICES_SCORING_VERIFY_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/scoring/store.h"

namespace fadu::scoring {

struct Verified {
  int64_t facts = 0;         // whose digests were recomputed, replaced ones and tombstones too
  int64_t result_bytes = 0;  // compared
};

// FAILED_PRECONDITION / REASON_VERIFY_FAILED with `where`, the first that differs: "snapshot", a
// fact as service/type/record/revision, "feed mediation", "rubric {id}", "{village}/{line}",
// "{area}" or "result". FAILED_PRECONDITION / REASON_ENGINE_VERSION: facts and rubric hold, but
// another engine made the result.
absl::StatusOr<Verified> VerifyStoredRun(Store& store, absl::string_view county,
                                         const StoredRun& run, absl::Time deadline);

}  // namespace fadu::scoring

#endif  // FADU_SERVICES_SCORING_VERIFY_H_
