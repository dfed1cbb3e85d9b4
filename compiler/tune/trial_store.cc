#include "compiler/tune/trial_store.h"

#include <sqlite3.h>

#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"

namespace weft::tune {
namespace {

constexpr int kWaitMs = 10'000;  // for another process that writes

constexpr char kTables[] = R"(
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS trials (
    kernel TEXT NOT NULL, target TEXT NOT NULL, compiler TEXT NOT NULL, threads INTEGER NOT NULL,
    incumbent TEXT NOT NULL, challenger TEXT NOT NULL,  -- hashes, as those above
    schedule TEXT NOT NULL,                             -- the challenger's, for people
    is_faster INTEGER NOT NULL, problem TEXT NOT NULL, first BLOB NOT NULL, second BLOB NOT NULL,
    incumbent_us REAL, challenger_us REAL,              -- of the first measurement, for people
    made TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (kernel, target, compiler, threads, incumbent, challenger)
  ) WITHOUT ROWID;
)";

std::string HashOf(const std::string& text) {
  llvm::BLAKE3 hasher;
  hasher.update(text);
  return llvm::toHex(hasher.final<16>(), true);
}

absl::Status ProblemOf(sqlite3* database, absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", sqlite3_errmsg(database)));
}

class Statement {
 public:
  Statement(sqlite3* database, const char* text) {
    if (sqlite3_prepare_v2(database, text, -1, &statement_, nullptr) != SQLITE_OK) statement_ = nullptr;
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void Bind(const std::string& text) {
    sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  }
  void BindBytes(const std::string& bytes) {
    sqlite3_bind_blob(statement_, ++bound_, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
  }
  void Bind(int64_t number) { sqlite3_bind_int64(statement_, ++bound_, number); }
  void Bind(double number) { sqlite3_bind_double(statement_, ++bound_, number); }
  void Bind(const TrialKey& key) {
    for (const std::string* text : {&key.kernel, &key.target, &key.compiler}) Bind(HashOf(*text));
    Bind(key.threads);
    for (const std::string* text : {&key.incumbent, &key.challenger}) Bind(HashOf(*text));
  }

  int Step() { return statement_ ? sqlite3_step(statement_) : SQLITE_ERROR; }
  int64_t Number(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string Bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return data ? std::string(data, static_cast<size_t>(sqlite3_column_bytes(statement_, column))) : "";
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

}  // namespace

void TrialStore::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

absl::StatusOr<TrialStore> TrialStore::Open(const std::string& path) {
  std::error_code error;
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  sqlite3* database = nullptr;
  int opened = sqlite3_open(path.c_str(), &database);
  TrialStore store(database);
  if (opened != SQLITE_OK) return ProblemOf(database, path);
  sqlite3_busy_timeout(database, kWaitMs);
  if (sqlite3_exec(database, kTables, nullptr, nullptr, nullptr) != SQLITE_OK)
    return ProblemOf(database, path);
  return store;
}

absl::StatusOr<std::optional<Trial>> TrialStore::Find(const TrialKey& key) const {
  Statement find(database_.get(),
                 "SELECT is_faster, problem, first, second FROM trials WHERE kernel = ? AND target = ? AND "
                 "compiler = ? AND threads = ? AND incumbent = ? AND challenger = ?");
  find.Bind(key);
  int state = find.Step();
  if (state == SQLITE_DONE) return std::nullopt;
  if (state != SQLITE_ROW) return ProblemOf(database_.get(), "reading a trial");
  return Trial{find.Number(0) != 0, find.Bytes(1), RoundsFrom(find.Bytes(2)), RoundsFrom(find.Bytes(3))};
}

absl::Status TrialStore::Keep(const TrialKey& key, const Trial& trial) {
  Statement keep(database_.get(),
                 "INSERT OR IGNORE INTO trials (kernel, target, compiler, threads, incumbent, challenger, "
                 "schedule, is_faster, problem, first, second, incumbent_us, challenger_us) "
                 "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  keep.Bind(key);
  keep.Bind(key.challenger);
  keep.Bind(int64_t{trial.is_faster});
  keep.Bind(trial.problem);
  keep.BindBytes(ToBytes(trial.first));
  keep.BindBytes(ToBytes(trial.second));
  keep.Bind(trial.first.incumbent_seconds * 1e6);
  keep.Bind(trial.first.challenger_seconds * 1e6);
  if (keep.Step() != SQLITE_DONE) return ProblemOf(database_.get(), "keeping a trial");
  return absl::OkStatus();
}

}  // namespace weft::tune
