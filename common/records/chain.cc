#include "common/records/chain.h"

#include <algorithm>

#include "absl/base/internal/endian.h"
#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"

namespace fadu::records {
namespace {

namespace v1 = ::fadu::common::v1;

constexpr int64_t kRows = 5000;  // in memory at once

constexpr db::Statement kReadCounter{"read_counter",
                                     "SELECT seq, head FROM counter WHERE county_code = $1"};
constexpr db::Statement kReadChain{
    "read_chain",
    "SELECT seq, entry, hash FROM event WHERE county_code = $1 AND seq > $2 ORDER BY seq LIMIT $3"};

// All rows of one statement, in a transaction of its own.
absl::StatusOr<db::Rows> Query(db::Pool& pool, absl::string_view county, absl::Time deadline,
                               const db::Statement& statement, const db::Params& params) {
  db::Rows rows;
  FADU_RETURN_IF_ERROR(pool.Read(db::Scope::WholeCounty(county), deadline,
                                 [&](db::Transaction& transaction) -> absl::Status {
                                   FADU_ASSIGN_OR_RETURN(rows, transaction.Run(statement, params));
                                   return absl::OkStatus();
                                 }));
  return rows;
}

}  // namespace

absl::StatusOr<bool> CheckChain(db::Pool& pool, absl::string_view service, absl::string_view county,
                                int64_t limit, absl::Time deadline, ChainPlace& place) {
  const auto broken = [&](absl::string_view what, int64_t seq) {
    return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_INTEGRITY_BROKEN,
                "the audit chain does not verify",
                {{"where", absl::StrCat(service, " 第 ", seq, " 条：", what)}});
  };
  FADU_ASSIGN_OR_RETURN(const db::Rows counter,
                        Query(pool, county, deadline, kReadCounter, db::Params().Text(county)));
  // Events up to the counter that was read; later ones are another call's business.
  const int64_t end = counter.empty() ? 0 : counter[0].Int(0);
  const std::string end_head = counter.empty() ? "" : counter[0].Bytes(1);
  while (place.seq < end && limit > 0) {
    const int64_t wanted = std::min({kRows, limit, end - place.seq});
    FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                          Query(pool, county, deadline, kReadChain,
                                db::Params().Text(county).Int(place.seq).Int(wanted)));
    if (rows.empty()) return broken("缺失", place.seq + 1);
    for (const db::Row& row : rows) {
      const int64_t seq = place.seq + 1;
      if (row.Int(0) != seq) return broken("缺失", seq);
      char seq_bytes[8];
      absl::big_endian::Store64(seq_bytes, static_cast<uint64_t>(seq));
      const std::string hash =
          StoredDigest(absl::StrCat(place.head, absl::string_view(seq_bytes, 8), row.Bytes(1)));
      if (hash != row.Bytes(2)) return broken("哈希不符", seq);
      place = {seq, hash};
    }
    limit -= static_cast<int64_t>(rows.size());
  }
  if (place.seq < end) return false;
  if (place.seq > end || place.head != end_head) return broken("与计数行不符", place.seq);
  return true;
}

}  // namespace fadu::records
