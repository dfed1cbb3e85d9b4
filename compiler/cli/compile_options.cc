#include "compiler/cli/compile_options.h"

#include <unistd.h>

#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "compiler/cli/report.h"

namespace weft::cli {

namespace {

bool ReadDimensions(const std::vector<std::string>& texts, std::map<std::string, int64_t>* dims) {
  for (const std::string& text : texts) {
    size_t equal = text.find('=');
    int64_t number = 0;
    if (equal == std::string::npos || !absl::SimpleAtoi(text.substr(equal + 1), &number)) {
      Fail(absl::StrCat("`--dim ", text, "` is not NAME=NUMBER"));
      return false;
    }
    if (!dims->emplace(text.substr(0, equal), number).second) {
      Fail(absl::StrCat("`--dim` is given twice for `", text.substr(0, equal), "`"));
      return false;
    }
  }
  return true;
}

constexpr char kClearLine[] = "\r\033[K";
constexpr char kNoSchedule[] = "none";  // in place of a file

// One line, rewritten in place.
void ShowProgress(size_t done, size_t all, const std::string& name) {
  std::fprintf(stderr, "%s[%zu/%zu] %.50s%s", kClearLine, done, all, name.c_str(),
               done == all ? kClearLine : "");
  std::fflush(stderr);
}

// What is wrong with a tolerance; empty: nothing.
std::string ToleranceProblem(const std::string& text) {
  double tolerance = 0;
  bool is_good = absl::SimpleAtod(text, &tolerance) && tolerance >= 0 && tolerance < 1;
  return is_good ? "" : absl::StrCat("`", text, "` is not a number from 0 to 1");
}

}  // namespace

std::vector<CLI::Option*> AddEntryOptions(CLI::App& command, ProgramOptions& options) {
  return {
      command.add_option("--entry", options.entry, "which entry, where the file has several"),
      command.add_option("--dim", options.dims, "fix a dimension: NAME=NUMBER; may be repeated")
          ->allow_extra_args(false),
      command
          .add_option("--without", options.without,
                      "leave out a pass that only saves work; may be repeated, a wrong name lists them")
          ->allow_extra_args(false),
      command
          .add_option(
              "--tolerance", options.tolerance,
              "the error that 3x3 convolutions may have for speed, as a share of their largest result: 1e-4")
          ->type_name("NUMBER")
          ->check(CLI::Validator(ToleranceProblem, "")),
      command
          .add_option("--link", options.linked,
                      "object, archive or shared library with ops in C; may be repeated")
          ->type_name("FILE")
          ->allow_extra_args(false),
  };
}

void AddSourceOptions(CLI::App& command, ProgramOptions& options) {
  command.add_option("FILE", options.file, "the model file")->required();
  AddEntryOptions(command, options);
}

std::vector<CLI::Option*> AddTargetOptions(CLI::App& command, ProgramOptions& options) {
  options.is_scheduled = true;
  return {
      command.add_option("--target", options.target,
                         "CPU[+feature...]: host, x86-64-v2, x86-64-v3, x86-64-v4"),
      command.add_option("--backend", options.backend, "halide, or the plain reference loops")
          ->check(CLI::IsMember({"halide", "loops"})),
      command.add_option("--schedule", options.schedule,
                         "a file of `schedule` blocks, as --emit schedule prints them, in place of "
                         "MODEL.tuned.schedule; `none` leaves that out"),
      command.add_flag("--no-cache", options.no_cache, "compile everything anew and keep nothing"),
  };
}

void AddProgramOptions(CLI::App& command, ProgramOptions& options) {
  AddSourceOptions(command, options);
  AddTargetOptions(command, options);
}

std::optional<dsl::Program> LoadProgram(const ProgramOptions& options, driver::SourceProgram& source) {
  std::map<std::string, int64_t> dims;
  if (!ReadDimensions(options.dims, &dims) || !LoadOrReport(source, options.file)) return std::nullopt;
  std::optional<dsl::Program> program = source.Elaborate(options.entry, dims);
  if (options.is_scheduled && options.schedule.empty()) {
    source.LoadTunedSchedules();
  } else if (options.is_scheduled && options.schedule != kNoSchedule &&
             !source.LoadSchedules(options.schedule)) {
    Fail(absl::StrCat("cannot read `", options.schedule, "`"));
    return std::nullopt;
  }
  if (PrintDiagnostics(source)) return std::nullopt;
  return program;
}

driver::CompileOptions MakeCompileOptions(const ProgramOptions& options, driver::SourceProgram& source) {
  driver::CompileOptions made;
  made.target = options.target;
  made.backend = options.backend == "loops" ? driver::Backend::kLoops : driver::Backend::kHalide;
  made.without = options.without;
  made.tolerance = options.tolerance;
  made.schedules = source.schedules();
  made.linked = options.linked;
  if (!options.no_cache) made.kernels.cache = cache::ObjectCache::Default();
  if (::isatty(2)) made.kernels.progress = ShowProgress;
  const char* start = ::isatty(2) ? kClearLine : "";
  made.kernels.note = [start](const std::string& text) {
    std::fprintf(stderr, "%snote: %s\n", start, text.c_str());
  };
  return made;
}

}  // namespace weft::cli
