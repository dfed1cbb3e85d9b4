#ifndef WEFT_BACKENDS_HALIDE_PREFETCH_WEIGHTS_H_
#define WEFT_BACKENDS_HALIDE_PREFETCH_WEIGHTS_H_

#include <Halide.h>

#include <string>
#include <vector>

namespace weft::backends {

// Elements of 4 bytes in a line of the caches.
inline constexpr int32_t kLineElements = 16;

// Asks for the line of `buffer` that holds the element at `place`.
Halide::Internal::Stmt AskForLine(const std::string& buffer, const Halide::Expr& place);

// While a step of one loop runs, what the next step reads of a buffer is fetched into the cache.
struct Prefetch {
  // Halide's name of the loop is the stage, the loops that it was split from, and its own name.
  std::string stage, loop;
  std::string buffer;  // which each step reads a dense block of
  int64_t block = 0;   // elements
};

// A lowering pass that puts prefetches into the innermost loops of `loop` that read the buffer, a few in each
// of their steps. Halide's own prefetch directive would ask for the whole block in every step.
class PrefetchWeights : public Halide::Internal::IRMutator {
 public:
  explicit PrefetchWeights(std::vector<Prefetch> wanted) : wanted_(std::move(wanted)) {}

  Halide::Internal::Stmt visit(const Halide::Internal::For* loop) override;
  Halide::Internal::Stmt visit(const Halide::Internal::LetStmt* let) override;

 private:
  Halide::Internal::Stmt Requests(const Halide::Internal::For* innermost) const;

  std::vector<Prefetch> wanted_;
  const Prefetch* current_ = nullptr;
  const Halide::Internal::For* outer_ = nullptr;       // the loop of `current_`
  std::vector<const Halide::Internal::For*> between_;  // inside of it, outermost first
  std::vector<std::pair<std::string, Halide::Expr>> lets_;
};

}  // namespace weft::backends

#endif  // WEFT_BACKENDS_HALIDE_PREFETCH_WEIGHTS_H_
