#include "compiler/driver/compile.h"

#include <algorithm>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/host/emit_host.h"
#include "backends/host/link.h"
#include "compiler/driver/check_fusion.h"
#include "compiler/driver/embed_weights.h"
#include "compiler/driver/externs.h"
#include "compiler/driver/kept_program.h"
#include "compiler/driver/kernel_fault.h"
#include "compiler/driver/packings.h"
#include "compiler/driver/pass_words.h"
#include "compiler/ir/variant.h"
#include "compiler/lower/lower.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "passes/pipeline/pipeline.h"
#include "runtime/nearest_name.h"

namespace weft::driver {

namespace {

std::string TextOf(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, mlir::OpPrintingFlags());
  return text + "\n";
}

// Catches what MLIR says is wrong, instead of printing it.
class Problems {
 public:
  explicit Problems(mlir::MLIRContext& context)
      : handler_(&context, [this](mlir::Diagnostic& diagnostic) {
          bool is_remark = diagnostic.getSeverity() == mlir::DiagnosticSeverity::Remark;
          if (is_remark) remarks_.push_back({PlaceOf(diagnostic.getLocation()), diagnostic.str()});
          if (!is_remark && first_.empty()) first_ = diagnostic.str();
          return mlir::success();
        }) {}
  const std::string& first() const { return first_; }
  std::vector<Remark> TakeRemarks() { return std::move(remarks_); }

 private:
  static std::string PlaceOf(mlir::Location location) {
    std::string place;
    location->walk([&](mlir::Location inner) {
      auto line = mlir::dyn_cast<mlir::FileLineColLoc>(inner);
      if (!line) return mlir::WalkResult::advance();
      place = absl::StrCat(line.getFilename().str(), ":", line.getLine(), ":", line.getColumn());
      return mlir::WalkResult::interrupt();
    });
    return place;
  }

