#include "compiler/tune/run_kernel.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "backends/execute/loaded_kernel.h"
#include "compiler/driver/test_fault.h"
#include "compiler/driver/text_list.h"
#include "runtime/buffer.h"
#include "runtime/thread_pool.h"

namespace weft::tune {
namespace {

using backends::LoadedKernel;
using driver::PackTexts;
using driver::UnpackTexts;

constexpr int64_t kEdge = 256;  // bytes behind every result that must stay as they are
constexpr char kEdgeByte = 0x5a;

std::string ToBytes(const KernelTask& task) {
  std::vector<int64_t> weights(task.is_weight.begin(), task.is_weight.end());
  return PackTexts({tune::ToBytes(task.interface), tune::ToBytes(task.call.extents),
                    PackTexts(task.call.inputs), tune::ToBytes(weights),
                    tune::ToBytes(std::vector{task.weight_bytes, task.threads})});
}

KernelTask TaskFrom(absl::string_view bytes) {
  std::vector<std::string> fields = UnpackTexts(bytes, 5).value();
  std::vector<int64_t> weights = NumbersFrom(fields[3]), numbers = NumbersFrom(fields[4]);
  return {InterfaceFrom(fields[0]),
          {NumbersFrom(fields[1]), UnpackTexts(fields[2]).value()},
          {weights.begin(), weights.end()},
          numbers[0],
          numbers[1]};
}

// The memory of a call.
class Buffers {
 public:
  explicit Buffers(const KernelTask& task) : task_(task) {
    std::vector<int64_t> bytes = TensorBytes(task.interface, task.call.extents.data());
    size_t inputs = task.interface.inputs.size();
    int64_t weights = 0;
    for (size_t i = 0; i < inputs; ++i) weights += IsWeight(i) ? bytes[i] : 0;
    size_t copies =
        weights > 0 ? static_cast<size_t>(std::clamp<int64_t>(task.weight_bytes / weights, 1, 4096)) : 1;
    result_bytes_.assign(bytes.begin() + static_cast<int64_t>(inputs), bytes.end());
    std::vector<char*> results;
    for (int64_t size : result_bytes_) {
      results.push_back(Reserve(size + kEdge));
      std::memset(results.back(), kEdgeByte, static_cast<size_t>(size + kEdge));
    }
    std::vector<char*> shared(inputs);
    for (size_t copy = 0; copy < copies; ++copy) {
      std::vector<void*>& call = calls_.emplace_back();
      for (size_t i = 0; i < inputs; ++i) {
        if (copy == 0 || IsWeight(i)) {
          shared[i] = Reserve(bytes[i]);
          std::memcpy(shared[i], task.call.inputs[i].data(), task.call.inputs[i].size());
        }
        call.push_back(shared[i]);
      }
      call.insert(call.end(), results.begin(), results.end());
    }
  }

  // Of the next call.
  void* const* Next() { return calls_[next_++ % calls_.size()].data(); }

  absl::string_view Result(size_t i) const {
    return {static_cast<const char*>(calls_[0][task_.interface.inputs.size() + i]),
            static_cast<size_t>(result_bytes_[i])};
  }
  // Whether nothing was written behind it.
  bool EdgeIsIntact(size_t i) const {
    const char* end = Result(i).data() + result_bytes_[i];
    return std::all_of(end, end + kEdge, [](char byte) { return byte == kEdgeByte; });
  }

 private:
  bool IsWeight(size_t input) const { return input < task_.is_weight.size() && task_.is_weight[input]; }

  char* Reserve(int64_t bytes) {
    (void)memory_.emplace_back().Reserve(std::max<int64_t>(bytes, 1));
    return memory_.back().data();
  }

  const KernelTask& task_;
  std::vector<runtime::Buffer> memory_;
  std::vector<int64_t> result_bytes_;
  std::vector<std::vector<void*>> calls_;  // pointers of inputs, then of results
  size_t next_ = 0;
};

// The challenger's results beside the reference's; empty: they agree.
std::string Verify(const KernelTask& task, const Buffers& buffers, const std::vector<std::string>& reference,
                   bool is_candidate) {
  for (size_t i = 0; i < task.interface.results.size(); ++i) {
    std::string result(buffers.Result(i));
    if (is_candidate && driver::IsToldToFail("candidate", "wrong") && !result.empty()) result.back() ^= 0x7f;
    if (!buffers.EdgeIsIntact(i)) return absl::StrCat("wrong: it wrote behind result ", i);
    std::string difference = Difference(task.interface.results[i].type, result, reference[i]);
    if (!difference.empty()) return absl::StrCat("wrong: in result ", i, " ", difference);
  }
  return "";
}

Rounds MeasureLoaded(const KernelTask& task, Buffers& buffers, const std::vector<std::string>& reference,
                     const LoadedKernel& incumbent, const LoadedKernel& challenger, bool is_candidate) {
  auto run = [&](const LoadedKernel& kernel) {
    return kernel.Run(buffers.Next(), task.call.extents.data()) == 0;
  };
  if (is_candidate) driver::FailIfTold("candidate");
  if (!run(challenger)) return {"it reported an error"};
  if (std::string problem = Verify(task, buffers, reference, is_candidate); !problem.empty())
    return {problem};
  int times = is_candidate && driver::IsToldToFail("incumbent", "slow") ? 8 : 1;
  return RunRounds(
      [&] {
        bool good = true;
        for (int i = 0; i < times; ++i) good &= run(incumbent);
        return good;
      },
      [&] { return run(challenger); });
}

}  // namespace

std::string ReferenceRequest(const KernelTask& task, absl::string_view object) {
  return PackTexts({"reference", ToBytes(task), std::string(object)});
}

std::string ComputeReference(const std::vector<std::string>& fields) {
  KernelTask task = TaskFrom(fields[1]);
  Buffers buffers(task);
  auto kernel = LoadedKernel::Load(fields[2], kKernelSymbol);
  if (!kernel.ok() || kernel->Run(buffers.Next(), task.call.extents.data()) != 0) return "";
  std::vector<std::string> results;
  for (size_t i = 0; i < task.interface.results.size(); ++i) results.emplace_back(buffers.Result(i));
  return PackTexts(results);
}

std::vector<std::string> ReferenceResults(absl::string_view answer) {
  return UnpackTexts(answer).value_or(std::vector<std::string>());
}

std::string MeasureRequest(const KernelTask& task, const std::vector<std::string>& reference,
                           absl::string_view incumbent, absl::string_view challenger) {
  return PackTexts(
      {"measure", ToBytes(task), PackTexts(reference), std::string(incumbent), std::string(challenger)});
}

std::string Measure(const std::vector<std::string>& fields) {
  KernelTask task = TaskFrom(fields[1]);
  std::vector<std::string> reference = UnpackTexts(fields[2]).value();
  Buffers buffers(task);
  int threads = task.threads > 0 ? static_cast<int>(task.threads) : runtime::ThreadPool::ProcessorCount();
  runtime::ThreadPool pool(threads, true);
  auto incumbent = LoadedKernel::Load(fields[3], kKernelSymbol, &pool);
  auto challenger = LoadedKernel::Load(fields[4], kKernelSymbol, &pool);
  for (const auto* kernel : {&incumbent, &challenger})
    if (!kernel->ok()) return ToBytes(Rounds{std::string(kernel->status().message())});
  const bool is_candidate = fields[3] != fields[4];  // not the default by itself
  pool.Begin();
  Rounds rounds = MeasureLoaded(task, buffers, reference, *incumbent, *challenger, is_candidate);
  pool.End();
  return ToBytes(rounds);
}

}  // namespace weft::tune
