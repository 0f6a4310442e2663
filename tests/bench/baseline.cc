#include "tests/bench/baseline.h"

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/db/migrate.h"
#include "common/records/composer.h"
#include "common/records/schema.h"
#include "tests/bench/machine.h"

namespace fadu::bench {
namespace {

constexpr char kBin[] = "/usr/lib/postgresql/15/bin";
constexpr char kSchema[] = "bench";
constexpr int kFirstCounty = 420000;
constexpr int kCounties = 1000;

// pgbench takes :word for a variable, also inside a literal and when it begins with a digit.
std::string WithoutColons(const std::string& literal) {
  if (!absl::StrContains(literal, ":")) return literal;
  const std::string escaped = absl::StrReplaceAll(literal, {{":", "\\072"}});
  return absl::StrContains(literal, "E'") ? escaped : absl::StrCat("E", escaped);
}

// A connection string as the text of a service file, so that no password stands in an argument.
// Ours quote their values and hold no quotes or spaces in them; the last of a keyword counts.
std::string ServiceFile(const std::string& dsn) {
  std::map<std::string, std::string> values;
  for (const absl::string_view word : absl::StrSplit(dsn, ' ', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(word, absl::MaxSplits('=', 1));
    values[pair.first] = absl::StrReplaceAll(pair.second, {{"'", ""}});
  }
  return absl::StrCat("[bench]\n", absl::StrJoin(values, "\n", absl::PairFormatter("=")), "\n");
}

// The number after a label in pgbench's report: "latency average = 4.5 ms".
double NumberAfter(const std::string& report, const std::string& label) {
  const size_t at = report.find(label);
  double value = 0;
  if (at == std::string::npos) Die(absl::StrCat("pgbench does not say ", label, ":\n", report));
  const std::string rest = report.substr(at + label.size());
  (void)absl::SimpleAtod(rest.substr(0, rest.find_first_not_of("0123456789.")), &value);
  return value;
}

}  // namespace

Baseline::Baseline(const std::string& admin_dsn, const std::string& service_dsn,
                   const std::string& service, const RecordType& type, const std::string& folder)
    : admin_dsn_(admin_dsn),
      service_dsn_(service_dsn),
      service_(service),
      type_(type),
      folder_(folder),
      pool_(db::PoolOptions{admin_dsn, 1, "bench"}) {
  db::ServiceSchema schema;
  schema.name = kSchema;
  schema.role_password = "not-used";
  schema.migrations = records::EventLogMigrations();
  const auto applied =
      db::Migrate(admin_dsn, schema, SystemClock(), absl::Now() + absl::Seconds(30));
  if (!applied.ok()) Die(applied.status().ToString());
  const RecordTypes& types = *RecordTypes::FromDescriptors({type.descriptor()})->release();
  const absl::Status synced =
      records::SyncRecordTables(admin_dsn, kSchema, absl::StrCat("fadu_", kSchema), types);
  if (!synced.ok()) Die(synced.ToString());
  Order(absl::StrCat("INSERT INTO bench.counter (county_code, seq, head) SELECT (", kFirstCounty,
                     " + i)::text, 0, ''::bytea FROM generate_series(0, ", kCounties - 1,
                     ") AS i"));
}

std::vector<std::string> Baseline::Column(const std::string& sql) {
  std::vector<std::string> cells;
  const absl::Status status = pool_.InTransaction(
      db::Scope{}, absl::Now() + absl::Minutes(5),
      [&](db::Transaction& transaction) -> absl::Status {
        const absl::StatusOr<db::Rows> rows = transaction.Run(db::Statement{"bench", sql});
        if (!rows.ok()) return rows.status();
        for (const db::Row& row : *rows) cells.push_back(row.Text(0));
        return absl::OkStatus();
      });
  if (!status.ok()) Die(absl::StrCat(sql, ": ", status.ToString()));
  return cells;
}

std::string Baseline::AskText(const std::string& sql) {
  const std::vector<std::string> cells = Column(sql);
  return cells.empty() ? "" : cells[0];
}

int64_t Baseline::Ask(const std::string& sql) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(AskText(sql), &value)) Die(absl::StrCat(sql, ": no number"));
  return value;
}

