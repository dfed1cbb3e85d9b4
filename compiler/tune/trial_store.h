#ifndef WEFT_COMPILER_TUNE_TRIAL_STORE_H_
#define WEFT_COMPILER_TUNE_TRIAL_STORE_H_

// Every trial ever made, in an SQLite database: what was tried is not tried again, in this model or another.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "compiler/tune/paired_rounds.h"

struct sqlite3;

namespace weft::tune {

// A challenger against an incumbent. Texts of schedules are canonical, see driver::CanonicalText.
struct TrialKey {
  std::string kernel;  // what it computes, for which sizes
  std::string target, compiler;
  int64_t threads = 0;
  std::string incumbent, challenger;
};

struct Trial {
  bool is_faster = false;  // both measurements say so
  std::string problem;     // why the challenger was rejected; empty: it computes what it should
  Rounds first, second;    // the second only if the first promises something
};

// Each trial is written whole or not at all, at once: whatever ends the process, those before stay. Several
// processes may use one file.
class TrialStore {
 public:
  // Makes the file where there is none.
  static absl::StatusOr<TrialStore> Open(const std::string& path);

  absl::StatusOr<std::optional<Trial>> Find(const TrialKey& key) const;
  absl::Status Keep(const TrialKey& key, const Trial& trial);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit TrialStore(sqlite3* database) : database_(database) {}
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace weft::tune

#endif  // WEFT_COMPILER_TUNE_TRIAL_STORE_H_
