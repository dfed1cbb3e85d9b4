#include "compiler/tune/tune.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "backends/schedule/default_schedule.h"
#include "compiler/driver/build_identity.h"
#include "compiler/driver/canonical_kernel.h"
#include "compiler/driver/schedules.h"
#include "compiler/tune/child.h"
#include "compiler/tune/recorded_kernels.h"
#include "compiler/tune/run_program.h"
#include "compiler/tune/search.h"
#include "compiler/tune/trial_store.h"
#include "compiler/tune/trials.h"
#include "mlir/IR/MLIRContext.h"
#include "runtime/thread_pool.h"

namespace weft::tune {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr size_t kAtOnce = 2;        // candidates that are compiled side by side
constexpr double kLeastSeconds = 3;  // for a kernel, or it has none at all

class Tuner {
 public:
  Tuner(const dsl::Program& program, const dsl::SourceManager& sources, const TuneOptions& options,
        const backends::Target& target, dsl::Diagnostics& diagnostics)
      : program_(program),
        sources_(sources),
        options_(options),
        settings_{target, driver::Backend::kHalide, driver::KernelOutput::kObject},
        diagnostics_(diagnostics),
        compiler_(driver::StartKernelServer(settings_)),
        runner_(StartRunServer()),
        context_(std::make_unique<mlir::MLIRContext>()),
        threads_(options.threads > 0 ? options.threads : runtime::ThreadPool::ProcessorCount()) {}

  absl::StatusOr<TuneResult> Run() {
    absl::StatusOr<TrialStore> store = TrialStore::Open(options_.store);
    if (!store.ok()) return store.status();
    store_ = &*store;
    auto scheduled = driver::ScheduleProgram(program_, sources_, options_.compile, settings_.target,
                                             *context_, diagnostics_);
    if (!scheduled.ok()) return scheduled.status();
    scheduled_ = &*scheduled;
    ProgramRun before = {{}, options_.compile.linked, options_.method, threads_};
    if (absl::Status status = CompileTo(before.objects); !status.ok()) return status;
    std::vector<EqualKernels> groups;
    if (absl::Status status = Record(before, groups); !status.ok()) return status;
    double left = 0, all = 0;
    for (const EqualKernels& group : groups) left += group.seconds;
    all = left;
    for (const EqualKernels& group : groups) {
      KernelProgress progress;
      progress.name = NameOf(group);
      progress.number = result_.kernels.size() + 1;
      progress.share = group.seconds / std::max(all, 1e-12);
      progress.launches = group.launches;
      // What one kernel does not use, those behind it may.
      double part = SecondsLeft() * group.seconds / std::max(left, 1e-12);
      part = std::min(std::max(part, kLeastSeconds), SecondsLeft());
      auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(part));
      left -= group.seconds;
      if (absl::Status status = TuneGroup(group, deadline, groups.size(), progress); !status.ok())
        return status;
      if (options_.finished) options_.finished(progress, groups.size(), SecondsLeft());
      result_.kernels.push_back(std::move(progress));
    }
    if (absl::Status status = options_.keep(found_); !status.ok()) return status;
    if (result_.scheduled == 0) return result_;
    ProgramRun after = before;
    if (absl::Status status = CompileTo(after.objects); !status.ok()) return status;
    driver::ChildEnd end = Ask(*runner_, CompareRequest(before, after));
    result_.program =
        end.cause.empty() ? RoundsFrom(end.answer) : Rounds{absl::StrCat("its run ", end.cause)};
    return result_;
  }

 private:
  absl::Status CompileTo(std::vector<std::string>& objects) {
    auto compiled = driver::CompileScheduled(*scheduled_, settings_, *compiler_, options_.compile.kernels,
                                             sources_, diagnostics_);
    if (!compiled.ok()) return compiled.status();
    objects = *std::move(compiled);
    return absl::OkStatus();
  }

  absl::Status Record(const ProgramRun& run, std::vector<EqualKernels>& groups) {
    std::map<std::string, KernelInterface> interfaces = TunableKernels(*scheduled_);
    driver::ChildEnd end = Ask(*runner_, RecordRequest(run, interfaces));
    if (!end.cause.empty()) return absl::InternalError(absl::StrCat("running the program ", end.cause));
    auto uses = RecordedUses(end.answer);
    if (!uses.ok()) return uses.status();
    groups = GroupKernels(*scheduled_, *std::move(uses), interfaces, settings_.target, threads_);
    return absl::OkStatus();
  }

  std::string NameOf(const EqualKernels& group) const {
    const driver::Kernel& kernel = scheduled_->kernels[group.members[0]];
    auto path = kernel.op->getAttrOfType<mlir::StringAttr>("path");
    return path ? path.str() : kernel.name;
  }

  double SecondsLeft() const { return options_.seconds - Seconds(Clock::now() - start_).count(); }

