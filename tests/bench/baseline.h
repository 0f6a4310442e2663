// tests/bench/baseline.h
//
// The measure of what PostgreSQL can do with the same rows: pgbench and COPY, on tables of a schema
// of their own that are made by the same code as Fadu's.
#ifndef FADU_TESTS_BENCH_BASELINE_H_
#define FADU_TESTS_BENCH_BASELINE_H_

#include <map>
#include <string>
#include <vector>

#include "common/db/pool.h"
#include "common/schema/record_type.h"

namespace fadu::bench {

struct PgbenchResult {
  int64_t transactions = 0;
  double rate = 0;     // transactions per second, connecting not counted
  double mean_ms = 0;  // of one transaction
};

// Rows of one Fadu record are the pattern: what pgbench writes has the same columns, indexes,
// constraints and bytes, only keys, sequence and hash are new. In pgbench's favour: it writes as
// the superuser, past row-level security, in one statement and one round trip, with prepared plans,
// constant payloads, and no validation, sealing or idempotent retry.
class Baseline {
 public:
  // `folder` takes scripts and exported rows. `record` is the id of the pattern in `service`'s
  // schema, which holds `type`.
  Baseline(const std::string& admin_dsn, const std::string& service_dsn, const std::string& service,
           const RecordType& type, const std::string& folder);

  // Takes the pattern from a stored record and writes the scripts.
  void Learn(const std::string& county, const std::string& record);

  // Records: counter, record and event, 1,000 counties, one statement.
  PgbenchResult Write(int clients, double seconds);
  // Reads the pattern's row as the service's role under row-level security: BEGIN, SET LOCAL twice,
  // SELECT, COMMIT. `pipelined`: all in one round trip.
  PgbenchResult Read(int clients, double seconds, bool pipelined);
  // Copies the rows (records and events) that Fadu wrote for `county` out, and with COPY into the
  // tables here, in one transaction. Rows and seconds of the way in.
  struct Copied {
    int64_t rows = 0;
    double seconds = 0;
  };
  Copied Copy(const std::string& county);

  // One number of one row, as the administrator.
  int64_t Ask(const std::string& sql);
  std::string AskText(const std::string& sql);
  // Runs a statement as the administrator, without a transaction around it.
  void Order(const std::string& sql);

 private:
  std::vector<std::string> Column(const std::string& sql);
  PgbenchResult Pgbench(const std::string& dsn, const std::string& script, int clients,
                        double seconds);
  std::string Psql(const std::string& script);
  std::string Script(const std::string& name, const std::string& text);
  // The literals of a stored row by column, each as pgbench may send it.
  std::vector<std::pair<std::string, std::string>> Literals(const std::string& table,
                                                            const std::string& where);

  const std::string admin_dsn_;
  const std::string service_dsn_;
  const std::string service_;
  const RecordType& type_;
  const std::string folder_;
  db::Pool pool_;
  int runs_ = 0;
};

}  // namespace fadu::bench

#endif  // FADU_TESTS_BENCH_BASELINE_H_
