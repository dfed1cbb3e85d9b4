#include "compiler/tune/run_program.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "backends/execute/loaded_program.h"
#include "compiler/driver/text_list.h"
#include "runtime/main/load_input.h"
#include "runtime/program.h"

namespace weft::tune {
namespace {

using Clock = std::chrono::steady_clock;
using driver::PackTexts;
using driver::UnpackTexts;

constexpr double kRecordSeconds = 0.5;
constexpr int kFewestRuns = 3;

// ---- The child's program

class RunningProgram {
 public:
  // `fields`: objects, files, method, threads.
  static absl::StatusOr<std::unique_ptr<RunningProgram>> Start(absl::string_view request,
                                                               decltype(&weft_launch) launch) {
    std::vector<std::string> fields = UnpackTexts(request, 4).value();
    auto code =
        backends::LoadedProgram::Load(UnpackTexts(fields[0]).value(), UnpackTexts(fields[1]).value(), launch);
    if (!code.ok()) return code.status();
    auto program = std::unique_ptr<RunningProgram>(new RunningProgram(*std::move(code)));
    if (runtime::Status status = program->Prepare(fields[2], fields[3]); !status.ok())
      return absl::InvalidArgumentError(status.message());
    return program;
  }

  runtime::Status Run() {
    for (weft_tensor& output : outputs_) output = {};
    return program_->Run(*method_, inputs_.data(), inputs_.size(), outputs_.data(), outputs_.size());
  }

 private:
  explicit RunningProgram(backends::LoadedProgram code) : code_(std::move(code)) {}

  runtime::Status Prepare(const std::string& method, const std::string& threads) {
    weft_options options = {};
    options.abi_version = WEFT_ABI_VERSION;
    options.pin_threads = 1;
    options.init_weights = 1;
    options.seed = 1;
    (void)absl::SimpleAtoi(threads, &options.threads);
    auto program = runtime::Program::Create(code_.table(), options);
    if (!program.ok()) return program.status();
    program_ = std::move(*program);
    auto found = program_->FindMethod(method.c_str());
    if (!found.ok()) return found.status();
    method_ = *found;
    for (int32_t i = 0; i < method_->input_count; ++i) {
      auto tensor = runtime::RandomInput(code_.table(), method_->inputs[i], static_cast<uint64_t>(i) + 1);
      if (!tensor.ok()) return tensor.status();
      tensors_.push_back(std::move(*tensor));
    }
    for (const runtime::HostTensor& tensor : tensors_) inputs_.push_back(tensor.View());
    outputs_.resize(static_cast<size_t>(method_->output_count));
    return {};
  }

