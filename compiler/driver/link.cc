#include "compiler/driver/link.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"

namespace weft::driver {

namespace fs = std::filesystem;

namespace {

// A folder that goes with the object.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& beside) {
    std::string pattern = (beside / ".weft-XXXXXX").string();
    if (::mkdtemp(pattern.data())) path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code error;
    if (!path_.empty()) fs::remove_all(path_, error);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Where the archives of the runtime lie: lib/ beside bin/.
fs::path LibraryFolder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path().parent_path() / "lib";
}

absl::Status Link(const std::vector<std::string>& objects, const std::vector<std::string>& arguments,
                  const std::vector<std::pair<std::string, std::string>>& files, const std::string& output) {
  llvm::ErrorOr<std::string> linker = llvm::sys::findProgramByName("cc");
  if (!linker) return absl::FailedPreconditionError("linking needs a C compiler, and no `cc` is found on the PATH");
  fs::path target(output);
  fs::path parent = target.parent_path().empty() ? fs::path(".") : target.parent_path();
  std::error_code error;
  if (!fs::is_directory(parent, error)) return absl::NotFoundError(absl::StrCat("there is no folder `", parent.string(), "`"));
  TemporaryFolder folder(parent);
  if (folder.path().empty()) return absl::PermissionDeniedError(absl::StrCat("cannot write in `", parent.string(), "`"));

  std::vector<std::string> command{*linker, "-o", (folder.path() / "out").string()};
  for (size_t i = 0; i < objects.size(); ++i) {
    fs::path path = folder.path() / absl::StrCat("part", i, ".o");
    std::ofstream(path, std::ios::binary).write(objects[i].data(), static_cast<std::streamsize>(objects[i].size()));
    command.push_back(path.string());
  }
  for (const auto& [name, text] : files) std::ofstream(folder.path() / name) << text;
  for (const std::string& argument : arguments) {
    command.push_back(argument.starts_with("@") ? absl::StrCat("-Wl,--version-script=", (folder.path() / argument.substr(1)).string())
                                                : argument);
  }
  std::vector<llvm::StringRef> words(command.begin(), command.end());
  std::string log = (folder.path() / "log").string();
  std::optional<llvm::StringRef> redirects[] = {std::nullopt, llvm::StringRef(log), llvm::StringRef(log)};
  std::string problem;
  int code = llvm::sys::ExecuteAndWait(*linker, words, std::nullopt, redirects, 0, 0, &problem);
  if (code != 0) {
    std::ifstream stream(log);
    std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    return absl::InternalError(absl::StrCat("the linker failed: ", problem, text));
  }
  fs::rename(folder.path() / "out", target, error);
  if (error) return absl::PermissionDeniedError(absl::StrCat("cannot write `", output, "`: ", error.message()));
  return absl::OkStatus();
}

}  // namespace

absl::Status LinkExecutable(const std::vector<std::string>& objects, const std::string& output) {
  std::string lib = LibraryFolder().string();
  return Link(objects,
              {"-Wl,--gc-sections", "-Wl,-z,noexecstack", absl::StrCat(lib, "/libweft_program_main.a"),
               absl::StrCat(lib, "/libweft_runtime.a"), "-Wl,-Bstatic", "-lpng", "-ljpeg", "-lz", "-Wl,-Bdynamic",
               "-lstdc++", "-lpthread", "-lm"},
              {}, output);
}

absl::Status LinkSharedLibrary(const std::vector<std::string>& objects, const std::vector<std::string>& exports,
                               const std::string& output) {
  std::string script = "{ global: ";
  for (const std::string& name : exports) absl::StrAppend(&script, name, "; ");
  absl::StrAppend(&script, "local: *; };\n");
  return Link(objects,
              {"-shared", "-Wl,--gc-sections", "@exports", absl::StrCat(LibraryFolder().string(), "/libweft_runtime.a"),
               "-lstdc++", "-lpthread", "-lm"},
              {{"exports", script}}, output);
}

}  // namespace weft::driver
