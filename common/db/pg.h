// common/db/pg.h
//
// The raw libpq connection of the group writer. Internal to common/db.
#ifndef FADU_COMMON_DB_PG_H_
#define FADU_COMMON_DB_PG_H_

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
class PgConnection : public WriterTransaction {
 public:
  // Connects within two seconds.
  static absl::StatusOr<std::unique_ptr<PgConnection>> Open(const std::string& dsn,
                                                            const std::string& application);
  ~PgConnection() override;

  // BEGIN with the county's scope and timeouts as literals, one round trip. `county` is six digits.
  absl::Status Begin(absl::string_view county, absl::Duration statement_timeout);
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
                                      const std::vector<ArrayParam>& arrays) override;

 private:
  explicit PgConnection(PGconn* connection) : connection_(connection) {}
  using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;
  absl::StatusOr<Result> Check(PGresult* raw, absl::string_view statement);
  absl::StatusOr<Result> RunText(const Statement& statement, const Params& params);

  PGconn* connection_ = nullptr;
  bool failed_ = false;
  ErrorClass failure_class_ = ErrorClass::kBug;
  absl::Status first_failure_;
};

}  // namespace fadu::db

#endif  // FADU_COMMON_DB_PG_H_
