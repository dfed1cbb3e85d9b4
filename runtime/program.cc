#include "runtime/program.h"

#include <algorithm>
#include <cstring>

#include "runtime/cpu_features.h"
#include "runtime/element_type.h"
#include "runtime/nearest_name.h"

namespace weft::runtime {
namespace {

bool Aligned(const void* data) { return reinterpret_cast<uintptr_t>(data) % 64 == 0; }

Status NoMemory(const char* what, int64_t bytes) {
  return OutOfMemory(std::string("not enough memory for ") + what + ": " + std::to_string(bytes) + " bytes");
}

void Grow(std::vector<Buffer>& buffers, size_t count) {
  if (buffers.size() < count) buffers.resize(count);
}

Status CodeFailed(const Workspace& workspace) {
  return workspace.error.empty() ? Status(WEFT_INTERNAL, "the compiled code reported an error")
                                 : Status(WEFT_INVALID_ARGUMENT, workspace.error);
}

const CodeTable& CodeFor(const MethodTable& method, const std::vector<int64_t>& input_dims) {
  auto fits = [&](const CodeTable& code) {
    return std::equal(input_dims.begin(), input_dims.end(), code.input_dims,
                      [](int64_t given, int64_t taken) { return taken < 0 || taken == given; });
  };
  const CodeTable* last = method.codes + method.code_count - 1;
  return *std::find_if(method.codes, last, fits);
}

// Whether memory that the caller gave, if any, is for an output of this size.
Status CheckMemory(const PortTable& port, const int64_t* dims, const weft_tensor& output) {
  auto type = static_cast<weft_type>(port.type);
  if (output.data == nullptr || (SameInMemory(output.type, type) && output.rank == port.rank &&
                                 std::equal(dims, dims + port.rank, output.shape)))
    return {};
  return InvalidArgument(std::string("output `") + port.name + "` is " + TypeName(type) +
                         ShapeText(dims, port.rank) + ", but memory was given for " + TypeName(output.type) +
                         ShapeText(output.shape, std::clamp(output.rank, 0, WEFT_MAX_RANK)));
}

}  // namespace

Program::Program(const ProgramTable& table, const weft_options& options)
    : table_(table),
      pool_(options.threads > 0 ? options.threads : ThreadPool::ProcessorCount(), options.pin_threads != 0),
      states_(table) {}

Result<std::unique_ptr<Program>> Program::Create(const ProgramTable& table, const weft_options& options) {
  if (table.version != kTableVersion)
    return Status(WEFT_INTERNAL, "the program was compiled for another version of the runtime library");
  if (options.abi_version != WEFT_ABI_VERSION)
    return InvalidArgument("the options are for version " + std::to_string(options.abi_version) +
                           " of the interface, this program has version " + std::to_string(WEFT_ABI_VERSION));
  if (options.threads < 0 || options.threads > 1024)
    return InvalidArgument("the number of threads must be in 1..1024, or 0 for all processors");
  if (options.weights == nullptr && options.weight_count > 0)
    return InvalidArgument("the list of weight files is missing");
  if (std::string missing = MissingCpuFeatures(table.cpu_features); !missing.empty())
    return Status(WEFT_UNSUPPORTED_CPU, "the program was compiled for a processor with " + missing +
                                            ", but this is " +
                                            (CpuName().empty() ? std::string("another") : CpuName()) +
                                            "; compile it with another --target");
  std::unique_ptr<Program> program(new Program(table, options));
  Status status;
  if (table.embedded != nullptr) {
    if (options.weight_count > 0)
      return InvalidArgument("the program holds its weights inside and takes no others");
    status = program->UseEmbedded();
  } else {
    status = program->weights_.Load(table, options);
    program->weight_pointers_ = program->weights_.pointers();
    if (status.ok()) status = program->ComputeInitialValues();
    if (status.ok()) status = program->Prepare();
  }
  if (status.ok()) status = program->states_.Create(&program->weight_pointers_);
  if (!status.ok()) return status;
  return program;
}

Status Program::UseEmbedded() {
  auto at = [&](int32_t part) -> void* {
    int64_t offset = table_.embedded_offsets[part];
    return offset < 0 ? nullptr : const_cast<char*>(table_.embedded) + offset;
  };
  for (int32_t i = 0; i < table_.prepared_count; ++i) prepared_pointers_.push_back(at(i));
  for (int32_t i = 0; i < table_.weight_count; ++i) weight_pointers_.push_back(at(table_.prepared_count + i));
  return {};
}

// Of the weights that no file gives; the order is that of the table, so each finds what it reads.
Status Program::ComputeInitialValues() {
  for (int32_t i = 0; i < table_.initial_count; ++i) {
    const MethodTable& method = table_.initial_values[i];
    int32_t weight = method.next[0];
    if (!weights_.IsUncomputed(weight)) continue;
    Workspace workspace;
    workspace.table = &table_;
    workspace.output_dims.resize(static_cast<size_t>(table_.weights[weight].rank));
    const CodeTable& code = method.codes[0];
    if (Status status = ReserveMemory(workspace, code); !status.ok()) return status;
    workspace.output_pointers = {weight_pointers_[static_cast<size_t>(weight)]};
    if (Status status = RunCode(workspace, code); !status.ok()) return status;
  }
  return {};
}

// All in one block, so that large pages hold many of them.
Status Program::ReservePrepared() {
  std::vector<int64_t> offsets;
  int64_t total = 0;
  for (int32_t i = 0; i < table_.prepared_count; ++i) {
    offsets.push_back(total);
    total += (table_.prepared_bytes[i] + Buffer::kAlignment - 1) / Buffer::kAlignment * Buffer::kAlignment +
             Buffer::kAlignment;
  }
  if (!prepared_.Reserve(total)) return NoMemory("prepared weights", total);
  for (size_t i = 0; i < offsets.size(); ++i) {
    prepared_pointers_.push_back(prepared_.data() + offsets[i]);
    int64_t end = offsets[i] + table_.prepared_bytes[i];
    prepared_.Forbid(end, (i + 1 < offsets.size() ? offsets[i + 1] : total) - end);
  }
  return {};
}

Status Program::Prepare() {
  if (Status status = ReservePrepared(); !status.ok()) return status;
  if (table_.prepare != nullptr) {
    Workspace workspace;
    workspace.table = &table_;
    Buffer& arena = workspace.arena;
    if (!arena.Reserve(table_.prepare->arena_bytes))
      return NoMemory("preparing weights", table_.prepare->arena_bytes);
    Frame frame = {nullptr,      nullptr, prepared_pointers_.data(),
                   arena.data(), nullptr, weight_pointers_.data(),
                   nullptr,      nullptr, nullptr};
    workspace.pool = pool_.Begin() ? &pool_ : nullptr;
    int32_t result = table_.prepare->run(&workspace, &frame);
    if (workspace.pool != nullptr) pool_.End();
    if (result != 0) return CodeFailed(workspace);
  }
  weights_.ReleaseAfterPrepare(table_);
  return {};
}

Result<const MethodTable*> Program::FindMethod(const char* name) const {
  std::string_view wanted = name != nullptr ? name : "";
  if (wanted.empty() && table_.method_count == 1) return &table_.methods[0];
  if (wanted.empty()) wanted = "forward";
  for (int32_t i = 0; i < table_.method_count; ++i)
    if (wanted == table_.methods[i].name) return &table_.methods[i];
  std::vector<std::string> names;
  std::string list;
  for (int32_t i = 0; i < table_.method_count; ++i) {
    names.push_back(table_.methods[i].name);
    list += std::string(i > 0 ? ", `" : "`") + table_.methods[i].name + "`";
  }
  std::string suggestion = Suggestion(wanted, names);
  return InvalidArgument(
      "there is no method `" + std::string(wanted) + "`" +
      (suggestion.empty() ? ": `" + std::string(table_.entry) + "` has " + list : suggestion));
}

Workspace* Program::Acquire() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::thread::id self = std::this_thread::get_id();
  Workspace* best = nullptr;
  for (const std::unique_ptr<Workspace>& workspace : workspaces_) {
    if (workspace->busy) continue;
    bool mine = workspace->thread == self;
    if (!mine && workspace->lends_results) continue;
    if (best == nullptr || mine) best = workspace.get();
  }
  if (best == nullptr) {
    best = workspaces_.emplace_back(std::make_unique<Workspace>()).get();
    best->table = &table_;
  }
  best->busy = true;
  best->thread = self;
  best->profiling = profiling_;
  return best;
}

