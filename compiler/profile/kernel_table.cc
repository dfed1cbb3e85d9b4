#include "compiler/profile/kernel_table.h"

#include <algorithm>
#include <functional>
#include <set>

#include "absl/strings/str_cat.h"
#include "compiler/profile/launch_work.h"

namespace weft::profile {
namespace {

using Sum = std::optional<double>;

void Add(Sum& sum, const Sum& more) { sum = sum && more ? Sum(*sum + *more) : std::nullopt; }

void Add(Totals& totals, const Totals& more) {
  Add(totals.calls, more.calls);
  Add(totals.flops, more.flops);
  Add(totals.bytes, more.bytes);
  Add(totals.limit, more.limit);
  Add(totals.measured, more.measured);
}

Totals Zero() { return {0, 0, 0, 0, 0, false}; }

// Of a tensor whose run-time sizes, as far as it has some, begin at `next`, which is moved behind them.
Sum BytesOf(const KernelTensor& tensor, const std::vector<int64_t>& sizes, size_t& next) {
  double bytes = static_cast<double>(tensor.element_bytes);
  bool known = true;
  for (int64_t size : tensor.shape) {
    if (size < 0) {
      known &= next < sizes.size();
      if (known) size = sizes[next++];
    }
    bytes *= static_cast<double>(size);
  }
  return known ? Sum(bytes) : std::nullopt;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

// What a profile says of the launches of one method.
struct Measured {
  struct Calls {
    std::vector<double> seconds;                     // of each run, in all calls
    std::map<std::vector<int64_t>, int64_t> counts;  // by the sizes, in all runs
  };
  std::map<int32_t, Calls> launches;
  std::vector<double> runs;  // seconds
};

std::map<std::string, Measured> MeasuredIn(const Trace& trace) {
  std::map<std::string, Measured> methods;
  for (const TraceRun& run : trace.runs) {
    Measured& method = methods[run.method];
    method.runs.push_back(run.seconds);
    for (const TraceLaunch& launch : run.launches) {
      Measured::Calls& calls = method.launches[launch.number];
      calls.seconds.resize(method.runs.size());
      calls.seconds.back() += launch.seconds;
      ++calls.counts[launch.sizes];
    }
  }
  for (auto& [name, method] : methods)
    for (auto& [number, calls] : method.launches) calls.seconds.resize(method.runs.size());
  return methods;
}

class Maker {
 public:
  Maker(LaunchWork work, const MachineLimits& limits) : work_(std::move(work)), limits_(limits) {}

  MethodTable Make(MethodKernels kernels, const Measured* measured) {
    MethodTable table{kernels.method, kernels.sizes, {}, {}, Zero(), {}};
    // Hot sizes have code of their own: a profile is about that which ran.
    auto ran = [&](const Launch& launch) { return measured && measured->launches.contains(launch.number); };
    if (!std::any_of(kernels.launches.begin(), kernels.launches.end(), ran)) measured = nullptr;
    double weights = WeightBytes(kernels);
    std::map<std::string, size_t> rows;
    for (Launch& launch : kernels.launches) {
      auto [row, is_new] = rows.try_emplace(launch.kernel, table.kernels.size());
      if (is_new) table.kernels.push_back({{}, Zero()});
      KernelRow& kernel = table.kernels[row->second];
      kernel.launches.push_back(table.launches.size());
      table.launches.push_back(TotalsOf(std::move(launch), measured, weights));
      const Totals& totals = table.launches.back().totals;
      kernel.totals.moving = totals.moving;
      Add(kernel.totals, totals);
      Add(table.totals, totals);
    }
    if (measured) table.run_seconds = Median(measured->runs);
    return table;
  }

 private:
  // Of all weights that a run reads: they stay where all of them fit.
  double WeightBytes(const MethodKernels& kernels) {
    double bytes = 0;
    std::set<std::string> seen;
    for (const Launch& launch : kernels.launches)
      for (const Operand& operand : launch.operands)
        if (operand.kind == Operand::Kind::kWeight && seen.insert(operand.name).second)
          bytes += WeightBytes(operand.tensor);
    return bytes;
  }

  // All its sizes are numbers.
  static double WeightBytes(const KernelTensor& weight) {
    size_t next = 0;
    return BytesOf(weight, {}, next).value_or(0);
  }

  LaunchTotals TotalsOf(Launch launch, const Measured* measured, double weights) {
    LaunchTotals made{std::move(launch), Zero(), {}};
    made.operand_bytes.resize(made.launch.operands.size(), 0);
    if (!measured) {
      AddCalls(made, {}, made.launch.calls, weights);
      made.totals.measured = std::nullopt;
      return made;
    }
    auto calls = measured->launches.find(made.launch.number);
    if (calls == measured->launches.end()) return made;
    for (const auto& [sizes, count] : calls->second.counts) {
      double in_one_run = static_cast<double>(count) / static_cast<double>(measured->runs.size());
      AddCalls(made, sizes, in_one_run, weights);
    }
    made.totals.measured = Median(calls->second.seconds);
    return made;
  }

  // Weights come from where all weights of the method fit, operands and results from where they fit together.
  void AddCalls(LaunchTotals& to, const std::vector<int64_t>& sizes, const Sum& count, double weights) {
    auto times = [&](const Sum& value) { return value && count ? Sum(*value * *count) : std::nullopt; };
    const Launch& launch = to.launch;
    size_t next = 0;
    Sum of_weights = 0.0, of_others = 0.0;
    for (size_t i = 0; i < launch.operands.size(); ++i) {
      Sum bytes = BytesOf(launch.operands[i].tensor, sizes, next);
      Add(launch.operands[i].kind == Operand::Kind::kWeight ? of_weights : of_others, bytes);
      Add(to.operand_bytes[i], times(bytes));
    }
    for (const KernelTensor& result : launch.results) Add(of_others, BytesOf(result, sizes, next));
    Sum bytes = of_weights, flops = work_.Flops(launch.number, sizes), limit;
    Add(bytes, of_others);
    if (flops && bytes) {
      const Reached& reached = launch.parallel.empty() ? limits_.one : limits_.all;
      double computing = *flops / reached.flops;
      double moving = *of_weights / reached.SpeedOf(weights) + *of_others / reached.SpeedOf(*of_others);
      to.totals.moving = moving >= computing;
      limit = std::max(computing, moving);
    }
    Add(to.totals, {count, times(flops), times(bytes), times(limit), Sum(0), false});
  }

  LaunchWork work_;
  const MachineLimits& limits_;
};

// Every launch of the profile must be one of the program.
absl::Status CheckSame(const Trace& trace, const std::string& entry,
                       const std::vector<MethodKernels>& methods) {
  std::map<int32_t, const Launch*> known;
  for (const MethodKernels& method : methods)
    for (const Launch& launch : method.launches) known[launch.number] = &launch;
  for (const TraceRun& run : trace.runs) {
    for (const TraceLaunch& launch : run.launches) {
      auto found = known.find(launch.number);
      if (found == known.end() || found->second->kernel != launch.kernel ||
          found->second->name != launch.name)
        return absl::InvalidArgumentError(absl::StrCat(
            "it is of another program than `", entry, "` as it is compiled now: that has no launch ",
            launch.number, " of kernel `", launch.kernel, "` for `", launch.name, "`"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KernelTable> MakeKernelTable(const driver::ExplainedProgram& explained,
                                            const dsl::Program& program, const dsl::SourceManager& sources,
                                            const MachineLimits& limits, const Trace* trace) {
  auto view = backends::ViewProgram(*explained.scheduled.module);
  if (!view.ok()) return view.status();
  std::vector<MethodKernels> methods = KernelsOfProgram(explained.scheduled, *view, program, sources);
  std::map<std::string, Measured> measured;
  if (trace) {
    if (absl::Status same = CheckSame(*trace, program.entry, methods); !same.ok()) return same;
    measured = MeasuredIn(*trace);
  }
  KernelTable table{program.file, program.entry, limits, {}};
  Maker maker(LaunchWork(explained, *view), limits);
  for (MethodKernels& method : methods) {
    auto found = measured.find(method.method);
    table.methods.push_back(
        maker.Make(std::move(method), found == measured.end() ? nullptr : &found->second));
  }
  return table;
}

}  // namespace weft::profile
