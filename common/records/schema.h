// common/records/schema.h
//
// The tables of a service with records: event and counter from a migration, one table per record
// type from its descriptor.
#ifndef FADU_COMMON_RECORDS_SCHEMA_H_
#define FADU_COMMON_RECORDS_SCHEMA_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/db/migrate.h"
#include "common/schema/record_type.h"

namespace fadu::records {

// The migrations every service with records starts with; a service's own follow.
std::vector<db::Migration> EventLogMigrations();

// Makes each type's table, or adds the columns and indexes its descriptor has gained, filling new
// columns from the stored messages. Re-runnable. As the administrator, who sees all rows.
//
// FAILED_PRECONDITION / REASON_INTEGRITY_BROKEN when a column's type differs from the descriptor's:
// the message says which.
absl::Status SyncRecordTables(absl::string_view admin_dsn, absl::string_view schema,
                              absl::string_view role, const RecordTypes& types);

}  // namespace fadu::records

#endif  // FADU_COMMON_RECORDS_SCHEMA_H_