  backends::LoadedProgram code_;
  std::unique_ptr<runtime::Program> program_;
  const runtime::MethodTable* method_ = nullptr;
  std::vector<runtime::HostTensor> tensors_;
  std::vector<weft_tensor> inputs_, outputs_;
};

// ---- What its kernels do

struct Recorder {
  std::map<std::string, KernelInterface, std::less<>> kernels;
  std::map<std::string, KernelUse> uses;
  bool is_on = false;  // not while weights are prepared
};

// The code of a program knows no other place.
Recorder& TheRecorder() {
  static Recorder recorder;
  return recorder;
}

int32_t RecordLaunch(void* context, int32_t launch, runtime::KernelFunction kernel, void* const* buffers,
                     const int64_t* extents) {
  Recorder& recorder = TheRecorder();
  auto* workspace = static_cast<runtime::Workspace*>(context);
  auto known = recorder.kernels.find(absl::string_view(workspace->table->launches[launch].kernel));
  if (!recorder.is_on || known == recorder.kernels.end())
    return weft_launch(context, launch, kernel, buffers, extents);
  const KernelInterface& interface = known->second;
  KernelUse& use = recorder.uses[known->first];
  if (use.launches++ == 0) {
    use.call.extents.assign(extents, extents + ExtentCount(interface));
    std::vector<int64_t> bytes = TensorBytes(interface, extents);
    for (size_t i = 0; i < interface.inputs.size(); ++i)
      use.call.inputs.emplace_back(static_cast<const char*>(buffers[i]), static_cast<size_t>(bytes[i]));
  }
  Clock::time_point start = Clock::now();
  int32_t result = weft_launch(context, launch, kernel, buffers, extents);
  use.seconds += std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

absl::Status RecordRuns(absl::string_view program_request) {
  auto program = RunningProgram::Start(program_request, &RecordLaunch);
  if (!program.ok()) return program.status();
  auto run = [&] {
    runtime::Status status = (*program)->Run();
    return status.ok() ? absl::OkStatus() : absl::InvalidArgumentError(status.message());
  };
  Recorder& recorder = TheRecorder();
  recorder.is_on = true;
  if (absl::Status status = run(); !status.ok()) return status;
  // Of each kernel the run in which others disturbed it least.
  std::map<std::string, KernelUse> least = recorder.uses;
  int runs = 0;
  for (Clock::time_point start = Clock::now();
       runs < kFewestRuns || Clock::now() - start < std::chrono::duration<double>(kRecordSeconds); ++runs) {
    for (auto& [name, use] : recorder.uses) use.seconds = 0;
    if (absl::Status status = run(); !status.ok()) return status;
    for (auto& [name, use] : least) use.seconds = std::min(use.seconds, recorder.uses[name].seconds);
  }
  recorder.uses = std::move(least);
  return absl::OkStatus();
}

std::string ToBytes(const ProgramRun& run) {
  return PackTexts({PackTexts(run.objects), PackTexts(run.files), run.method, absl::StrCat(run.threads)});
}

}  // namespace

std::string RecordRequest(const ProgramRun& run, const std::map<std::string, KernelInterface>& kernels) {
  std::vector<std::string> named;
  for (const auto& [name, interface] : kernels) {
    named.push_back(name);
    named.push_back(tune::ToBytes(interface));
  }
  return PackTexts({"record", ToBytes(run), PackTexts(named)});
}

std::string Record(const std::vector<std::string>& fields) {
  std::vector<std::string> named = UnpackTexts(fields[2]).value();
  for (size_t i = 0; i < named.size(); i += 2) TheRecorder().kernels[named[i]] = InterfaceFrom(named[i + 1]);
  absl::Status status = RecordRuns(fields[1]);
  std::vector<std::string> answer = {std::string(status.message())};
  for (const auto& [name, use] : TheRecorder().uses) {
    answer.push_back(PackTexts({name, absl::StrCat(use.seconds), absl::StrCat(use.launches),
                                tune::ToBytes(use.call.extents), PackTexts(use.call.inputs)}));
  }
  return PackTexts(answer);
}

absl::StatusOr<std::map<std::string, KernelUse>> RecordedUses(absl::string_view answer) {
  std::vector<std::string> fields = UnpackTexts(answer).value();
  if (!fields[0].empty()) return absl::InvalidArgumentError(fields[0]);
  std::map<std::string, KernelUse> uses;
  for (size_t i = 1; i < fields.size(); ++i) {
    std::vector<std::string> parts = UnpackTexts(fields[i], 5).value();
    KernelUse& use = uses[parts[0]];
    (void)absl::SimpleAtod(parts[1], &use.seconds);
    (void)absl::SimpleAtoi(parts[2], &use.launches);
    use.call = {NumbersFrom(parts[3]), UnpackTexts(parts[4]).value()};
  }
  return uses;
}

std::string CompareRequest(const ProgramRun& before, const ProgramRun& after) {
  return PackTexts({"compare", ToBytes(before), ToBytes(after)});
}

std::string Compare(const std::vector<std::string>& fields) {
  auto before = RunningProgram::Start(fields[1], &weft_launch);
  auto after = RunningProgram::Start(fields[2], &weft_launch);
  for (const auto* program : {&before, &after})
    if (!program->ok()) return ToBytes(Rounds{std::string(program->status().message())});
  return ToBytes(RunRounds([&] { return (*before)->Run().ok(); }, [&] { return (*after)->Run().ok(); }));
}

}  // namespace weft::tune
