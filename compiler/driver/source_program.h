#ifndef WEFT_COMPILER_DRIVER_SOURCE_PROGRAM_H_
#define WEFT_COMPILER_DRIVER_SOURCE_PROGRAM_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/driver/schedules.h"
#include "dsl/ast/decl.h"
#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"
#include "dsl/module/module_loader.h"
#include "dsl/sema/sema.h"

namespace weft::driver {

// One model file and what it imports, read and checked. Diagnostics collect here; the caller prints them.
class SourceProgram {
 public:
  // Reads `path`; what is wrong inside is in diagnostics(). False if the file itself cannot be read.
  bool Load(const std::string& path);

  // The program of an entry: of the only one where `entry` is empty. Nothing if something was reported.
  std::optional<dsl::Program> Elaborate(const std::string& entry, const std::map<std::string, int64_t>& dims);

  // Reads a file of `schedule` blocks, which overrule those of the model files. False if it cannot be read.
  bool LoadSchedules(const std::string& path);

  // The same of what `weft tune` has put beside the model, if it has (see TunedSchedulesOf). Where the model
  // has several entries, blocks may be about another one. False if there is no such file.
  bool LoadTunedSchedules();

  // The blocks of all files, weakest first: of imported ones before those that import them.
  const std::vector<ScheduleSource>& schedules() const { return schedules_; }

  const dsl::sema::Module* module() const { return module_; }
  dsl::SourceManager& sources() { return sources_; }
  dsl::Diagnostics& diagnostics() { return diagnostics_; }

 private:
  bool LoadSchedules(const std::string& path, ScheduleSource::Scope about);
  void CheckScheduleNames();

  dsl::SourceManager sources_;
  dsl::Diagnostics diagnostics_;
  std::string path_;
  std::unique_ptr<dsl::ModuleLoader> loader_;
  const dsl::sema::Module* module_ = nullptr;
  dsl::Program declared_;  // what is known of the module's declarations without an instance
  std::vector<std::unique_ptr<dsl::ast::File>> schedule_files_;
  std::vector<ScheduleSource> schedules_;
};

// The file beside the model file `path` that `weft tune` writes and the other commands look for:
// MODEL.tuned.schedule.
std::string TunedSchedulesOf(const std::string& path);

// The folder of the standard library: share/weft/stdlib beside the installed compiler, or the one it was
// built from.
std::string StandardLibrary();

}  // namespace weft::driver

#endif  // WEFT_COMPILER_DRIVER_SOURCE_PROGRAM_H_
