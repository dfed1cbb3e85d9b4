#include "runtime/c_interface.h"

#include <cstring>
#include <exception>
#include <string>

#include "runtime/atomic_file.h"
#include "runtime/element_type.h"
#include "runtime/profile.h"
#include "runtime/program.h"

struct weft_program {
  std::unique_ptr<weft::runtime::Program> program;
};

namespace weft::runtime {
namespace {

thread_local std::string last_error;

int Report(const Status& status) {
  last_error = status.message();
  return status.code();
}

// Runs `call`, which gives a Status. The standard library throws where it has no memory or no thread.
template <typename Call>
int Guarded(Call call) {
  try {
    Status status = call();
    return status.ok() ? WEFT_OK : Report(status);
  } catch (const std::bad_alloc&) {
    return Report(OutOfMemory("not enough memory"));
  } catch (const std::exception&) {
    return Report(Status(WEFT_INTERNAL, "the system refused memory or a thread"));
  }
}

Status FindPort(const ProgramTable& table, const char* method_name, int32_t position, bool output,
                weft_port_info* info) {
  if (info == nullptr) return InvalidArgument("no place for the answer was given");
  std::string wanted = method_name != nullptr    ? method_name
                       : table.method_count == 1 ? table.methods[0].name
                                                 : "forward";
  for (int32_t i = 0; i < table.method_count; ++i) {
    const MethodTable& method = table.methods[i];
    if (wanted != method.name) continue;
    if (position < 0 || position >= (output ? method.output_count : method.input_count))
      return InvalidArgument("there is no such port");
    const PortTable& port = (output ? method.outputs : method.inputs)[position];
    weft_type type = static_cast<weft_type>(port.type);
    *info = {port.name, port.doc, type, TypeName(type), port.rank, port.shape, port.shape_text};
    return {};
  }
  return InvalidArgument("there is no method `" + wanted + "`");
}

}  // namespace
}  // namespace weft::runtime

using weft::runtime::Guarded;
using weft::runtime::InvalidArgument;
using weft::runtime::ProgramTable;
using weft::runtime::Status;

extern "C" {

int weft_table_create(const ProgramTable* table, const weft_options* options, weft_program** program) {
  if (program == nullptr)
    return Guarded([] { return InvalidArgument("no place for the program was given"); });
  *program = nullptr;
  return Guarded([&]() -> Status {
    weft_options defaults = {};
    defaults.abi_version = WEFT_ABI_VERSION;
    auto created = weft::runtime::Program::Create(*table, options != nullptr ? *options : defaults);
    if (!created.ok()) return created.status();
    *program = new weft_program{std::move(*created)};
    return {};
  });
}

void weft_table_destroy(weft_program* program) { delete program; }

const char* weft_table_last_error(void) { return weft::runtime::last_error.c_str(); }

int weft_table_method(const ProgramTable* table, int32_t position, weft_method_info* info) {
  return Guarded([&]() -> Status {
    if (info == nullptr || position < 0 || position >= table->method_count)
      return InvalidArgument("there is no such method");
    const weft::runtime::MethodTable& method = table->methods[position];
    *info = {method.name, method.doc, method.input_count, method.output_count};
    return {};
  });
}

int weft_table_input(const ProgramTable* table, const char* method, int32_t position, weft_port_info* info) {
  return Guarded([&] { return weft::runtime::FindPort(*table, method, position, false, info); });
}

int weft_table_output(const ProgramTable* table, const char* method, int32_t position, weft_port_info* info) {
  return Guarded([&] { return weft::runtime::FindPort(*table, method, position, true, info); });
}

int weft_table_dimension(const ProgramTable* table, int32_t position, weft_dimension_info* info) {
  return Guarded([&]() -> Status {
    if (info == nullptr || position < 0 || position >= table->dimension_count)
      return InvalidArgument("there is no such dimension");
    const weft::runtime::DimensionTable& dimension = table->dimensions[position];
    *info = {dimension.name, dimension.lo, dimension.hi, dimension.step};
    return {};
  });
}

int weft_table_run(weft_program* program, const char* method, const weft_tensor* inputs, size_t input_count,
                   weft_tensor* outputs, size_t output_count) {
  return Guarded([&]() -> Status {
    if (program == nullptr) return InvalidArgument("there is no program");
    if ((inputs == nullptr && input_count > 0) || (outputs == nullptr && output_count > 0))
      return InvalidArgument("no place for the inputs or the outputs was given");
    auto found = program->program->FindMethod(method);
    if (!found.ok()) return found.status();
    return program->program->Run(**found, inputs, input_count, outputs, output_count);
  });
}

int weft_table_state(const ProgramTable* table, int32_t position, weft_port_info* info) {
  return Guarded([&]() -> Status {
    for (int32_t i = 0; info != nullptr && i < table->weight_count; ++i) {
      const weft::runtime::WeightTable& state = table->weights[i];
      if (!state.changes || position-- != 0) continue;
      weft_type type = static_cast<weft_type>(state.type);
      *info = {state.path, "", type, weft::runtime::TypeName(type), state.rank, state.shape, nullptr};
      return {};
    }
    return InvalidArgument("there is no such state");
  });
}

int weft_table_save_state(weft_program* program, const char* path) {
  return Guarded([&]() -> Status {
    if (program == nullptr || path == nullptr) return InvalidArgument("no program or no file was given");
    return program->program->SaveState(path);
  });
}

int weft_table_load_state(weft_program* program, const char* path) {
  return Guarded([&]() -> Status {
    if (program == nullptr || path == nullptr) return InvalidArgument("no program or no file was given");
    return program->program->LoadState(path);
  });
}

int weft_table_reset_state(weft_program* program) {
  return Guarded([&]() -> Status {
    if (program == nullptr) return InvalidArgument("there is no program");
    program->program->ResetState();
    return {};
  });
}

int weft_table_profile(weft_program* program, int32_t on) {
  return Guarded([&]() -> Status {
    if (program == nullptr) return InvalidArgument("there is no program");
    program->program->SetProfiling(on != 0);
    return {};
  });
}

int weft_table_write_profile(weft_program* program, const char* path) {
  return Guarded([&]() -> Status {
    if (program == nullptr || path == nullptr) return InvalidArgument("no program or no file was given");
    weft::runtime::Program& run = *program->program;
    return weft::runtime::WriteFileAtomically(
        path, weft::runtime::TraceJson(run.table(), run.TakeProfile(), run.threads()));
  });
}

}  // extern "C"
