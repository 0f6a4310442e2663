// common/db/pg.h
//
// The raw libpq connection of the group writer. Internal to common/db.
#ifndef FADU_COMMON_DB_PG_H_
#define FADU_COMMON_DB_PG_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/db/errors.h"
#include "common/db/group_writer.h"
#include "common/db/pool.h"

namespace fadu::db {

// One connection with at most one open transaction. Not thread-safe.
class PgConnection : public WriterTransaction, public TripReader {
 public:
  // How prepared statements are planned.
  enum class Plans {
    kKept,  // as PostgreSQL likes: after a few runs once for all
    kAnew,  // each time: a plan kept from when a table was empty would scan it for ever
  };
  // Connects within two seconds. No statement takes longer than `statement_timeout`.
  static absl::StatusOr<std::unique_ptr<PgConnection>> Open(const std::string& dsn,
                                                            const std::string& application,
                                                            absl::Duration statement_timeout,
                                                            Plans plans = Plans::kKept);
  ~PgConnection() override;

  // BEGIN with the county's scope as literals, one round trip. `county` is six digits.
  absl::Status Begin(absl::string_view county);
  absl::Status Commit();
  void Rollback();
  // Drops the socket, as a lost network would; for fault tests.
  void Cut();
  bool broken() const { return PQstatus(connection_) != CONNECTION_OK; }
  // The class of the first failure since Begin.
  ErrorClass failure_class() const { return failure_class_; }
  bool failed() const override { return failed_; }

  absl::StatusOr<Rows> Run(const Statement& statement, const Params& params = {}) override;
  absl::StatusOr<int64_t> Execute(const Statement& statement, const Params& params = {}) override;
  absl::StatusOr<int64_t> WriteArrays(absl::string_view name, absl::string_view sql,
                                      absl::string_view county,
                                      const std::vector<std::string>& arrays) override;

  // ---- A whole transaction in one round trip: BEGIN with scope, statements, COMMIT. ----

  // Sends it. False: the connection is gone, and it is not known what the server took.
  bool SendTrip(absl::string_view county, const std::vector<TripStatement>& statements) {
    return SendTrip(Scope::WholeCounty(county), statements, /*reads=*/false);
  }
  // Waits for the answers to what was sent.
  enum class TripEnd {
    kCommitted,
    kRefused,  // some statement failed: rolled back, nothing was written
    kUnknown,  // the connection is gone, or COMMIT failed
  };
  TripEnd FinishTrip() { return FinishTrip(nullptr); }
  absl::StatusOr<std::vector<Rows>> ReadTrip(
      absl::string_view county, const std::vector<TripStatement>& statements) override {
    return ReadTrip(Scope::WholeCounty(county), statements);
  }
  // The same, seeing no more than `scope`, which names one county.
  absl::StatusOr<std::vector<Rows>> ReadTrip(const Scope& scope,
                                             const std::vector<TripStatement>& statements);

 private:
  PgConnection(PGconn* connection, Plans plans) : connection_(connection), plans_(plans) {}
  using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;
  absl::StatusOr<Result> Check(PGresult* raw, absl::string_view statement);
  absl::StatusOr<Result> RunText(const Statement& statement, const Params& params);
  // What a trip sent and the server has to answer.
  struct Sent {
    const char* name;
    std::string prepares;  // the statement that is prepared when this succeeds; else empty
  };
  bool SendTrip(const Scope& scope, const std::vector<TripStatement>& statements, bool reads);
  TripEnd FinishTrip(std::vector<Rows>* rows);
  bool SendText(const char* name, const std::string& sql);
  bool SendStatement(absl::string_view county, const TripStatement& statement, bool prepared);

  PGconn* connection_ = nullptr;
  const Plans plans_;
  std::vector<Sent> sent_;
  // Names of prepared statements by text: those the server has, and those of the trip under way.
  std::map<std::string, std::string, std::less<>> prepared_;
  std::map<std::string, std::string, std::less<>> names_sent_;
  int names_ = 0;
  bool failed_ = false;
  ErrorClass failure_class_ = ErrorClass::kBug;
  absl::Status first_failure_;
};

}  // namespace fadu::db

#endif  // FADU_COMMON_DB_PG_H_
