#include "compiler/driver/build_identity.h"

#include <elf.h>
#include <link.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "llvm/ADT/StringExtras.h"

namespace weft::driver {

namespace {

// The build ID among the notes of a loaded segment; empty if there is none.
std::string BuildIdIn(absl::string_view notes) {
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(notes.data());
    size_t name = (note->n_namesz + 3) & ~3u, content = (note->n_descsz + 3) & ~3u;
    if (notes.size() < sizeof *note + name + content) break;
    if (note->n_type == NT_GNU_BUILD_ID && notes.substr(sizeof *note, 3) == "GNU")
      return llvm::toHex(llvm::StringRef(notes.data() + sizeof *note + name, note->n_descsz), true);
    notes.remove_prefix(sizeof *note + name + content);
  }
  return "";
}

int AddLibrary(dl_phdr_info* library, size_t, void* identity) {
  std::string id;
  for (int i = 0; i < library->dlpi_phnum && id.empty(); ++i) {
    const ElfW(Phdr) & header = library->dlpi_phdr[i];
    // The loader tells addresses as numbers.
    if (header.p_type == PT_NOTE)
      // NOLINTNEXTLINE(performance-no-int-to-ptr)
      id = BuildIdIn({reinterpret_cast<const char*>(library->dlpi_addr + header.p_vaddr), header.p_memsz});
  }
  absl::string_view path = library->dlpi_name;
  struct stat file;
  if (id.empty() && ::stat(path.empty() ? "/proc/self/exe" : library->dlpi_name, &file) == 0)
    id = absl::StrCat(file.st_size, "@", file.st_mtim.tv_sec, ".", file.st_mtim.tv_nsec);
  absl::StrAppend(static_cast<std::string*>(identity), id, id.empty() ? "" : "\n");
  return 0;
}

}  // namespace

const std::string& BuildIdentity() {
  static const std::string identity = [] {
    std::string text;
    dl_iterate_phdr(AddLibrary, &text);
    return text;
  }();
  return identity;
}

}  // namespace weft::driver
