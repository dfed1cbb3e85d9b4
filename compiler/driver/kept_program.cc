#include "compiler/driver/kept_program.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/driver/build_identity.h"
#include "compiler/driver/text_list.h"
#include "llvm/Support/FileSystem.h"

namespace weft::driver {

namespace fs = std::filesystem;

namespace {

struct FileState {
  std::string text;  // with the name: another one, another state
  std::chrono::system_clock::time_point modified;
};

// Nothing if there is no such file.
std::optional<FileState> StateOf(const std::string& file) {
  llvm::sys::fs::file_status status;
  if (llvm::sys::fs::status(file, status)) return std::nullopt;
  auto modified = status.getLastModificationTime();
  return FileState{absl::StrCat(file, "\n", status.getSize(), "@", modified.time_since_epoch().count()),
                   modified};
}

// All that decides about the program, but for the files that are linked.
std::string KeyOf(const dsl::Program& program, const dsl::SourceManager& sources,
                  const CompileOptions& options, const backends::Target& target) {
  std::vector<std::string> parts{"program 1",
                                 BuildIdentity(),
                                 backends::Describe(target),
                                 program.entry,
                                 absl::StrCat(static_cast<int>(options.emit)),
                                 absl::StrCat(static_cast<int>(options.backend)),
                                 absl::StrFormat("%a", options.tolerance)};
  std::vector<std::string> fixed, linked, texts;
  for (const auto& [name, size] : program.fixed) fixed.insert(fixed.end(), {name, absl::StrCat(size)});
  std::error_code error;
  for (const std::string& file : options.linked) linked.push_back(fs::absolute(file, error).string());
  for (int file = 0; file < sources.size(); ++file) {
    texts.push_back(sources.file(file).name());
    texts.emplace_back(sources.file(file).text());
  }
  for (const ScheduleSource& source : options.schedules)
    texts.push_back(absl::StrCat(static_cast<int>(source.about)));
  for (const auto& list : {fixed, options.without, linked, texts}) parts.push_back(PackTexts(list));
  return PackTexts(parts);
}

}  // namespace

KeptProgram::KeptProgram(const dsl::Program& program, const dsl::SourceManager& sources,
                         const CompileOptions& options, const backends::Target& target)
    : options_(options.kernels) {
  bool has_place =
      !options_.cache.folder().empty() && !IsText(options.emit) && options.embedded_weights.empty();
  if (has_place) key_ = KeyOf(program, sources, options, target);
}

std::optional<Compiled> KeptProgram::Find() const {
  if (key_.empty()) return std::nullopt;
  TimedPhase phase(options_.timing, "cache");
  std::optional<std::string> bytes = options_.cache.Find(key_);
  std::optional<std::vector<std::string>> parts = bytes ? UnpackTexts(*bytes, 4) : std::nullopt;
  if (!parts) return std::nullopt;
  for (const std::string& then : UnpackTexts((*parts)[2]).value_or(std::vector<std::string>{})) {
    std::optional<FileState> now = StateOf(then.substr(0, then.find('\n')));
    if (!now || now->text != then) return std::nullopt;
  }
  for (const std::string& note : UnpackTexts((*parts)[3]).value_or(std::vector<std::string>{}))
    if (options_.note) options_.note(note);
  if (options_.timing) options_.timing->program_from_cache = true;
  return Compiled{std::move((*parts)[0]), std::move((*parts)[1])};
}

void KeptProgram::Keep(const Compiled& compiled, const std::vector<std::string>& notes) const {
  // A linker that does not say what it has read leaves nothing to compare later.
  if (key_.empty() || !compiled.is_lasting || compiled.linked_files.empty()) return;
  std::vector<std::string> states;
  for (const std::string& file : compiled.linked_files) {
    std::optional<FileState> state = StateOf(file);
    // The linker may have read what the file held before.
    if (!state || state->modified >= start_) return;
    states.push_back(state->text);
  }
  options_.cache.Keep(key_,
                      PackTexts({compiled.bytes, compiled.header, PackTexts(states), PackTexts(notes)}));
}

}  // namespace weft::driver