  std::string first_;
  std::vector<Remark> remarks_;
  mlir::ScopedDiagnosticHandler handler_;
};

// The module behind the passes, or behind options.after.
absl::StatusOr<mlir::OwningOpRef<mlir::ModuleOp>> MakeModule(
    const dsl::Program& program, const dsl::SourceManager& sources, const CompileOptions& options,
    const backends::Target& target, mlir::MLIRContext& context, std::vector<Remark>* remarks = nullptr) {
  std::vector<std::string> names = passes::PassNames();
  if (!options.after.empty() && options.after != "lower" &&
      std::find(names.begin(), names.end(), options.after) == names.end()) {
    names.insert(names.begin(), "lower");
    return absl::NotFoundError(absl::StrCat("there is no pass or stage `", options.after, "`",
                                            runtime::Suggestion(options.after, names), "\nthere are ",
                                            absl::StrJoin(names, ", ")));
  }
  std::vector<std::string> optional = passes::OptionalPasses();
  for (const std::string& pass : options.without)
    if (std::find(optional.begin(), optional.end(), pass) == optional.end())
      return absl::NotFoundError(absl::StrCat("`", pass, "` is no pass that can be left out",
                                              runtime::Suggestion(pass, optional), "\nthere are ",
                                              absl::StrJoin(optional, ", ")));
  Problems problems(context);
  mlir::OwningOpRef<mlir::ModuleOp> module = [&] {
    TimedPhase phase(options.kernels.timing, "lowering");
    return lower::Lower(program, sources, context);
  }();
  if (options.emit == Emit::kIr && options.after == "lower") return module;
  TimedPhase phase(options.kernels.timing, "passes");
  SetPassWords(*module, program, options.schedules);
  passes::PipelineOptions passes_options;
  passes_options.tolerance = options.tolerance;
  passes_options.target = backends::ForPasses(target);
  passes_options.without = options.without;
  passes_options.explain = remarks != nullptr;
  if (options.emit == Emit::kIr) passes_options.after = options.after;
  mlir::PassManager manager(&context);
#ifdef NDEBUG
  manager.enableVerifier(false);  // once at the end; weft-opt does it behind every pass
#endif
  passes::BuildPipeline(manager, passes_options);
  if (mlir::failed(manager.run(*module)) || mlir::failed(mlir::verify(*module))) {
    return absl::InternalError(absl::StrCat("a pass failed: ", problems.first()));
  }
  if (remarks) *remarks = problems.TakeRemarks();
  return module;
}

std::string AllCode(const std::vector<Kernel>& kernels) {
  std::string text;
  for (const Kernel& kernel : kernels)
    absl::StrAppend(&text, "# kernel ", kernel.name, "\n", kernel.code, "\n");
  return text;
}

// Host code, then the kernels.
absl::StatusOr<std::vector<std::string>> MakeObjects(mlir::ModuleOp module,
                                                     const std::vector<Kernel>& kernels,
                                                     const backends::Target& target,
                                                     backends::HostOptions host) {
  std::vector<std::string> objects(1);
  std::set<std::string> defined;
  for (const Kernel& kernel : kernels) {
    host.kernel_symbols[kernel.name] = kernel.symbol;
    if (defined.insert(kernel.symbol).second) objects.push_back(kernel.code);
  }
  absl::StatusOr<std::string> host_object = backends::EmitHost(module, target, host);
  if (!host_object.ok()) return host_object.status();
  objects[0] = std::move(*host_object);
  return objects;
}

absl::StatusOr<backends::Linked> Link(const std::vector<std::string>& objects, const CompileOptions& options,
                                      const std::string& prefix, bool sanitize) {
  const std::vector<std::string>& files = options.linked;
  if (options.emit == Emit::kExecutable) return backends::LinkExecutable(objects, files, sanitize);
  std::vector<std::string> exports = backends::LibraryFunctions(prefix);
  if (options.emit == Emit::kSharedLibrary)
    return backends::LinkSharedLibrary(objects, files, exports, sanitize);
  if (options.emit == Emit::kArchive) return backends::LinkArchive(objects, files, exports);
  return backends::LinkObject(objects, files, exports);
}

KernelSettings SettingsOf(const CompileOptions& options, const backends::Target& target) {
  KernelSettings settings{target, options.backend, KernelOutput::kObject};
  if (options.emit == Emit::kStmt) settings.output = KernelOutput::kStmt;
  if (options.emit == Emit::kAssembly) settings.output = KernelOutput::kAssembly;
  return settings;
}

size_t CountLaunches(mlir::ModuleOp module) {
  size_t count = 0;
  module.walk([&](ir::LaunchOp) { ++count; });
  return count;
}

// Compiles all kernels. A fault of the compiler is reported, and that a kernel cannot be compiled as the user
// has scheduled it; false then.
absl::StatusOr<bool> CompileOrReport(std::vector<Kernel>& kernels, const KernelSettings& settings,
                                     ForkServer& server, const KernelOptions& options,
                                     const dsl::SourceManager& sources, dsl::Diagnostics& diagnostics) {
  auto fault = CompileKernels(kernels, settings, server, options);
  for (const Kernel& kernel : kernels) {
    if (kernel.problem.ok() || !kernel.has_own_schedule) continue;
    diagnostics.Report(kernel.schedule_place, dsl::kIllegalSchedule,
                       absl::StrCat("the back end refuses this: ", std::string(kernel.problem.message())));
    return false;
  }
  if (!fault.ok()) return fault.status();
  if (*fault) ReportFault(kernels[(*fault)->kernel], (*fault)->end, sources, diagnostics);
  return !fault->has_value();
}

// Says how many kernels have schedules that were found for them, and from which file.
void NoteTuned(const std::vector<Kernel>& kernels, const dsl::SourceManager& sources,
               const KernelOptions& options) {
  auto is_tuned = [](const Kernel& kernel) { return kernel.is_tuned; };
  auto first = std::find_if(kernels.begin(), kernels.end(), is_tuned);
  if (first == kernels.end() || !options.note) return;
  auto count = std::count_if(first, kernels.end(), is_tuned);
  options.note(absl::StrCat("tuned schedules of ", count, count == 1 ? " kernel" : " kernels", ", of ",
                            sources.file(first->schedule_place.file).name()));
}

// The program of compiled kernels.
absl::StatusOr<Compiled> LinkProgram(mlir::ModuleOp module, const std::vector<Kernel>& kernels,
                                     const backends::Target& target, const CompileOptions& options) {
  Timing* timing = options.kernels.timing;
  backends::HostOptions host;
  EmbeddedFile embedded;
  if (!options.embedded_weights.empty()) {
    TimedPhase phase(timing, "weights");
    absl::StatusOr<std::vector<std::string>> objects = MakeObjects(module, kernels, target, host);
    if (!objects.ok()) return objects.status();
    absl::StatusOr<backends::Linked> packer =
        backends::LinkExecutable(*objects, options.linked, target.sanitize_address);
    if (!packer.ok()) return packer.status();
    if (absl::Status status = embedded.Pack(packer->bytes, options.embedded_weights); !status.ok())
      return status;
    host.embedded = &embedded.weights();
  }
  if (options.emit != Emit::kExecutable) host.library_prefix = backends::LibraryPrefix(module);
  absl::StatusOr<std::vector<std::string>> objects = [&] {
    TimedPhase phase(timing, "host code");
    return MakeObjects(module, kernels, target, host);
  }();
  if (!objects.ok()) return objects.status();
  TimedPhase phase(timing, "linking");
  absl::StatusOr<backends::Linked> linked =
      Link(*objects, options, host.library_prefix, target.sanitize_address);
  if (!linked.ok()) return linked.status();
  std::string header =
      options.emit == Emit::kExecutable ? "" : backends::LibraryHeader(module, host.library_prefix);
  bool is_lasting = std::none_of(kernels.begin(), kernels.end(),
                                 [](const Kernel& kernel) { return kernel.ran_into_limit; });
  return Compiled{std::move(linked->bytes), std::move(header), std::move(linked->files), is_lasting};
}

// FILE:LINE:COLUMN.
std::string PlaceOf(dsl::Span span, const dsl::SourceManager& sources) {
  const dsl::SourceFile& file = sources.file(span.file);
  dsl::LineColumn place = file.Locate(span.begin);
  return absl::StrCat(file.name(), ":", place.line, ":", place.column);
}

// Which methods have code of their own for hot sizes.
std::vector<Remark> VariantRemarks(mlir::ModuleOp module, const dsl::Program& program,
                                   const dsl::SourceManager& sources) {
  std::vector<Remark> remarks;
  dsl::Span span;
  for (const dsl::Dimension& dimension : program.dimensions)
    if (!span.valid()) span = dimension.hot_span;
  if (!span.valid()) return remarks;
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    std::string method = ir::VariantOf(function).str();
    if (method.empty()) continue;
    remarks.push_back({PlaceOf(span, sources), absl::StrCat("`", method, "` has code of its own for ",
                                                            ir::VariantSizes(function, " = ", ", "))});
  }
  return remarks;
}

