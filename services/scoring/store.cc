#include "services/scoring/store.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/civil_day.h"
#include "common/base/digest.h"
#include "common/base/status.h"
#include "common/schema/reason.h"
#include "fadu/common/v1/reason.pb.h"
#include "fadu/scoring/v1/scoring_service.pb.h"
#include "services/scoring/sql.h"

namespace fadu::scoring {
namespace {

namespace common_v1 = ::fadu::common::v1;

// Rows in memory at once; a fact is some hundred bytes, a rubric up to a megabyte.
constexpr int64_t kPage = 1000;

absl::Status InvalidFact(absl::string_view problem) {
  return Fail(absl::StatusCode::kInvalidArgument, common_v1::REASON_FIELD_INVALID,
              "a fact is not well-formed", {{"field", "facts"}, {"problem", std::string(problem)}},
              {{"facts", std::string(problem)}});
}

absl::Status Gap(absl::string_view service, int64_t expected, int64_t got) {
  return Fail(absl::StatusCode::kFailedPrecondition, v1::REASON_FEED_GAP, "gap in a feed",
              {{"service", std::string(service)},
               {"expected", absl::StrCat(expected)},
               {"got", absl::StrCat(got)}});
}

// Facts as arrays, one entry for each.
struct Columns {
  std::vector<Uuid> ids;
  std::vector<int64_t> revisions, seqs, years, review_states, tombstones;
  std::vector<std::string> types, areas, dates, facts, digests;