void Program::Release(Workspace* workspace) {
  std::lock_guard<std::mutex> lock(mutex_);
  workspace->busy = false;
}

Status Program::Run(const MethodTable& method, const weft_tensor* inputs, size_t input_count,
                    weft_tensor* outputs, size_t output_count) {
  if (input_count != static_cast<size_t>(method.input_count))
    return InvalidArgument(std::string("`") + method.name + "` takes " + std::to_string(method.input_count) +
                           " inputs, not " + std::to_string(input_count));
  if (output_count != static_cast<size_t>(method.output_count))
    return InvalidArgument(std::string("`") + method.name + "` gives " + std::to_string(method.output_count) +
                           " outputs, not " + std::to_string(output_count));
  // States: one run that changes them, or several that read them.
  std::unique_lock<std::shared_mutex> writes(state_mutex_, std::defer_lock);
  std::shared_lock<std::shared_mutex> reads(state_mutex_, std::defer_lock);
  if (method.next_count > 0) {
    writes.lock();
  } else if (method.reads_states) {
    reads.lock();
  }
  Workspace* workspace = Acquire();
  int64_t start = workspace->profiling ? NowNs() : 0;
  Status status = RunIn(*workspace, method, inputs, outputs);
  if (workspace->profiling) workspace->events.push_back({-1, start, NowNs() - start, {}, &method});
  Release(workspace);
  return status;
}

