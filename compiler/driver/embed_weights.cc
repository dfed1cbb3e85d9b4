#include "compiler/driver/embed_weights.h"

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "llvm/Support/Program.h"
#include "runtime/atomic_file.h"

namespace weft::driver {

namespace fs = std::filesystem;

EmbeddedFile::~EmbeddedFile() {
  std::error_code error;
  if (!folder_.empty()) fs::remove_all(folder_, error);
}

absl::Status EmbeddedFile::Pack(const std::string& executable, const std::vector<std::string>& weight_files) {
  std::error_code error;
  std::string pattern = (fs::temp_directory_path(error) / "weft-XXXXXX").string();
  if (error || !::mkdtemp(pattern.data()))
    return absl::PermissionDeniedError("cannot make a temporary folder; is TMPDIR right?");
  folder_ = pattern;
  std::string program = folder_ + "/program", offsets = folder_ + "/offsets", log = folder_ + "/log";
  weights_.path = folder_ + "/weights";
  runtime::Status written = runtime::WriteFileAtomically(program, executable);
  if (!written.ok()) return absl::ResourceExhaustedError(written.message());
  fs::permissions(program, fs::perms::owner_all, error);

  std::vector<std::string> words{program, "--write-packed-weights", weights_.path};
  for (const std::string& file : weight_files) words.insert(words.end(), {"--weights", file});
  std::vector<llvm::StringRef> arguments(words.begin(), words.end());
  std::optional<llvm::StringRef> redirects[] = {std::nullopt, llvm::StringRef(offsets), llvm::StringRef(log)};
  std::string problem;
  if (llvm::sys::ExecuteAndWait(program, arguments, std::nullopt, redirects, 0, 0, &problem) != 0) {
    std::ifstream stream(log);
    std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    absl::string_view said = absl::StripSuffix(absl::StripPrefix(text, "program: error: "), "\n");
    return absl::InvalidArgumentError(text.empty() ? absl::StrCat("the weights cannot be prepared: ", problem)
                                                   : std::string(said));
  }
  std::ifstream stream(offsets);
  for (int64_t offset; stream >> offset;) weights_.offsets.push_back(offset);
  return absl::OkStatus();
}

}  // namespace weft::driver