// What was found for which kernel.
void AddTunedRemarks(const std::vector<Kernel>& kernels, const dsl::SourceManager& sources,
                     std::vector<Remark>& remarks) {
  for (const Kernel& kernel : kernels) {
    if (!kernel.is_tuned) continue;
    remarks.push_back(
        {PlaceOf(kernel.schedule_place, sources),
         absl::StrCat("`", kernel.schedule.equations.back().path, "` has this tuned schedule")});
  }
}

absl::Status Reported() { return absl::AbortedError("reported as a diagnostic"); }

absl::StatusOr<ScheduledProgram> Schedule(mlir::OwningOpRef<mlir::ModuleOp> module,
                                          const dsl::Program& program, const CompileOptions& options,
                                          const backends::Target& target, dsl::Diagnostics& diagnostics) {
  std::vector<Kernel> kernels = KernelsOf(*module, target);
  BindSchedules(kernels, *module, program, target, options.schedules, diagnostics);
  CheckFusion(*module, program, options.schedules, diagnostics);
  CheckPackings(*module, program, options.schedules, diagnostics);
  if (diagnostics.has_errors()) return Reported();
  return ScheduledProgram{std::move(module), std::move(kernels)};
}

absl::StatusOr<Compiled> CompileAnew(const dsl::Program& program, const dsl::SourceManager& sources,
                                     const CompileOptions& options, const backends::Target& target,
                                     dsl::Diagnostics& diagnostics) {
  KernelSettings settings = SettingsOf(options, target);
  std::unique_ptr<ForkServer> server = StartKernelServer(settings);
  mlir::MLIRContext context;
  auto module = MakeModule(program, sources, options, target, context);
  if (!module.ok()) return module.status();
  if (options.emit == Emit::kIr) return Compiled{TextOf(**module)};

  absl::StatusOr<ScheduledProgram> scheduled =
      Schedule(*std::move(module), program, options, target, diagnostics);
  if (!scheduled.ok()) return scheduled.status();
  std::vector<Kernel>& kernels = scheduled->kernels;
  if (options.emit == Emit::kSchedule) return Compiled{PrintSchedules(kernels)};
  NoteTuned(kernels, sources, options.kernels);
  auto good = CompileOrReport(kernels, settings, *server, options.kernels, sources, diagnostics);
  if (Timing* timing = options.kernels.timing)
    timing->identical = CountLaunches(*scheduled->module) - timing->compiled - timing->from_cache;
  if (!good.ok()) return good.status();
  if (!*good) return Reported();
  if (IsText(options.emit)) return Compiled{AllCode(kernels)};

  return LinkProgram(*scheduled->module, kernels, target, options);
}

}  // namespace