  absl::Status TuneGroup(const EqualKernels& group, Clock::time_point deadline, size_t groups,
                         KernelProgress& progress) {
    const driver::Kernel& kernel = scheduled_->kernels[group.members[0]];
    Search search(kernel.op, settings_.target);
    Trials trials(driver::CanonicalText(kernel.op, kernel.schedule).kernel, group.task, *compiler_, *runner_);
    std::deque<Candidate> drawn;
    auto draw = [&](size_t most) {
      while (drawn.size() < most) {
        std::optional<Candidate> next = search.Next();
        if (!next) break;
        drawn.push_back(*std::move(next));
      }
    };
    draw(1);
    if (drawn.empty()) {
      progress.problem = "its schedule leaves no choice";
      return absl::OkStatus();
    }
    // The default by itself: whether it is right, and how long it takes.
    auto base = Try(group, trials, search.incumbent(), search.incumbent(), {}, deadline, progress);
    if (!base.ok()) return base.status();
    if (!*base) return absl::OkStatus();
    progress.seconds = (*base)->first.incumbent_seconds;
    progress.problem = (*base)->problem;
    while (progress.problem.empty() && progress.candidates < options_.most_candidates) {
      draw(static_cast<size_t>(std::min<int64_t>(kAtOnce, options_.most_candidates - progress.candidates)));
      if (drawn.empty()) {
        progress.is_done = true;
        break;
      }
      Candidate candidate = std::move(drawn.front());
      drawn.pop_front();
      auto trial = Try(group, trials, search.incumbent(), candidate, drawn, deadline, progress);
      if (!trial.ok()) return trial.status();
      if (!*trial) break;
      Count(**trial, candidate, progress);
      trials.Forget((*trial)->is_faster ? search.incumbent().text : candidate.text);
      if ((*trial)->is_faster) {
        search.Accept(candidate);
        if (absl::Status status = Use(group, candidate, progress); !status.ok()) return status;
      }
      if (options_.progress) options_.progress(progress, groups, SecondsLeft());
    }
    return absl::OkStatus();
  }

  // From the store, else by measuring. Nothing: it is not in the store, and there is no time.
  absl::StatusOr<std::optional<Trial>> Try(const EqualKernels& group, Trials& trials,
                                           const Candidate& incumbent, const Candidate& challenger,
                                           const std::deque<Candidate>& next, Clock::time_point deadline,
                                           KernelProgress& progress) {
    TrialKey key{group.content,           backends::Describe(settings_.target),
                 driver::BuildIdentity(), threads_,
                 incumbent.text,          challenger.text};
    auto known = store_->Find(key);
    if (!known.ok()) return known.status();
    if (*known) return *std::move(known);
    if (Clock::now() >= deadline) return std::optional<Trial>();
    std::vector<std::string> texts = {incumbent.text, challenger.text};
    for (const Candidate& candidate : next) texts.push_back(candidate.text);
    if (absl::Status status = trials.Compile(texts); !status.ok()) return status;
    auto trial = trials.Run(incumbent.text, challenger.text);
    if (!trial.ok()) return trial.status();
    ++progress.measured;
    // That the default fails may be for a busy machine, and would leave the kernel alone for ever.
    bool is_lasting = trial->problem.empty() || incumbent.text != challenger.text;
    if (is_lasting)
      if (absl::Status status = store_->Keep(key, *trial); !status.ok()) return status;
    return std::optional<Trial>(*std::move(trial));
  }

  static void Count(const Trial& trial, const Candidate& candidate, KernelProgress& progress) {
    ++progress.candidates;
    if (!trial.problem.empty()) ++progress.rejected;
    if (trial.is_faster) {
      progress.gain *= std::min(trial.first.median, trial.second.median);
      progress.accepted.push_back(candidate.change);
    }
    progress.gains.push_back(progress.gain);
  }

  // Gives all kernels of the group the schedule, and the file what was found so far.
  absl::Status Use(const EqualKernels& group, const Candidate& candidate, const KernelProgress& progress) {
    std::string text =
        absl::StrFormat("// %.2f times as fast as the default, which took %.1f us: %s\n", progress.gain,
                        progress.seconds * 1e6, absl::StrJoin(progress.accepted, ", then "));
    for (size_t member : group.members) {
      driver::Kernel& kernel = scheduled_->kernels[member];
      std::string fingerprint = driver::KernelFingerprint(kernel.op, settings_.target);
      backends::Knobs knobs(candidate.setting);
      kernel.schedule = backends::DefaultSchedule(backends::ViewKernel(kernel.op), settings_.target, knobs);
      kernel.has_own_schedule = true;
      absl::StrAppend(&text, driver::PrintSchedule(kernel, fingerprint));
    }
    if (progress.accepted.size() == 1) result_.scheduled += static_cast<int64_t>(group.members.size());
    texts_.resize(progress.number);
    texts_.back() = text;
    found_ = absl::StrJoin(texts_, "");
    return options_.keep(found_);
  }

  const dsl::Program& program_;
  const dsl::SourceManager& sources_;
  const TuneOptions& options_;
  driver::KernelSettings settings_;
  dsl::Diagnostics& diagnostics_;
  // In this order: servers are forked before there are threads.
  std::unique_ptr<driver::ForkServer> compiler_, runner_;
  std::unique_ptr<mlir::MLIRContext> context_;
  int64_t threads_;
  Clock::time_point start_ = Clock::now();
  TrialStore* store_ = nullptr;
  driver::ScheduledProgram* scheduled_ = nullptr;
  std::vector<std::string> texts_;  // by kernel, in the order of their shares
  std::string found_;
  TuneResult result_;
};

}  // namespace

absl::StatusOr<TuneResult> Tune(const dsl::Program& program, const dsl::SourceManager& sources,
                                const TuneOptions& options, dsl::Diagnostics& diagnostics) {
  absl::StatusOr<backends::Target> target = backends::ParseTarget("host");
  if (!target.ok()) return target.status();
  return Tuner(program, sources, options, *target, diagnostics).Run();
}

}  // namespace weft::tune
