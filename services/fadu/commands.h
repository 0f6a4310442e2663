// services/fadu/commands.h
//
// The commands of the program, by subject. Each file makes its own.
#ifndef FADU_SERVICES_FADU_COMMANDS_H_
#define FADU_SERVICES_FADU_COMMANDS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/fadu/args.h"
#include "services/fadu/client.h"
#include "services/fadu/suite.h"

namespace fadu::cli {

std::vector<Command> ServeCommands();  // up, serve, migrate, doctor
std::vector<Command> SetupCommands();  // bootstrap, import areas, account create
std::vector<Command>
RecordCommands();  // record types|list|get|create|confirm|history, audit verify
std::vector<Command> RubricCommands();  // rubric
std::vector<Command> ScoreCommands();   // measure, cycle, mark, score
std::vector<Command> CallCommands();    // call
std::vector<Command> DemoCommands();    // demo

// Creates the first administrator of a data folder with its one-time secret and saves the account
// as "admin". Nothing to do when there is one.
absl::Status BootstrapFolder(Client& client);

// Prints the tables of a run's result: villages by tier, towns, county.
absl::Status PrintRun(Client& client, const std::string& run);
// Prints one village's sheet, line by line.
absl::Status PrintExplanation(Client& client, const std::string& run, const std::string& area);

}  // namespace fadu::cli

#endif  // FADU_SERVICES_FADU_COMMANDS_H_
