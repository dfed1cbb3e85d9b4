#include "backends/halide/prefetch_weights.h"

#include <algorithm>

namespace weft::backends {

using namespace Halide::Internal;
using Halide::Expr;

namespace {

// More of them in one step would wait for each other.
constexpr int64_t kMostPerStep = 4;
// Of steps that are told at run time.
constexpr int64_t kUnknownSteps = 16;

// The first place that is read of a buffer, and the lets in front of it.
class FirstRead : public IRVisitor {
 public:
  explicit FirstRead(std::string buffer) : buffer_(std::move(buffer)) {}

  Expr place;
  bool has_loop = false;
  std::vector<std::pair<std::string, Expr>> lets;

 private:
  using IRVisitor::visit;
  void visit(const For*) override { has_loop = true; }
  void visit(const LetStmt* let) override {
    lets.emplace_back(let->name, let->value);
    IRVisitor::visit(let);
  }
  void visit(const Let* let) override {
    lets.emplace_back(let->name, let->value);
    IRVisitor::visit(let);
  }
  void visit(const Load* load) override {
    if (load->name == buffer_ && !place.defined()) {
      const Ramp* ramp = load->index.as<Ramp>();
      if (ramp || load->type.is_scalar()) place = ramp ? ramp->base : load->index;
    }
    IRVisitor::visit(load);
  }

  std::string buffer_;
};

}  // namespace

Stmt AskForLine(const std::string& buffer, const Expr& place) {
  Expr base = Variable::make(Halide::Handle(), buffer);
  return Evaluate::make(Call::make(Halide::Float(32), Call::prefetch,
                                   {base, place, Expr(1), Expr(kLineElements)}, Call::Intrinsic));
}

Stmt PrefetchWeights::visit(const For* loop) {
  if (!current_) {
    auto wanted = std::find_if(wanted_.begin(), wanted_.end(), [&](const Prefetch& each) {
      return loop->name.starts_with(each.stage) && loop->name.ends_with("." + each.loop);
    });
    if (wanted == wanted_.end()) return IRMutator::visit(loop);
    current_ = &*wanted;
    outer_ = loop;
    Stmt done = IRMutator::visit(loop);
    current_ = nullptr;
    return done;
  }
  between_.push_back(loop);
  Stmt requests = Requests(loop);
  Stmt body = requests.defined() ? Block::make(requests, loop->body) : mutate(loop->body);
  between_.pop_back();
  if (body.same_as(loop->body)) return loop;
  return For::make(loop->name, loop->min, loop->extent, loop->for_type, loop->partition_policy,
                   loop->device_api, body);
}

Stmt PrefetchWeights::visit(const LetStmt* let) {
  lets_.emplace_back(let->name, let->value);
  Stmt done = IRMutator::visit(let);
  lets_.pop_back();
  return done;
}

Stmt PrefetchWeights::Requests(const For* innermost) const {
  FirstRead read(current_->buffer);
  innermost->body.accept(&read);
  if (read.has_loop || !read.place.defined()) return {};

  // The number of this step among those of the outer loop's step.
  Expr number = 0;
  int64_t steps = 1;
  for (auto loop = between_.rbegin(); loop != between_.rend(); ++loop) {
    number += (Variable::make(Halide::Int(32), (*loop)->name) - (*loop)->min) * static_cast<int32_t>(steps);
    auto extent = as_const_int((*loop)->extent);
    steps *= extent ? *extent : kUnknownSteps;
    if (!extent) break;
  }
  int64_t lines = (current_->block + kLineElements - 1) / kLineElements;
  if (steps <= 0) return {};
  int64_t each = std::min(kMostPerStep, (lines + steps - 1) / steps);

  Expr next = read.place;
  std::vector<std::pair<std::string, Expr>> lets = lets_;
  lets.insert(lets.end(), read.lets.begin(), read.lets.end());
  for (auto let = lets.rbegin(); let != lets.rend(); ++let) next = substitute(let->first, let->second, next);
  for (const For* loop : between_) next = substitute(loop->name, loop->min, next);
  next = substitute(outer_->name, Variable::make(Halide::Int(32), outer_->name) + 1, next);
  std::vector<Stmt> requests;
  for (int64_t i = 0; i < each; ++i) {
    Expr line = Halide::min(number * static_cast<int32_t>(each) + static_cast<int32_t>(i),
                            static_cast<int32_t>(lines - 1));
    Expr place = simplify(next + line * kLineElements);
    requests.push_back(AskForLine(current_->buffer, place));
  }
  return Block::make(requests);
}

}  // namespace weft::backends
