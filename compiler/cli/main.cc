// weft: the compiler's command line.

#include <new>

#include "compiler/cli/commands.h"
#include "compiler/cli/report.h"
#include "runtime/interruption.h"

int main(int argc, char** argv) {
  weft::runtime::LetInterruptionsWait();
  CLI::App app{"Weft compiles model files to native programs.\nExample: weft compile model.weft -o model"};
  app.set_version_flag("--version", "weft " WEFT_VERSION);
  app.require_subcommand(1);
  weft::cli::Run run;
  weft::cli::AddCheckCommand(app, run);
  weft::cli::AddExplainCommand(app, run);
  weft::cli::AddFmtCommand(app, run);
  weft::cli::AddTestCommand(app, run);
  weft::cli::AddShowCommand(app, run);
  weft::cli::AddDocCommand(app, run);
  weft::cli::AddCompileCommand(app, run);
  weft::cli::AddRunCommands(app, run);
  weft::cli::AddProfileCommand(app, run);
  weft::cli::AddTuneCommand(app, run);
  weft::cli::AddWeightsCommand(app, run);
  weft::cli::AddCacheCommand(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  try {
    return run();
  } catch (const std::bad_alloc&) {
    return weft::cli::Fail("not enough memory");
  }
}