std::string Baseline::Script(const std::string& name, const std::string& text) {
  const std::string path = absl::StrCat(folder_, "/", name);
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) Die(absl::StrCat("cannot write ", path));
  return path;
}

std::string Baseline::Psql(const std::string& script) {
  return Run(
      {absl::StrCat(kBin, "/psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f",
       Script("psql.sql", script)},
      {{"PGSERVICEFILE", Script("psql.conf", ServiceFile(admin_dsn_))}, {"PGSERVICE", "bench"}});
}

void Baseline::Order(const std::string& sql) { (void)Psql(absl::StrCat(sql, ";\n")); }

std::vector<std::pair<std::string, std::string>> Baseline::Literals(const std::string& table,
                                                                    const std::string& where) {
  const std::vector<std::string> names = Column(
      absl::StrCat("SELECT attname::text FROM pg_attribute WHERE attrelid = '", service_, ".",
                   table, "'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"));
  std::vector<std::pair<std::string, std::string>> literals;
  for (const std::string& name : names) {
    const std::string literal = AskText(absl::StrCat(
        "SELECT quote_nullable(t.", name, "::text) || '::' || (SELECT format_type(atttypid, ",
        "atttypmod) FROM pg_attribute WHERE attrelid = '", service_, ".", table,
        "'::regclass AND attname = '", name, "') FROM ", service_, ".", table, " AS t WHERE ",
        where));
    const size_t cast = literal.rfind("::");
    literals.emplace_back(
        name, absl::StrCat(WithoutColons(literal.substr(0, cast)), literal.substr(cast)));
  }
  return literals;
}

void Baseline::Learn(const std::string& county, const std::string& record) {
  const std::string where = absl::StrCat("county_code = '", county, "' AND id = '", record, "'");
  // The keys of a run, a client and its n-th transaction. They grow with time for each client, as
  // UUIDv7 does.
  const auto id = [](const char* kind) {
    return absl::StrCat("('", kind,
                        "' || lpad(to_hex((:run)::bigint), 4, '0') || '-' || "
                        "lpad(to_hex((:client_id)::bigint), 4, '0') || '-7000-8000-' || "
                        "lpad(to_hex((:n)::bigint), 12, '0'))::uuid");
  };
  std::vector<std::string> names, values;
  for (const auto& [name, literal] : Literals(type_.table(), where)) {
    names.push_back(name);
    values.push_back(name == "county_code" ? "county" : name == "id" ? id("018f") : literal);
  }
  std::vector<std::string> event_names, event_values;
  std::string entry;
  for (const auto& [name, literal] : Literals("event", where)) {
    event_names.push_back(name);
    if (name == "entry") entry = literal;
    event_values.push_back(name == "county_code"  ? "c.county_code"
                           : name == "seq"        ? "c.seq"
                           : name == "hash"       ? "c.head"
                           : name == "id"         ? id("018f")
                           : name == "request_id" ? id("0190")
                                                  : literal);
  }
  for (std::string& value : values) {
    if (value == "county") value = "(:county)::text";
  }
  // What the hash covers is what Fadu's covers: head, seq and entry.
  Script("write.sql",
         absl::StrCat("\\set n :n + 1\n\\set county random(", kFirstCounty, ", ",
                      kFirstCounty + kCounties - 1, ")\n",
                      "WITH c AS (UPDATE bench.counter SET seq = seq + 1, head = '\\x01'::bytea || "
                      "sha256(head || int8send(seq + 1) || ",
                      entry,
                      ") WHERE county_code = (:county)::text RETURNING county_code, seq, head), "
                      "r AS (INSERT INTO bench.",
                      type_.table(), " (", absl::StrJoin(names, ", "), ") VALUES (",
                      absl::StrJoin(values, ", "), ")) INSERT INTO bench.event (",
                      absl::StrJoin(event_names, ", "), ") SELECT ",
                      absl::StrJoin(event_values, ", "), " FROM c;\n"));
  const std::string select =
      absl::StrCat("SELECT ", records::kRecordColumns, " FROM ", type_.table(),
                   " WHERE county_code = '", county, "' AND id = '", record, "'::uuid;\n");
  const std::string read =
      absl::StrCat("BEGIN;\nSET LOCAL fadu.counties = '", county, "';\nSET LOCAL fadu.areas = '",
                   county, "';\n", select, "COMMIT;\n");
  Script("read.sql", read);
  Script("read_pipelined.sql", absl::StrCat("\\startpipeline\n", read, "\\endpipeline\n"));
}

PgbenchResult Baseline::Pgbench(const std::string& dsn, const std::string& script, int clients,
                                double seconds) {
  // pgbench takes whole seconds.
  const int whole = std::max(1, static_cast<int>(seconds + 0.5));
  const std::string service = Script("pgbench.conf", ServiceFile(dsn));
  const std::string report =
      Run({absl::StrCat(kBin, "/pgbench"), "-n", "-M", "prepared", "-c", absl::StrCat(clients),
           "-j", "2", "-T", absl::StrCat(whole), "-D", absl::StrCat("run=", ++runs_), "-D", "n=0",
           "-f", absl::StrCat(folder_, "/", script), "service=bench"},
          {{"PGSERVICEFILE", service}});
  PgbenchResult result;
  result.transactions =
      static_cast<int64_t>(NumberAfter(report, "transactions actually processed: "));
  result.rate = NumberAfter(report, "tps = ");
  result.mean_ms = NumberAfter(report, "latency average = ");
  if (NumberAfter(report, "number of failed transactions: ") != 0) Die(report);
  return result;
}

PgbenchResult Baseline::Write(int clients, double seconds) {
  const std::string count = "SELECT count(*)::text FROM bench.event";
  const int64_t before = Ask(count);
  const PgbenchResult result = Pgbench(admin_dsn_, "write.sql", clients, seconds);
  const int64_t written = Ask(count) - before;
  if (written != result.transactions) {
    Die(absl::StrCat("pgbench says ", result.transactions, " transactions, there are ", written,
                     " events"));
  }
  return result;
}

PgbenchResult Baseline::Read(int clients, double seconds, bool pipelined) {
  return Pgbench(service_dsn_, pipelined ? "read_pipelined.sql" : "read.sql", clients, seconds);
}

Baseline::Copied Baseline::Copy(const std::string& county) {
  const std::string records = absl::StrCat(folder_, "/records.tsv");
  const std::string events = absl::StrCat(folder_, "/events.tsv");
  const auto out = [&](const std::string& table, const std::string& order) {
    return absl::StrCat("\\copy (SELECT t.* FROM ", service_, ".", table,
                        " AS t WHERE county_code = '", county, "' ORDER BY ", order, ") TO '",
                        table == "event" ? events : records, "'\n");
  };
  (void)Psql(absl::StrCat(out(type_.table(), "id"), out("event", "seq")));
  const std::string told =
      Psql(absl::StrCat("\\timing on\nBEGIN;\n\\copy bench.", type_.table(), " FROM '", records,
                        "'\n\\copy bench.event FROM '", events, "'\nCOMMIT;\n"));
  Copied copied;
  for (const absl::string_view line : absl::StrSplit(told, '\n')) {
    if (absl::StartsWith(line, "Time: ")) {
      copied.seconds += NumberAfter(std::string(line), "Time: ") / 1000;
    }
  }
  copied.rows = Ask(absl::StrCat("SELECT count(*)::text FROM bench.", type_.table(),
                                 " WHERE county_code = '", county, "'"));
  return copied;
}

}  // namespace fadu::bench
