#include "backends/host/link.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "backends/host/linked_files.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Program.h"
#include "runtime/interruption.h"

namespace weft::backends {

namespace fs = std::filesystem;

namespace {

constexpr char kReadFiles[] = "inputs";  // the linker's list of what it has read

// A folder that goes with the object. Until then Ctrl-C waits, which is not long.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    std::string pattern = (fs::temp_directory_path(error) / "weft-XXXXXX").string();
    if (!error && ::mkdtemp(pattern.data())) path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code error;
    if (!path_.empty()) fs::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  bool good() const { return !path_.empty(); }
  std::string operator/(absl::string_view name) const { return (path_ / std::string(name)).string(); }
  bool Holds(absl::string_view file) const { return fs::path(std::string(file)).parent_path() == path_; }

 private:
  runtime::InterruptionHeld held_;
  fs::path path_;
};

// Where the archives of the runtime lie: lib/ beside bin/.
std::string LibraryFolder() {
  std::error_code error;
  return (fs::read_symlink("/proc/self/exe", error).parent_path().parent_path() / "lib").string();
}

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream || bytes.empty()) return absl::InternalError(absl::StrCat("cannot read `", path, "` back"));
  return bytes;
}

// What the linker says it has read, but for our objects: a rule of a makefile, a file in each line but the
// first, whose names stand as they are.
std::vector<std::string> InputsOf(const TemporaryFolder& folder) {
  std::set<std::string> inputs;
  std::ifstream stream(folder / kReadFiles);
  std::string line;
  std::getline(stream, line);
  while (std::getline(stream, line) && !line.empty()) {
    absl::string_view file = absl::StripSuffix(absl::StripPrefix(line, "  "), " \\");
    if (!folder.Holds(file)) inputs.emplace(file);
  }
  return {inputs.begin(), inputs.end()};
}

absl::StatusOr<Linked> Finish(const TemporaryFolder& folder) {
  absl::StatusOr<std::string> bytes = ReadAll(folder / "out");
  if (!bytes.ok()) return bytes.status();
  return Linked{*std::move(bytes), InputsOf(folder)};
}

absl::Status WriteAll(const std::string& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream << bytes;
  stream.close();
  if (!stream)
    return absl::ResourceExhaustedError(absl::StrCat("cannot write `", path, "`; is the disk full?"));
  return absl::OkStatus();
}

absl::Status Execute(const TemporaryFolder& folder, const std::string& name,
                     std::vector<std::string> arguments) {
  llvm::ErrorOr<std::string> program = llvm::sys::findProgramByName(name);
  if (!program)
    return absl::FailedPreconditionError(
        absl::StrCat("linking needs `", name, "`, which is not on the PATH"));
  arguments.insert(arguments.begin(), *program);
  std::vector<llvm::StringRef> words(arguments.begin(), arguments.end());
  std::string log = folder / "log";
  std::optional<llvm::StringRef> redirects[] = {std::nullopt, llvm::StringRef(log), llvm::StringRef(log)};
  std::string problem;
  if (llvm::sys::ExecuteAndWait(*program, words, std::nullopt, redirects, 0, 0, &problem) == 0)
    return absl::OkStatus();
  std::ifstream stream(log);
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  return absl::InternalError(absl::StrCat("`", name, "` failed: ", problem, text));
}

// Who links: sanitizers have run-time libraries of the compiler's version.
std::string Linker(bool sanitize) {
  return sanitize ? absl::StrCat("clang++-", LLVM_VERSION_MAJOR) : std::string("cc");
}

// Runs `linker` over the objects.
absl::Status Compile(const TemporaryFolder& folder, const std::string& linker,
                     const std::vector<std::string>& objects, const std::vector<std::string>& options,
                     const std::string& output) {
  if (!folder.good()) return absl::PermissionDeniedError("cannot make a temporary folder; is TMPDIR right?");
  std::vector<std::string> arguments{"-o", output,
                                     absl::StrCat("-Wl,--dependency-file=", folder / kReadFiles)};
  for (size_t i = 0; i < objects.size(); ++i) {
    std::string path = folder / absl::StrCat("part", i, ".o");
    if (absl::Status status = WriteAll(path, objects[i]); !status.ok()) return status;
    arguments.push_back(path);
  }
  arguments.insert(arguments.end(), options.begin(), options.end());
  return Execute(folder, linker, std::move(arguments));
}