bool IsText(Emit emit) {
  return emit == Emit::kSchedule || emit == Emit::kIr || emit == Emit::kStmt || emit == Emit::kAssembly;
}

absl::StatusOr<Compiled> Compile(const dsl::Program& program, const dsl::SourceManager& sources,
                                 const CompileOptions& options, dsl::Diagnostics& diagnostics) {
  absl::StatusOr<backends::Target> target = backends::ParseTarget(options.target);
  if (!target.ok()) return target.status();
  // What goes into a larger program may get its ops in C there.
  if (options.emit == Emit::kExecutable || options.emit == Emit::kSharedLibrary) {
    if (absl::Status status = CheckExterns(program, options.linked, diagnostics); !status.ok()) return status;
    if (diagnostics.has_errors()) return Reported();
  }
  KeptProgram kept(program, sources, options, *target);
  if (std::optional<Compiled> found = kept.Find()) return *std::move(found);
  size_t reports = diagnostics.reports().size();
  std::vector<std::string> notes;
  CompileOptions noting = options;
  noting.kernels.note = [&](const std::string& note) {
    notes.push_back(note);
    if (options.kernels.note) options.kernels.note(note);
  };
  absl::StatusOr<Compiled> compiled = CompileAnew(program, sources, noting, *target, diagnostics);
  // What has places in the files, as warnings have, is found again by compiling again.
  if (compiled.ok() && diagnostics.reports().size() == reports) kept.Keep(*compiled, notes);
  return compiled;
}

absl::StatusOr<Work> MeasureWork(const dsl::Program& program, const dsl::SourceManager& sources) {
  absl::StatusOr<backends::Target> target = backends::ParseTarget("host");
  if (!target.ok()) return target.status();
  mlir::MLIRContext context;
  auto module = MakeModule(program, sources, {}, *target, context);
  if (!module.ok()) return module.status();
  Work work;
  (*module)->walk([&](ir::KernelOp) { ++work.kernels; });
  std::map<std::string, double> flops;  // by function
  (*module)->walk([&](ir::LaunchOp launch) {
    auto function = launch->getParentOfType<mlir::func::FuncOp>();
    auto kernel = mlir::SymbolTable::lookupNearestSymbolFrom<ir::KernelOp>(launch, launch.getCalleeAttr());
    auto count = kernel ? kernel->getAttrOfType<mlir::IntegerAttr>("flops") : nullptr;
    if (function && !function.isPrivate() && count)
      flops[function.getSymName().str()] += static_cast<double>(count.getInt());
  });
  for (auto function : (*module)->getOps<mlir::func::FuncOp>()) {
    std::string name = function.getSymName().str();
    if (std::string method = ir::VariantOf(function).str(); !method.empty()) {
      work.variants[method].push_back({ir::VariantSizes(function, " = ", ", "), flops[name]});
    } else if (flops.contains(name)) {
      work.flops[name] = flops[name];
    }
  }
  return work;
}

