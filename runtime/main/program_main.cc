#include "runtime/main/program_main.h"

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <new>

#include "runtime/atomic_file.h"
#include "runtime/main/arguments.h"
#include "runtime/main/load_input.h"
#include "runtime/main/measure.h"
#include "runtime/main/npy.h"
#include "runtime/main/print.h"
#include "runtime/nearest_name.h"
#include "runtime/profile.h"
#include "runtime/program.h"

namespace weft::runtime {
namespace {

constexpr int kProfiledRuns = 10;

void PrintNote(void*, const char* text) { std::fprintf(stderr, "note: %s\n", text); }

std::vector<std::string> PortNames(const PortTable* ports, int32_t count) {
  std::vector<std::string> names;
  for (int32_t i = 0; i < count; ++i) names.push_back(ports[i].name);
  return names;
}

// The words of the command line must name ports.
Status CheckNames(const char* option, const std::vector<std::pair<std::string, std::string>>& given,
                  const std::vector<std::string>& names, const char* method) {
  for (const auto& [name, value] : given) {
    bool known = false;
    for (const std::string& port : names) known |= port == name;
    if (known) continue;
    std::string list;
    for (const std::string& port : names) list += (list.empty() ? "`" : ", `") + port + "`";
    std::string suggestion = Suggestion(name, names);
    return InvalidArgument(std::string(option) + ": `" + method + "` has no " +
                           (option[2] == 'i' ? "input" : "output") + " `" + name + "`" +
                           (suggestion.empty() ? ", but " + (list.empty() ? "none" : list) : suggestion));
  }
  return {};
}

class Session {
 public:
  Session(const ProgramTable& table, const Arguments& arguments) : table_(table), arguments_(arguments) {}

  Status Run() {
    if (Status status = Create(); !status.ok()) return status;
    if (!arguments_.packed_weights.empty()) return WritePackedWeights();
    Result<const MethodTable*> method = program_->FindMethod(arguments_.method.c_str());
    if (!method.ok()) return method.status();
    method_ = *method;
    std::vector<std::string> output_names = PortNames(method_->outputs, method_->output_count);
    if (Status status = CheckNames("--output", arguments_.outputs, output_names, method_->name); !status.ok())
      return status;
    if (Status status = LoadInputs(); !status.ok()) return status;
    outputs_.assign(static_cast<size_t>(method_->output_count), weft_tensor{});
    if (Status status = LoadState(); !status.ok()) return status;
    if (arguments_.bench) return Bench();
    if (Status status = RunOnce(); !status.ok()) return status;
    if (Status status = GiveOutputs(); !status.ok()) return status;
    if (!arguments_.state.empty())
      if (Status status = program_->SaveState(arguments_.state); !status.ok()) return status;
    // What is run again to be measured is no application more.
    return arguments_.profile.empty() ? Status() : Profile();
  }

 private:
  Status Create() {
    std::vector<weft_weight_file> files;
    for (const auto& [prefix, path] : arguments_.weights) files.push_back({path.c_str(), prefix.c_str()});
    weft_options options = {};
    options.abi_version = WEFT_ABI_VERSION;
    options.weights = files.data();
    options.weight_count = files.size();
    options.threads = arguments_.threads;
    options.pin_threads = 1;
    options.strict = arguments_.strict;
    options.init_weights = arguments_.init;
    options.seed = arguments_.seed;
    options.note = PrintNote;
    Result<std::unique_ptr<Program>> program = Program::Create(table_, options);
    if (!program.ok()) {
      bool none_given = program.status().code() == WEFT_WEIGHTS && files.empty();
      return none_given ? Status(WEFT_WEIGHTS, program.status().message() + ": give them with --weights FILE")
                        : program.status();
    }
    program_ = std::move(*program);
    return {};
  }

  Status WritePackedWeights() {
    std::vector<int64_t> offsets;
    std::string blob = program_->PackedWeights(&offsets);
    for (int64_t offset : offsets) std::printf("%lld\n", static_cast<long long>(offset));
    return WriteFileAtomically(arguments_.packed_weights, blob);
  }

  Status LoadState() {
    if (arguments_.state.empty()) return {};
    if (!program_->has_states())
      return InvalidArgument("--state: the methods of this program change no state, so it keeps none");
    return access(arguments_.state.c_str(), F_OK) == 0 ? program_->LoadState(arguments_.state) : Status();
  }