  absl::Status Add(const common_v1::Fact& fact) {
    const absl::StatusOr<Uuid> id = Uuid::Parse(fact.id());
    if (!id.ok()) return InvalidFact("编号不是 UUID");
    int64_t year = 0;
    if (!fact.counted_date().empty()) {
      const absl::StatusOr<absl::CivilDay> day = ParseDay(fact.counted_date());
      if (!day.ok()) return InvalidFact("日期不存在");
      year = day->year();
    }
    ids.push_back(*id);
    revisions.push_back(fact.revision());
    seqs.push_back(fact.seq());
    types.push_back(fact.type());
    areas.push_back(fact.area_code());
    dates.push_back(fact.counted_date());
    years.push_back(year);
    review_states.push_back(fact.review_state());
    tombstones.push_back(fact.tombstone() ? 1 : 0);
    facts.push_back(BytesOf(fact));
    digests.push_back(StoredDigest(facts.back()));
    return absl::OkStatus();
  }
};

// The position, locked until the transaction ends; two pullers of one feed take turns here.
absl::StatusOr<int64_t> LockPosition(db::Transaction& transaction, absl::string_view county,
                                     absl::string_view service) {
  const auto key = [&] { return db::Params().Text(county).Text(service); };
  FADU_ASSIGN_OR_RETURN(db::Rows rows, transaction.Run(sql::kLockPosition, key()));
  if (rows.empty()) {
    FADU_RETURN_IF_ERROR(
        transaction.Execute(sql::kAddKnownCounty, db::Params().Text(county)).status());
    FADU_RETURN_IF_ERROR(transaction.Execute(sql::kAddPosition, key()).status());
    FADU_ASSIGN_OR_RETURN(rows, transaction.Run(sql::kLockPosition, key()));
  }
  if (rows.size() != 1) return FADU_BUG("a feed has no position row");
  return rows[0].Int(0);
}

absl::Status InsertFacts(db::Transaction& transaction, absl::string_view county,
                         absl::string_view service, const Columns& columns) {
  const absl::Status inserted = transaction
                                    .Execute(sql::kInsertFacts, db::Params()
                                                                    .Text(county)
                                                                    .Text(service)
                                                                    .IdArray(columns.ids)
                                                                    .IntArray(columns.revisions)
                                                                    .IntArray(columns.seqs)
                                                                    .TextArray(columns.types)
                                                                    .TextArray(columns.areas)
                                                                    .TextArray(columns.dates)
                                                                    .IntArray(columns.years)
                                                                    .IntArray(columns.review_states)
                                                                    .IntArray(columns.tombstones)
                                                                    .BytesArray(columns.facts)
                                                                    .BytesArray(columns.digests))
                                    .status();
  if (inserted.code() == absl::StatusCode::kAlreadyExists) {
    return Fail(absl::StatusCode::kFailedPrecondition, common_v1::REASON_INTEGRITY_BROKEN,
                "a feed tells another fact of a revision that is known",
                {{"where", absl::StrCat("feed ", service)}});
  }
  FADU_RETURN_IF_ERROR(inserted);
  return transaction
      .Execute(sql::kCloseReplacedFacts,
               db::Params().Text(county).Text(service).IdArray(columns.ids))
      .status();
}

StoredFact FactOf(const db::Row& row) {
  return StoredFact{row.Id(0), row.Int(1), row.Bytes(2), row.Bytes(3)};
}

FactRow FactRowOf(const db::Row& row) {
  FactRow fact;
  fact.fact = FactOf(row);
  fact.seq = row.Int(4);
  if (!row.IsNull(5)) fact.until_seq = row.Int(5);
  fact.type = row.Text(6);
  fact.area_code = row.Text(7);
  if (!row.IsNull(8)) fact.counted_on = row.Day(8);
  fact.year = row.Int(9);
  fact.review_state = row.Int(10);
  fact.tombstone = row.Bool(11);
  return fact;
}

StoredRun RunOf(const db::Row& row, bool whole) {
  StoredRun run;
  run.id = row.Id(0);
  run.year = static_cast<int>(row.Int(1));
  run.created_at = row.Time(2);
  run.actor = row.Text(3);
  run.rubric_title = row.Text(4);
  run.snapshot_digest = row.Bytes(5);
  run.result_digest = row.Bytes(6);
  if (whole) {
    run.snapshot = row.Bytes(7);
    run.result = row.Bytes(8);
  }
  return run;
}

absl::optional<StoredRun> FirstRun(const db::Rows& rows) {
  if (rows.empty()) return absl::nullopt;
  return RunOf(rows[0], /*whole=*/true);
}

}  // namespace

std::string BytesOf(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

absl::StatusOr<db::Rows> Store::Query(absl::string_view county, absl::Time deadline,
                                      const db::Statement& statement, const db::Params& params) {
  db::Rows rows;
  FADU_RETURN_IF_ERROR(pool_.Read(db::Scope::WholeCounty(county), deadline,
                                  [&](db::Transaction& transaction) -> absl::Status {
                                    FADU_ASSIGN_OR_RETURN(rows, transaction.Run(statement, params));
                                    return absl::OkStatus();
                                  }));
  return rows;
}

absl::StatusOr<std::vector<std::string>> Store::KnownCounties(absl::Time deadline) {
  std::vector<std::string> counties;
  FADU_RETURN_IF_ERROR(
      pool_.Read(db::Scope{}, deadline, [&](db::Transaction& transaction) -> absl::Status {
        FADU_ASSIGN_OR_RETURN(const db::Rows rows, transaction.Run(sql::kListKnownCounties));
        counties.clear();
        for (const db::Row& row : rows) counties.push_back(row.Text(0));
        return absl::OkStatus();
      }));
  return counties;
}

absl::StatusOr<Positions> Store::PositionsOf(absl::string_view county, absl::Time deadline) {
  FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                        Query(county, deadline, sql::kListPositions, db::Params().Text(county)));
  Positions positions;
  for (const db::Row& row : rows) positions[row.Text(0)] = row.Int(1);
  return positions;
}

absl::StatusOr<int64_t> Store::TakeFacts(absl::string_view county, absl::string_view service,
                                         absl::Span<const common_v1::Fact> facts,
                                         absl::Time deadline) {
  int64_t position = 0;
  const auto take = [&](db::Transaction& transaction) -> absl::Status {
    FADU_ASSIGN_OR_RETURN(position, LockPosition(transaction, county, service));
    const int64_t before = position;
    Columns columns;
    for (const common_v1::Fact& fact : facts) {
      const bool known = fact.seq() > 0 && fact.seq() <= before;
      if (known && position == before) continue;
      if (fact.seq() != position + 1) return Gap(service, position + 1, fact.seq());
      position = fact.seq();
      // An event without a fact, such as an audited read, only takes a seq.
      if (!fact.type().empty()) FADU_RETURN_IF_ERROR(columns.Add(fact));
    }
    if (position == before) return absl::OkStatus();
    if (!columns.ids.empty()) {
      FADU_RETURN_IF_ERROR(InsertFacts(transaction, county, service, columns));
    }
    return transaction
        .Execute(sql::kAdvancePosition, db::Params().Text(county).Text(service).Int(position))
        .status();
  };
  FADU_RETURN_IF_ERROR(pool_.InTransaction(db::Scope::WholeCounty(county), deadline, take));
  return position;
}

absl::Status Store::ForEachHeld(absl::string_view county, absl::string_view service, int64_t seq,
                                absl::optional<int> year, absl::Time deadline,
                                const std::function<absl::Status(const StoredFact&)>& visit) {
  Uuid last_id;
  int64_t last_revision = -1;
  while (true) {
    db::Params params;
    params.Text(county).Text(service).Int(seq).Id(last_id).Int(last_revision).Int(kPage);
    if (year.has_value()) params.Int(*year);
    FADU_ASSIGN_OR_RETURN(
        const db::Rows rows,
        Query(county, deadline, year.has_value() ? sql::kListHeldFactsOfYear : sql::kListHeldFacts,
              params));
    for (const db::Row& row : rows) {
      const StoredFact fact = FactOf(row);
      FADU_RETURN_IF_ERROR(visit(fact));
      last_id = fact.id;
      last_revision = fact.revision;
    }
    if (static_cast<int64_t>(rows.size()) < kPage) return absl::OkStatus();
  }
}

absl::Status Store::ForEachFact(absl::string_view county, absl::string_view service, int64_t seq,
                                absl::Time deadline,
                                const std::function<absl::Status(const FactRow&)>& visit) {
  Uuid last_id;
  int64_t last_revision = -1;
  while (true) {
    FADU_ASSIGN_OR_RETURN(const db::Rows rows, Query(county, deadline, sql::kListAllFacts,
                                                     db::Params()
                                                         .Text(county)
                                                         .Text(service)
                                                         .Int(seq)
                                                         .Id(last_id)
                                                         .Int(last_revision)
                                                         .Int(kPage)));
    for (const db::Row& row : rows) {
      const FactRow fact = FactRowOf(row);
      FADU_RETURN_IF_ERROR(visit(fact));
      last_id = fact.fact.id;
      last_revision = fact.fact.revision;
    }
    if (static_cast<int64_t>(rows.size()) < kPage) return absl::OkStatus();
  }
}

absl::StatusOr<std::map<std::string, int64_t>> Store::CountHeld(absl::string_view county,
                                                                absl::Time deadline) {
  FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                        Query(county, deadline, sql::kCountHeldFacts, db::Params().Text(county)));
  std::map<std::string, int64_t> counts;
  for (const db::Row& row : rows) counts[row.Text(0)] = row.Int(1);
  return counts;
}

