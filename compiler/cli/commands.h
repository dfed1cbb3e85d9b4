#ifndef WEFT_COMPILER_CLI_COMMANDS_H_
#define WEFT_COMPILER_CLI_COMMANDS_H_

// The subcommands of `weft`, one file each. Adding one declares its options; when the command line names it,
// `run` is set to what it does and gives the exit code: 0, or 1 after what is wrong has been printed.

#include <CLI/CLI.hpp>
#include <functional>

namespace weft::cli {

using Run = std::function<int()>;

void AddCacheCommand(CLI::App& app, Run& run);
void AddCheckCommand(CLI::App& app, Run& run);
void AddCompileCommand(CLI::App& app, Run& run);
void AddDocCommand(CLI::App& app, Run& run);
void AddExplainCommand(CLI::App& app, Run& run);
void AddFmtCommand(CLI::App& app, Run& run);
void AddProfileCommand(CLI::App& app, Run& run);
void AddRunCommands(CLI::App& app, Run& run);  // run, bench
void AddShowCommand(CLI::App& app, Run& run);
void AddTestCommand(CLI::App& app, Run& run);
void AddTuneCommand(CLI::App& app, Run& run);
void AddWeightsCommand(CLI::App& app, Run& run);

}  // namespace weft::cli

#endif  // WEFT_COMPILER_CLI_COMMANDS_H_
