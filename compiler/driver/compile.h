#ifndef WEFT_COMPILER_DRIVER_COMPILE_H_
#define WEFT_COMPILER_DRIVER_COMPILE_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "compiler/driver/compile_kernels.h"
#include "compiler/driver/schedules.h"
#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"
#include "dsl/program/program.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace weft::driver {

enum class Emit {
  kExecutable,
  kSharedLibrary,
  kArchive,
  kObject,
  kSchedule,  // the schedules of all kernels, as `schedule` blocks
  kIr,        // the module as text
  kStmt,      // every kernel's loops as the back end has them, for people
  kAssembly,  // every kernel's machine code as text
};
// Whether it is something to read, which goes to the standard output where no file is named.
bool IsText(Emit emit);

// What a pass says of a place in a program.
struct Remark {
  std::string place;  // FILE:LINE:COLUMN
  std::string text;
};

struct CompileOptions {
  Emit emit = Emit::kExecutable;
  Backend backend = Backend::kHalide;
  std::string target = "host";
  std::string after;                 // kIr: the pass or stage to stop behind, `lower` for none; empty: all
  std::vector<std::string> without;  // optional passes to leave out
  // The error that equations may have to which no schedule gives a tolerance of its own, relative to their
  // largest result.
  double tolerance = 0;
  // What replaces parts of the default schedules, later ones on top.
  std::vector<ScheduleSource> schedules;
  // [PREFIX=]FILE as a program takes them; the program then carries these weights inside.
  std::vector<std::string> embedded_weights;
  std::vector<std::string> linked;  // files that have the ops in C
  KernelOptions kernels;
};

struct Compiled {
  std::string bytes;
  std::string header;                     // of libraries: the C header
  std::vector<std::string> linked_files;  // of programs: what the linker read beside our own code
  bool is_lasting = false;                // of programs: would be the same another time
};

// Lowers, optimizes and compiles a program. What has a place in its files is reported to `diagnostics`, and
// the status, not OK, is then of no interest. To be called before this process starts threads.
absl::StatusOr<Compiled> Compile(const dsl::Program& program, const dsl::SourceManager& sources,
                                 const CompileOptions& options, dsl::Diagnostics& diagnostics);

// What a program has to do, launches whose sizes are known when compiling.
struct Work {
  int64_t kernels = 0;                  // compiled functions
  std::map<std::string, double> flops;  // by method, of those launches; an addition, a product, exp: each one
  struct Variant {
    std::string sizes;  // "B = 1, T = 128"
    double flops = 0;
  };
  std::map<std::string, std::vector<Variant>> variants;  // by method: its code for hot sizes
};
absl::StatusOr<Work> MeasureWork(const dsl::Program& program, const dsl::SourceManager& sources);

// A program that is not compiled yet: its module behind the passes, and its kernels with their schedules.
struct ScheduledProgram {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<Kernel> kernels;
};
absl::StatusOr<ScheduledProgram> ScheduleProgram(const dsl::Program& program,
                                                 const dsl::SourceManager& sources,
                                                 const CompileOptions& options,
                                                 const backends::Target& target, mlir::MLIRContext& context,
                                                 dsl::Diagnostics& diagnostics);

// The same, with what the passes say.
struct ExplainedProgram {
  ScheduledProgram scheduled;  // launches keep why their equations are apart, see passes/README.md
  // Its kernels when they were cut, whose bodies are as written; launches stand in the same order.
  mlir::OwningOpRef<mlir::ModuleOp> outlined;
  // Which costs of the equations as written are avoided, and which are not, in the order of the file.
  std::vector<Remark> remarks;
};
// For a context without threads the remarks are the same every time.
absl::StatusOr<ExplainedProgram> ExplainProgram(const dsl::Program& program,
                                                const dsl::SourceManager& sources,
                                                const CompileOptions& options, const backends::Target& target,
                                                mlir::MLIRContext& context, dsl::Diagnostics& diagnostics);

// Its objects, for backends::LoadedProgram. `server` is one that compiles kernels with `settings`.
absl::StatusOr<std::vector<std::string>> CompileScheduled(ScheduledProgram& scheduled,
                                                          const KernelSettings& settings, ForkServer& server,
                                                          const KernelOptions& options,
                                                          const dsl::SourceManager& sources,
                                                          dsl::Diagnostics& diagnostics);

// As Compile, for this machine and to objects (ELF bytes) for backends::LoadedProgram. Of the options it
// takes the back end, the schedules and those about kernels.
absl::StatusOr<std::vector<std::string>> CompileToObjects(const dsl::Program& program,
                                                          const dsl::SourceManager& sources,
                                                          const CompileOptions& options,
                                                          dsl::Diagnostics& diagnostics);

// Reports what Compile would of these schedules, but for what a back end finds. Errors of other kinds come as
// a status.
absl::Status CheckSchedules(const dsl::Program& program, const dsl::SourceManager& sources,
                            const std::vector<ScheduleSource>& schedules, dsl::Diagnostics& diagnostics);

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_COMPILE_H_
