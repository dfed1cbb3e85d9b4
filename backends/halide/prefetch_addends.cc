#include "backends/halide/prefetch_addends.h"

#include <utility>
#include <vector>

#include "backends/halide/prefetch_weights.h"

namespace weft::backends {

using namespace Halide::Internal;
using Halide::Expr;

namespace {

// More of them would wait for each other.
constexpr size_t kMostLines = 32;

class HasLoop : public IRVisitor {
 public:
  bool found = false;

 private:
  using IRVisitor::visit;
  void visit(const For*) override { found = true; }
};

// Where vectors of some buffers are read, one place of each line.
class LinesRead : public IRVisitor {
 public:
  explicit LinesRead(const std::set<std::string>& buffers) : buffers_(buffers) {}

  std::vector<std::pair<std::string, Expr>> lines;  // buffer and index

 private:
  using IRVisitor::visit;
  void visit(const LetStmt* let) override {
    lets_.emplace_back(let->name, let->value);
    IRVisitor::visit(let);
  }
  void visit(const Let* let) override {
    lets_.emplace_back(let->name, let->value);
    IRVisitor::visit(let);
  }
  void visit(const Load* load) override {
    if (const Ramp* ramp = load->index.as<Ramp>(); ramp && buffers_.count(load->name)) {
      Expr place = ramp->base;
      for (auto let = lets_.rbegin(); let != lets_.rend(); ++let)
        place = substitute(let->first, let->second, place);
      Add(load->name, simplify(place));
    }
    IRVisitor::visit(load);
  }
  void Add(const std::string& buffer, const Expr& place) {
    for (const auto& [name, other] : lines) {
      auto apart = as_const_int(simplify(place - other));
      if (name == buffer && apart && *apart >= 0 && *apart < kLineElements) return;
    }
    if (lines.size() < kMostLines) lines.emplace_back(buffer, place);
  }

  const std::set<std::string>& buffers_;
  std::vector<std::pair<std::string, Expr>> lets_;
};

}  // namespace

Stmt PrefetchAddends::visit(const Block* block) {
  const auto* sums = block->first.as<ProducerConsumer>();
  const auto* results = block->rest.as<ProducerConsumer>();
  if (!sums || !results || !sums->is_producer || results->is_producer) return IRMutator::visit(block);
  HasLoop in_sums, in_results;
  LinesRead read(buffers_);
  sums->body.accept(&in_sums);
  results->body.accept(&in_results);
  results->body.accept(&read);
  if (!in_sums.found || in_results.found || read.lines.empty()) return IRMutator::visit(block);
  std::vector<Stmt> all;
  for (const auto& [buffer, place] : read.lines) all.push_back(AskForLine(buffer, place));
  all.push_back(block->first);
  all.push_back(block->rest);
  return Block::make(all);
}

}  // namespace weft::backends