absl::Status CheckSchedules(const dsl::Program& program, const dsl::SourceManager& sources,
                            const std::vector<ScheduleSource>& schedules, dsl::Diagnostics& diagnostics) {
  absl::StatusOr<backends::Target> target = backends::ParseTarget("host");
  if (!target.ok()) return target.status();
  CompileOptions options;
  options.schedules = schedules;
  mlir::MLIRContext context;
  return ScheduleProgram(program, sources, options, *target, context, diagnostics).status();
}

absl::StatusOr<ScheduledProgram> ScheduleProgram(const dsl::Program& program,
                                                 const dsl::SourceManager& sources,
                                                 const CompileOptions& options,
                                                 const backends::Target& target, mlir::MLIRContext& context,
                                                 dsl::Diagnostics& diagnostics) {
  auto module = MakeModule(program, sources, options, target, context);
  if (!module.ok()) return module.status();
  return Schedule(*std::move(module), program, options, target, diagnostics);
}

absl::StatusOr<ExplainedProgram> ExplainProgram(const dsl::Program& program,
                                                const dsl::SourceManager& sources,
                                                const CompileOptions& options, const backends::Target& target,
                                                mlir::MLIRContext& context, dsl::Diagnostics& diagnostics) {
  std::vector<Remark> remarks;
  auto module = MakeModule(program, sources, options, target, context, &remarks);
  if (!module.ok()) return module.status();
  std::vector<Remark> once = VariantRemarks(**module, program, sources);
  // A pass that runs twice says what it leaves twice.
  for (Remark& remark : remarks) {
    bool known = std::any_of(once.begin(), once.end(), [&](const Remark& other) {
      return other.place == remark.place && other.text == remark.text;
    });
    if (!known) once.push_back(std::move(remark));
  }
  auto scheduled = Schedule(*std::move(module), program, options, target, diagnostics);
  if (!scheduled.ok()) return scheduled.status();
  AddTunedRemarks(scheduled->kernels, sources, once);
  CompileOptions cut = options;
  cut.emit = Emit::kIr;
  cut.after = "outline";
  auto outlined = MakeModule(program, sources, cut, target, context);
  if (!outlined.ok()) return outlined.status();
  return ExplainedProgram{*std::move(scheduled), *std::move(outlined), std::move(once)};
}

absl::StatusOr<std::vector<std::string>> CompileScheduled(ScheduledProgram& scheduled,
                                                          const KernelSettings& settings, ForkServer& server,
                                                          const KernelOptions& options,
                                                          const dsl::SourceManager& sources,
                                                          dsl::Diagnostics& diagnostics) {
  auto good = CompileOrReport(scheduled.kernels, settings, server, options, sources, diagnostics);
  if (!good.ok()) return good.status();
  if (!*good) return Reported();
  return MakeObjects(*scheduled.module, scheduled.kernels, settings.target, {});
}

absl::StatusOr<std::vector<std::string>> CompileToObjects(const dsl::Program& program,
                                                          const dsl::SourceManager& sources,
                                                          const CompileOptions& options,
                                                          dsl::Diagnostics& diagnostics) {
  absl::StatusOr<backends::Target> target = backends::ParseTarget("host");
  if (!target.ok()) return target.status();
  KernelSettings settings = SettingsOf(options, *target);
  std::unique_ptr<ForkServer> server = StartKernelServer(settings);
  mlir::MLIRContext context;
  auto scheduled = ScheduleProgram(program, sources, options, *target, context, diagnostics);
  if (!scheduled.ok()) return scheduled.status();
  return CompileScheduled(*scheduled, settings, *server, options.kernels, sources, diagnostics);
}

}  // namespace weft::driver