Status Program::SaveState(const std::string& path) const {
  std::shared_lock<std::shared_mutex> lock(state_mutex_);
  return states_.Save(path);
}

Status Program::LoadState(const std::string& path) {
  std::unique_lock<std::shared_mutex> lock(state_mutex_);
  return states_.Load(path);
}

void Program::ResetState() {
  std::unique_lock<std::shared_mutex> lock(state_mutex_);
  states_.Reset();
}

// What the method needs for sizes like the workspace's `input_dims`; checks them and fills in `output_dims`.
Status Program::ReserveMemory(Workspace& workspace, const CodeTable& code) {
  if (code.shapes(&workspace, workspace.input_dims.data(), workspace.output_dims.data()) != 0)
    return CodeFailed(workspace);
  if (!workspace.arena.Reserve(code.arena_bytes)) return NoMemory("intermediate results", code.arena_bytes);
  workspace.plan.Begin(code);
  return {};
}

Status Program::RunCode(Workspace& workspace, const CodeTable& code) {
  Frame frame = {
      workspace.input_dims.data(), workspace.input_pointers.data(), workspace.output_pointers.data(),
      workspace.arena.data(),      workspace.plan.pointers(),       weight_pointers_.data(),
      prepared_pointers_.data(),   workspace.output_dims.data(),    workspace.plan.bytes()};
  workspace.pool = pool_.Begin() ? &pool_ : nullptr;
  int32_t result = code.run(&workspace, &frame);
  if (workspace.pool != nullptr) pool_.End();
  workspace.pool = nullptr;
  return result == 0 ? Status() : CodeFailed(workspace);
}