  Status LoadInputs() {
    std::vector<std::string> names = PortNames(method_->inputs, method_->input_count);
    if (Status status = CheckNames("--input", arguments_.inputs, names, method_->name); !status.ok())
      return status;
    for (int32_t i = 0; i < method_->input_count; ++i) {
      const PortTable& port = method_->inputs[i];
      const std::string* text = nullptr;
      for (const auto& [name, value] : arguments_.inputs)
        if (name == port.name) text = &value;
      if (text == nullptr && !arguments_.bench)
        return InvalidArgument(std::string("input `") + port.name + "` is missing: give it with --input " +
                               port.name + "=FILE");
      std::string note;
      Result<HostTensor> tensor = text != nullptr ? LoadInput(port, *text, &note)
                                                  : RandomInput(table_, port, static_cast<uint64_t>(i) + 1);
      if (!tensor.ok()) return tensor.status();
      if (!note.empty()) PrintNote(nullptr, (std::string("input `") + port.name + "`: " + note).c_str());
      tensors_.push_back(std::move(*tensor));
    }
    for (const HostTensor& tensor : tensors_) inputs_.push_back(tensor.View());
    return {};
  }

  Status RunOnce() {
    for (weft_tensor& output : outputs_) output = {};
    return program_->Run(*method_, inputs_.data(), inputs_.size(), outputs_.data(), outputs_.size());
  }

  Status Bench() {
    Result<Measurement> measurement = Measure([&] { return RunOnce(); });
    if (!measurement.ok()) return measurement.status();
    measurement->workspace_bytes = program_->workspace_bytes();
    if (!arguments_.profile.empty())
      if (Status status = Profile(); !status.ok()) return status;
    std::fputs(PrintMeasurement(*measurement, method_->name, program_->threads(), arguments_.json).c_str(),
               stdout);
    return {};
  }

  Status Profile() {
    program_->SetProfiling(true);
    program_->TakeProfile();
    for (int i = 0; i < kProfiledRuns; ++i)
      if (Status status = RunOnce(); !status.ok()) return status;
    program_->SetProfiling(false);
    std::vector<ProfileEvent> events = program_->TakeProfile();
    std::fputs(ProfileTable(table_, events, kProfiledRuns).c_str(), stderr);
    return WriteFileAtomically(arguments_.profile, TraceJson(table_, events, program_->threads()));
  }

  Status GiveOutputs() {
    if (arguments_.outputs.empty()) {
      for (size_t i = 0; i < outputs_.size(); ++i)
        std::fputs(PrintTensor(method_->outputs[i].name, outputs_[i]).c_str(), stdout);
      return {};
    }
    for (const auto& [name, path] : arguments_.outputs) {
      for (size_t i = 0; i < outputs_.size(); ++i) {
        if (name != method_->outputs[i].name) continue;
        if (Status status = WriteFileAtomically(path, WriteNpy(outputs_[i])); !status.ok())
          return Status(status.code(), "output `" + name + "`: " + status.message());
        if (outputs_[i].type == WEFT_BF16)
          PrintNote(nullptr, ("output `" + name + "` is written as f32").c_str());
      }
    }
    return {};
  }

  const ProgramTable& table_;
  const Arguments& arguments_;
  std::unique_ptr<Program> program_;
  const MethodTable* method_ = nullptr;
  std::vector<HostTensor> tensors_;
  std::vector<weft_tensor> inputs_, outputs_;
};

Status RunCommand(const ProgramTable& table, const std::string& name, const std::vector<std::string>& words) {
  Result<Arguments> arguments = ParseArguments(words);
  if (!arguments.ok())
    return Status(arguments.status().code(), arguments.status().message() + " (see --help)");
  if (arguments->help) {
    const MethodTable& method = table.methods[0];
    std::fputs(HelpText(name, table.weight_count > 0 && table.embedded == nullptr,
                        PortNames(method.inputs, method.input_count))
                   .c_str(),
               stdout);
    return {};
  }
  if (arguments->describe) {
    std::fputs(Describe(table, arguments->json).c_str(), stdout);
    return {};
  }
  if (arguments->json && !arguments->bench)
    return InvalidArgument("--json goes with --describe or --bench (see --help)");
  return Session(table, *arguments).Run();
}

}  // namespace

int ProgramMain(const ProgramTable& table, const std::string& name, const std::vector<std::string>& words) {
  Status status;
  try {
    status = RunCommand(table, name, words);
  } catch (const std::bad_alloc&) {
    status = OutOfMemory("not enough memory");
  } catch (const std::exception&) {
    status = Status(WEFT_INTERNAL, "the system refused memory or a thread");
  }
  if (std::fflush(stdout) != 0 && status.ok()) status = InvalidArgument("cannot write to standard output");
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s: error: %s\n", name.c_str(), status.message().c_str());
  return 1;
}

}  // namespace weft::runtime
