// common/records/chain.h
//
// The audit chain of a county, recomputed from what is stored. Internal to common/records.
#ifndef FADU_COMMON_RECORDS_CHAIN_H_
#define FADU_COMMON_RECORDS_CHAIN_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/db/pool.h"

namespace fadu::records {

// How far a chain holds: its event `seq` has the hash `head`. Zero and empty: nothing is checked.
struct ChainPlace {
  int64_t seq = 0;
  std::string head;
};

// Checks the events after `place`, at most `limit`, up to the county's counter as it stands, and
// moves `place` behind them. True when it came to the end and the counter agrees.
//
// FAILED_PRECONDITION / REASON_INTEGRITY_BROKEN: metadata `where` names the first bad seq. Then,
// and when the database fails, `place` is as far as the chain held.
absl::StatusOr<bool> CheckChain(db::Pool& pool, absl::string_view service, absl::string_view county,
                                int64_t limit, absl::Time deadline, ChainPlace& place);

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_CHAIN_H_