Status Program::RunIn(Workspace& workspace, const MethodTable& method, const weft_tensor* inputs,
                      weft_tensor* outputs) {
  if (Status status = CheckInputs(workspace, method, inputs); !status.ok()) return status;
  workspace.error.clear();
  workspace.deferred.clear();
  workspace.kept.Clear();
  workspace.backwards = false;
  workspace.lends_results = false;
  workspace.input_dims.clear();
  for (int32_t i = 0; i < method.input_count; ++i)
    workspace.input_dims.insert(workspace.input_dims.end(), inputs[i].shape,
                                inputs[i].shape + inputs[i].rank);
  const CodeTable& code = CodeFor(method, workspace.input_dims);
  size_t output_axes = 0;
  for (int32_t i = 0; i < method.output_count; ++i)
    output_axes += static_cast<size_t>(method.outputs[i].rank);
  for (int32_t i = 0; i < method.next_count; ++i)
    output_axes += static_cast<size_t>(table_.weights[method.next[i]].rank);
  workspace.output_dims.resize(output_axes);
  if (Status status = ReserveMemory(workspace, code); !status.ok()) return status;

  Grow(workspace.inputs, static_cast<size_t>(method.input_count));
  workspace.input_pointers.resize(static_cast<size_t>(method.input_count));
  for (int32_t i = 0; i < method.input_count; ++i) {
    const weft_tensor& input = inputs[i];
    void*& pointer = workspace.input_pointers[static_cast<size_t>(i)];
    pointer = input.data;
    if (Aligned(input.data) && input.data != nullptr && IsDense(input)) continue;
    int64_t bytes = ElementCount(input.shape, input.rank) * ByteSize(input.type);
    Buffer& copy = workspace.inputs[static_cast<size_t>(i)];
    if (!copy.Reserve(bytes)) return NoMemory(method.inputs[i].name, bytes);
    CopyToDense(input, copy.data());
    pointer = copy.data();
  }

  Grow(workspace.outputs, static_cast<size_t>(method.output_count));
  workspace.output_pointers.resize(static_cast<size_t>(method.output_count));
  states_.AddNext(method, code, &workspace.output_pointers);
  const int64_t* dims = workspace.output_dims.data();
  for (int32_t i = 0; i < method.output_count; ++i) {
    const PortTable& port = method.outputs[i];
    weft_tensor& output = outputs[i];
    weft_type type = static_cast<weft_type>(port.type);
    bool is_found = std::any_of(dims, dims + port.rank, [](int64_t size) { return size < 0; });
    int64_t count = is_found ? 0 : ElementCount(dims, port.rank);
    if (count < 0 || count > (int64_t{1} << 44))
      return InvalidArgument(std::string("output `") + port.name + "` would be " +
                             ShapeText(dims, port.rank));
    void*& pointer = workspace.output_pointers[static_cast<size_t>(i)];
    pointer = output.data;
    if (is_found) {  // reserved while running, when its size is known
      pointer = nullptr;
      dims += port.rank;
      continue;
    }
    if (Status status = CheckMemory(port, dims, output); !status.ok()) return status;
    if (output.data == nullptr || !Aligned(output.data) || !IsDense(output)) {
      Buffer& own = workspace.outputs[static_cast<size_t>(i)];
      if (!own.Reserve(count * ByteSize(type))) return NoMemory(port.name, count * ByteSize(type));
      pointer = own.data();
    }
    dims += port.rank;
  }

  if (Status status = RunCode(workspace, code); !status.ok()) return status;

  dims = workspace.output_dims.data();
  for (int32_t i = 0; i < method.output_count; ++i) {
    weft_tensor& output = outputs[i];
    void* pointer = workspace.output_pointers[static_cast<size_t>(i)];
    if (output.data == nullptr) {
      output.data = pointer;
      output.type = static_cast<weft_type>(method.outputs[i].type);
      output.rank = method.outputs[i].rank;
      output.strides = nullptr;
      std::copy(dims, dims + output.rank, output.shape);
      workspace.lends_results = true;
    } else if (output.data != pointer) {
      if (Status status = CheckMemory(method.outputs[i], dims, output); !status.ok()) return status;
      CopyFromDense(pointer, output);
    }
    dims += method.outputs[i].rank;
  }
  // Nothing fails from here on.
  for (const DeferredLaunch& launch : workspace.deferred)
    weft_launch(&workspace, launch.launch, launch.kernel, launch.buffers.data(), launch.extents.data());
  states_.Commit(method, code);
  return {};
}

void Program::SetProfiling(bool on) {
  std::lock_guard<std::mutex> lock(mutex_);
  profiling_ = on;
}

std::vector<ProfileEvent> Program::TakeProfile() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<ProfileEvent> events;
  for (const std::unique_ptr<Workspace>& workspace : workspaces_) {
    if (workspace->busy) continue;
    events.insert(events.end(), workspace->events.begin(), workspace->events.end());
    workspace->events.clear();
  }
  std::sort(events.begin(), events.end(),
            [](const ProfileEvent& a, const ProfileEvent& b) { return a.start_ns < b.start_ns; });
  return events;
}

int64_t Program::workspace_bytes() {
  std::lock_guard<std::mutex> lock(mutex_);
  int64_t sum = 0;
  for (const std::unique_ptr<Workspace>& workspace : workspaces_) sum += workspace->reserved_bytes();
  return sum;
}

std::string Program::PackedWeights(std::vector<int64_t>* offsets) const {
  std::string blob;
  auto add = [&](const void* data, int64_t bytes) {
    blob.resize((blob.size() + 63) / 64 * 64);
    offsets->push_back(static_cast<int64_t>(blob.size()));
    blob.append(static_cast<const char*>(data), static_cast<size_t>(bytes));
  };
  for (int32_t i = 0; i < table_.prepared_count; ++i)
    add(prepared_pointers_[static_cast<size_t>(i)], table_.prepared_bytes[i]);
  for (int32_t i = 0; i < table_.weight_count; ++i) {
    const WeightTable& weight = table_.weights[i];
    const void* data = weight_pointers_[static_cast<size_t>(i)];
    if (weight.used_by_methods && data != nullptr) {
      add(data, ElementCount(weight.shape, weight.rank) * ByteSize(static_cast<weft_type>(weight.type)));
    } else {
      offsets->push_back(-1);
    }
  }
  return blob;
}

}  // namespace weft::runtime
