#include <cctype>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "backends/host/emit_host.h"

namespace weft::backends {
namespace {

constexpr char kRuntimeHeader[] =
#include "backends/host/runtime_header.inc"
    ;

constexpr char kDeclarations[] = R"(
#ifdef __cplusplus
extern "C" {
#endif

/* WEFT_ABI_VERSION of the library. */
uint32_t PREFIX_abi_version(void);

/* Makes the program ready to run: checks the processor, loads weights, prepares them. `options` may be NULL. */
int PREFIX_create(const weft_options* options, weft_program** program);
/* `program` may be NULL. */
void PREFIX_destroy(weft_program* program);
/* What the last call on this thread that failed has to say. */
const char* PREFIX_last_error(void);

/* What the program offers; positions count from 0, WEFT_INVALID_ARGUMENT behind the last. `method` may be NULL: `forward`,
 * or the only one. */
int PREFIX_method(int32_t position, weft_method_info* info);
int PREFIX_input(const char* method, int32_t position, weft_port_info* info);
int PREFIX_output(const char* method, int32_t position, weft_port_info* info);
int PREFIX_dimension(int32_t position, weft_dimension_info* info);

/* Runs a method: tensors in the order of its inputs and outputs, see weft_tensor. */
int PREFIX_run(weft_program* program, const char* method, const weft_tensor* inputs, size_t input_count,
               weft_tensor* outputs, size_t output_count);

/* The state of a program: what its methods keep from one run to the next. A program begins with what its weight files
 * hold, else with the declared initial values; reset_state brings it back there. save_state writes a safetensors file
 * with the paths of the states, whole or not at all; load_state takes all of them from such a file, or nothing and is
 * an error. A run that fails leaves the state as it was. PREFIX_state describes them, by position as above, without
 * shape_names. */
int PREFIX_state(int32_t position, weft_port_info* info);
int PREFIX_save_state(weft_program* program, const char* path);
int PREFIX_load_state(weft_program* program, const char* path);
int PREFIX_reset_state(weft_program* program);

/* Times every kernel from now on (on = 1) or no longer; writes what was timed as a trace for Perfetto. */
int PREFIX_profile(weft_program* program, int32_t on);
int PREFIX_write_profile(weft_program* program, const char* path);

#ifdef __cplusplus
}
#endif
)";

std::string Identifier(absl::string_view text) {
  std::string identifier;
  for (char c : text) identifier += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return identifier;
}

std::string Text(mlir::ModuleOp module, const char* name) {
  auto text = module->getAttrOfType<mlir::StringAttr>(name);
  return text ? text.getValue().str() : "";
}

}  // namespace

std::string LibraryPrefix(mlir::ModuleOp module) {
  std::string file = Text(module, "weft.file");
  if (size_t slash = file.rfind('/'); slash != std::string::npos) file.erase(0, slash + 1);
  if (size_t dot = file.rfind('.'); dot != std::string::npos && dot > 0) file.resize(dot);
  return absl::StrCat("weft_", Identifier(file), "_", Identifier(Text(module, "weft.entry")));
}

std::string LibraryHeader(mlir::ModuleOp module, absl::string_view prefix) {
  std::string guard = absl::StrCat(prefix, "_H_");
  for (char& c : guard) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return absl::StrCat("/* Entry ", Text(module, "weft.entry"), " of ", Text(module, "weft.file"),
                      ". */\n#ifndef ", guard, "\n#define ", guard, "\n\n", kRuntimeHeader,
                      absl::StrReplaceAll(kDeclarations, {{"PREFIX", prefix}}), "\n#endif /* ", guard,
                      " */\n");
}

std::vector<std::string> LibraryFunctions(absl::string_view prefix) {
  std::vector<std::string> names;
  for (const char* name :
       {"abi_version", "create", "destroy", "last_error", "method", "input", "output", "dimension", "run",
        "state", "save_state", "load_state", "reset_state", "profile", "write_profile"})
    names.push_back(absl::StrCat(prefix, "_", name));
  return names;
}

}  // namespace weft::backends
