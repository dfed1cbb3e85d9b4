// weft tune: searches for faster schedules on this machine.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/cli/commands.h"
#include "compiler/cli/compile_options.h"
#include "compiler/cli/report.h"
#include "compiler/tune/report.h"
#include "compiler/tune/tune.h"
#include "runtime/atomic_file.h"

namespace weft::cli {

namespace {

struct TuneCommand {
  ProgramOptions program;
  std::string method, budget = "10m", store, output, report;
  int64_t candidates = 48;
  int threads = 0;
};

// "90s", "10m", "1h": seconds; 0 if it is none of that.
double ReadDuration(const std::string& text) {
  double number = 0;
  if (text.empty() || !absl::SimpleAtod(text.substr(0, text.size() - 1), &number) || number <= 0) return 0;
  switch (text.back()) {
    case 's':
      return number;
    case 'm':
      return 60 * number;
    case 'h':
      return 3600 * number;
    default:
      return 0;
  }
}

std::string MinutesAndSeconds(double seconds) {
  auto whole = static_cast<int64_t>(std::max(0.0, seconds));
  return absl::StrFormat("%d:%02d", whole / 60, whole % 60);
}

void ShowTuning(const tune::KernelProgress& kernel, size_t kernels, double seconds_left) {
  std::fprintf(stderr, "\r\033[K[%zu/%zu] %.50s  %lld candidates, best %.2fx, at most %s left", kernel.number,
               kernels, kernel.name.c_str(), static_cast<long long>(kernel.candidates), kernel.gain,
               MinutesAndSeconds(seconds_left).c_str());
  std::fflush(stderr);
}

void ShowTuned(const tune::KernelProgress& kernel, size_t kernels, double seconds_left) {
  if (kernel.problem.empty() && kernel.candidates == 0) return;
  std::string line = absl::StrFormat("[%d/%d] %s: %.1f %% of the time, ", kernel.number, kernels, kernel.name,
                                     100 * kernel.share);
  if (!kernel.problem.empty()) {
    absl::StrAppend(&line, "left as it is: ", kernel.problem);
  } else {
    absl::StrAppendFormat(&line,
                          "%d candidates (%d trials now, %d rejected), %.2f times as fast as %.1f us%s",
                          kernel.candidates, kernel.measured, kernel.rejected, kernel.gain,
                          1e6 * kernel.seconds, kernel.is_done ? "" : ", not all tried");
  }
  std::fprintf(stderr, "%s%s; at most %s left\n", ::isatty(2) ? "\r\033[K" : "", line.c_str(),
               MinutesAndSeconds(seconds_left).c_str());
}

int Write(const std::string& path, const std::string& bytes) {
  runtime::Status written = runtime::WriteFileAtomically(path, bytes);
  return written.ok() ? 0 : Fail(written.message());
}

int Tune(const TuneCommand& command) {
  tune::TuneOptions options;
  options.seconds = ReadDuration(command.budget);
  if (options.seconds == 0)
    return Fail(absl::StrCat("`--budget ", command.budget, "` is no time as 90s, 10m or 1h"));
  driver::SourceProgram source;
  std::optional<dsl::Program> program = LoadProgram(command.program, source);
  if (!program) return 1;
  options.compile = MakeCompileOptions(command.program, source);
  options.method = command.method;
  options.most_candidates = command.candidates;
  options.threads = command.threads;
  options.store =
      command.store.empty() ? options.compile.kernels.cache.folder() + "/trials.sqlite" : command.store;
  if (::isatty(2)) options.progress = ShowTuning;
  options.finished = ShowTuned;
  std::string output = command.output;
  if (output.empty()) output = driver::TunedSchedulesOf(command.program.file);
  std::string head =
      absl::StrCat("// Schedules of the entry `", program->entry, "` that `weft tune` found.\n\n");
  options.keep = [&](const std::string& schedules) {
    runtime::Status written = runtime::WriteFileAtomically(output, head + schedules);
    return written.ok() ? absl::OkStatus() : absl::UnavailableError(written.message());
  };
  absl::StatusOr<tune::TuneResult> result =
      tune::Tune(*program, source.sources(), options, source.diagnostics());
  if (PrintDiagnostics(source)) return 1;
  if (!result.ok()) return Fail(result.status().message());
  if (!command.report.empty()) {
    std::string title = absl::StrCat("Schedules of `", program->entry, "` in ", command.program.file);
    if (int failed = Write(command.report, tune::HtmlReport(title, *result))) return failed;
  }
  size_t waiting = 0;
  for (const tune::KernelProgress& kernel : result->kernels)
    waiting += kernel.problem.empty() && kernel.candidates == 0;
  if (waiting > 0) std::cerr << "no time for " << waiting << (waiting == 1 ? " kernel\n" : " kernels\n");
  const tune::Rounds& whole = result->program;
  if (result->scheduled == 0) {
    std::cout << "no faster schedule\n";
  } else if (!whole.problem.empty()) {
    std::cout << "faster schedules of " << result->scheduled << " kernels in " << output << "\n";
  } else {
    std::cout << absl::StrFormat(
        "faster schedules of %d kernels in %s: %.3f ms instead of %.3f, %.2f times as fast (quartiles %.2f "
        "to %.2f)\n",
        result->scheduled, output, 1e3 * whole.challenger_seconds, 1e3 * whole.incumbent_seconds,
        whole.median, whole.lower_quartile, whole.upper_quartile);
  }
  return 0;
}

}  // namespace

void AddTuneCommand(CLI::App& app, Run& run) {
  auto options = std::make_shared<TuneCommand>();
  CLI::App* command = app.add_subcommand(
      "tune",
      "Search for faster schedules of an entry's kernels on this machine.\n"
      "Example: weft tune model.weft --dim B=1 --budget 10m && weft compile model.weft --dim B=1");
  AddSourceOptions(*command, options->program);
  command->add_option("--method", options->method, "what is run; `forward`, or the only one, if left out");
  command->add_option("--budget", options->budget, "how long to search: 90s, 10m (default), 1h");
  command->add_option("--candidates", options->candidates, "the most to try of one kernel (default 48)")
      ->check(CLI::Range(1, 100000));
  command->add_option("--threads", options->threads, "threads to measure with; one per processor if left out")
      ->check(CLI::Range(1, 1024));
  command->add_option("--store", options->store,
                      "the file of all trials; trials.sqlite in the folder of the cache if left out");
  command->add_option("--report", options->report, "write a page with the curves: OUT.html");
  command->add_option(
      "-o,--output", options->output,
      "the file of schedules; beside the model, with the ending .tuned.schedule, if left out");
  command->callback([&run, options] { run = [options] { return Tune(*options); }; });
}

}  // namespace weft::cli
