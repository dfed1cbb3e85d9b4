#ifndef WEFT_DSL_MODULE_MODULE_LOADER_H_
#define WEFT_DSL_MODULE_MODULE_LOADER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dsl/ast/decl.h"
#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"
#include "dsl/sema/value.h"

namespace weft::dsl {

// Where files come from: the disk, or a table in tests. Nothing for a file that cannot be read.
using FileReader = std::function<std::optional<std::string>(const std::string& path)>;
FileReader DiskReader();

// Reads a file and everything it imports. `std.norm` is `norm.weft` in the folder of the standard library;
// other dotted names and quoted paths are relative to the file that imports them. Each file is read once.
class ModuleLoader {
 public:
  ModuleLoader(SourceManager& sources, Diagnostics& diagnostics, FileReader reader, std::string stdlib)
      : sources_(sources),
        diagnostics_(diagnostics),
        reader_(std::move(reader)),
        stdlib_(std::move(stdlib)) {}

  // The module of the file at `path`, or null if it cannot be read (nothing is reported then: the path is the
  // user's). What is wrong inside is reported; the module then holds what could be read.
  const sema::Module* Load(const std::string& path);

  // All that has been read, each behind what it imports.
  const std::vector<const sema::Module*>& modules() const { return modules_; }

 private:
  struct Loaded {
    std::unique_ptr<ast::File> file;
    std::unique_ptr<sema::Module> module;
    bool complete = false;  // false while its imports are being read: importing it then is a cycle
  };

  const sema::Module* LoadImport(const ast::Import& import, const std::string& importer);
  const sema::Module* LoadPath(const std::string& path);
  void ReadDeclarations(Loaded& loaded, const std::string& path);

  SourceManager& sources_;
  Diagnostics& diagnostics_;
  FileReader reader_;
  std::string stdlib_;
  std::map<std::string, Loaded> loaded_;  // by path
  std::vector<std::string> open_;         // the chain of imports being read
  std::vector<const sema::Module*> modules_;
};

}  // namespace weft::dsl

#endif  // WEFT_DSL_MODULE_MODULE_LOADER_H_