// A user's files as words of a linker; a program finds a shared library where it lies now.
std::vector<std::string> WordsFor(const std::vector<std::string>& files) {
  std::vector<std::string> words;
  for (const std::string& file : files) {
    std::error_code error;
    fs::path path = fs::absolute(file, error);
    words.push_back(path.string());
    if (IsSharedLibrary(file)) words.push_back(absl::StrCat("-Wl,-rpath,", path.parent_path().string()));
  }
  return words;
}

absl::Status MakeObject(const TemporaryFolder& folder, const std::vector<std::string>& objects,
                        const std::vector<std::string>& files, const std::vector<std::string>& exports,
                        const std::string& output) {
  std::vector<std::string> options = {"-r", "-nostdlib"};
  for (const std::string& file : files)
    if (!IsSharedLibrary(file)) options.push_back(fs::absolute(file).string());
  options.push_back(absl::StrCat(LibraryFolder(), "/libweft_runtime.a"));
  absl::Status joined = Compile(folder, Linker(false), objects, options, folder / "joined.o");
  if (!joined.ok()) return joined;
  std::vector<std::string> arguments;
  for (const std::string& name : exports) arguments.push_back(absl::StrCat("--keep-global-symbol=", name));
  arguments.push_back(folder / "joined.o");
  arguments.push_back(output);
  return Execute(folder, "objcopy", std::move(arguments));
}

}  // namespace

absl::StatusOr<Linked> LinkExecutable(const std::vector<std::string>& objects,
                                      const std::vector<std::string>& files, bool sanitize) {
  TemporaryFolder folder;
  std::string lib = LibraryFolder();
  std::vector<std::string> options = WordsFor(files);
  for (const std::string& word :
       {std::string("-Wl,--gc-sections"), std::string("-Wl,-z,noexecstack"),
        absl::StrCat(lib, "/libweft_program_main.a"), absl::StrCat(lib, "/libweft_runtime.a"),
        std::string("-Wl,-Bstatic"), std::string("-lpng"), std::string("-ljpeg"), std::string("-lz"),
        std::string("-Wl,-Bdynamic"), std::string("-lstdc++"), std::string("-lpthread"), std::string("-lm")})
    options.push_back(word);
  if (sanitize) options.push_back("-fsanitize=address,undefined");
  absl::Status linked = Compile(folder, Linker(sanitize), objects, options, folder / "out");
  if (!linked.ok()) return linked;
  return Finish(folder);
}

absl::StatusOr<Linked> LinkSharedLibrary(const std::vector<std::string>& objects,
                                         const std::vector<std::string>& files,
                                         const std::vector<std::string>& exports, bool sanitize) {
  TemporaryFolder folder;
  std::string script = "{ global: ";
  for (const std::string& name : exports) absl::StrAppend(&script, name, "; ");
  absl::StrAppend(&script, "local: *; };\n");
  if (absl::Status status = WriteAll(folder / "exports", script); !status.ok()) return status;
  std::vector<std::string> options = {"-shared",
                                      "-Wl,--gc-sections",
                                      "-Wl,-z,noexecstack",
                                      absl::StrCat("-Wl,--version-script=", folder / "exports"),
                                      absl::StrCat(LibraryFolder(), "/libweft_runtime.a"),
                                      "-lstdc++",
                                      "-lpthread",
                                      "-lm"};
  std::vector<std::string> words = WordsFor(files);
  options.insert(options.begin(), words.begin(), words.end());
  if (sanitize) options.push_back("-fsanitize=address,undefined");
  absl::Status linked = Compile(folder, Linker(sanitize), objects, options, folder / "out");
  if (!linked.ok()) return linked;
  return Finish(folder);
}

absl::StatusOr<Linked> LinkObject(const std::vector<std::string>& objects,
                                  const std::vector<std::string>& files,
                                  const std::vector<std::string>& exports) {
  TemporaryFolder folder;
  if (absl::Status status = MakeObject(folder, objects, files, exports, folder / "out"); !status.ok())
    return status;
  return Finish(folder);
}

absl::StatusOr<Linked> LinkArchive(const std::vector<std::string>& objects,
                                   const std::vector<std::string>& files,
                                   const std::vector<std::string>& exports) {
  TemporaryFolder folder;
  if (absl::Status status = MakeObject(folder, objects, files, exports, folder / "program.o"); !status.ok())
    return status;
  // D: no dates and owners, so that the bytes come out the same every time.
  absl::Status made = Execute(folder, "ar", {"rcsD", folder / "out", folder / "program.o"});
  if (!made.ok()) return made;
  return Finish(folder);
}

}  // namespace weft::backends