absl::StatusOr<bool> Store::InsertRun(absl::string_view county, const StoredRun& run,
                                      absl::Time deadline) {
  int64_t inserted = 0;
  FADU_RETURN_IF_ERROR(pool_.InTransaction(
      db::Scope::WholeCounty(county), deadline, [&](db::Transaction& transaction) -> absl::Status {
        FADU_ASSIGN_OR_RETURN(inserted,
                              transaction.Execute(sql::kInsertRun, db::Params()
                                                                       .Text(county)
                                                                       .Id(run.id)
                                                                       .Int(run.year)
                                                                       .Time(run.created_at)
                                                                       .Text(run.actor)
                                                                       .Text(run.rubric_title)
                                                                       .Bytes(run.snapshot)
                                                                       .Bytes(run.snapshot_digest)
                                                                       .Bytes(run.result)
                                                                       .Bytes(run.result_digest)));
        return absl::OkStatus();
      }));
  return inserted == 1;
}

absl::StatusOr<absl::optional<StoredRun>> Store::FindRun(absl::string_view county, const Uuid& id,
                                                         absl::Time deadline) {
  FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                        Query(county, deadline, sql::kFindRun, db::Params().Text(county).Id(id)));
  return FirstRun(rows);
}

absl::StatusOr<absl::optional<StoredRun>> Store::FindLatestRun(absl::string_view county,
                                                               absl::Time deadline) {
  FADU_ASSIGN_OR_RETURN(const db::Rows rows,
                        Query(county, deadline, sql::kFindLatestRun, db::Params().Text(county)));
  return FirstRun(rows);
}

absl::StatusOr<std::vector<StoredRun>> Store::ListRuns(absl::string_view county,
                                                       absl::Time before_created_at,
                                                       const Uuid& before_id, int limit,
                                                       absl::Time deadline) {
  FADU_ASSIGN_OR_RETURN(
      const db::Rows rows,
      Query(county, deadline, sql::kListRuns,
            db::Params().Text(county).Time(before_created_at).Id(before_id).Int(limit)));
  std::vector<StoredRun> runs;
  for (const db::Row& row : rows) runs.push_back(RunOf(row, /*whole=*/false));
  return runs;
}

}  // namespace fadu::scoring
