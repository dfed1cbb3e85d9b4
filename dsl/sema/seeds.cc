// The inherited `seed` (R31): a call that does not set it passes on the caller's, mixed with the place of the
// call and all that counts there, so that no two calls draw the same numbers. Only what reads a seed pays for
// this: mixing is done where `seed` is read, once for the whole way from the seed that somebody has given.

#include <algorithm>

#include "dsl/ast/visitor.h"
#include "dsl/sema/elaborator.h"

namespace weft::dsl::sema {

namespace {

// FNV-1a. Places are told apart by what is written, not by numbers of lines: what is changed elsewhere in a
// file changes no stream.
uint64_t Hashed(uint64_t hash, absl::string_view text) {
  if (hash == 0) hash = 0xCBF29CE484222325;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return (hash ^ 0xFF) * 0x100000001B3;  // an end: no text has this byte
}

uint64_t Hashed(uint64_t hash, int64_t number) { return Hashed(hash, std::to_string(number)); }

// How many calls of what is written `callee` stand in front of `call`; nothing if it is not below `expr`.
std::optional<int> CallsBefore(const ast::Expr& expr, const ast::Expr& call, const SourceManager& sources,
                               absl::string_view callee, int* count) {
  if (&expr == &call) return *count;
  std::optional<int> found;
  ast::ForEachChild(expr, [&](const ast::Expr& child) {
    if (!found) found = CallsBefore(child, call, sources, callee, count);
  });
  const auto* node = expr.As<ast::Call>();
  if (!found && node && sources.Text(node->callee->span) == callee) ++*count;
  return found;
}

constexpr int64_t kTwoTo32 = int64_t{1} << 32;

}  // namespace

bool Elaborator::IsSeed(const ast::Param& param) {
  const auto* type = param.type->As<ast::NamedType>();
  std::string word = type && type->sizes.empty() ? type->path.ToString() : "";
  return param.name.text == "seed" && !param.default_value && !param.optional &&
         (word == "i64" || word == "int");
}

// From here on calls stand in the equation `name`, whose right side is `value`.
void Elaborator::BeginSentence(const std::string& name, const ast::Expr* value) {
  std::vector<const ast::Expr*>& met = frame_->sentences[name];
  auto place = std::find(met.begin(), met.end(), value);
  frame_->sentence = {name, value, static_cast<int>(place - met.begin())};
  if (place == met.end()) met.push_back(value);
}

// The indices in force; of one that a wider one stands in for, that one.
std::vector<IndexPtr> Elaborator::IndicesAround() {
  std::vector<IndexPtr> around;
  for (const IndexPtr& index : in_force_) {
    bool is_replaced = std::any_of(in_force_.begin(), in_force_.end(),
                                   [&](const IndexPtr& other) { return other->stands_for == index; });
    if (!is_replaced) around.push_back(index);
  }
  return around;
}

// What `seed` is in the body that `call`, in the current frame, makes run.
void Elaborator::InheritSeed(const ast::Expr& call, const std::optional<Argument>& given, Frame& frame) {
  if (given) {
    frame.seed.from = given->value;
    frame.seed.source = Frame::Seed::Source::kSet;
    return;
  }
  Frame::Seed seed = frame_->seed;
  seed.source = Frame::Seed::Source::kInherited;
  Binding* own = Find("seed");
  bool is_member = false;
  Value member =
      own || !frame_->self ? Value(Poison{}) : MemberValue(frame_->self, "seed", call.span, &is_member);
  if (own || is_member) {
    seed = Frame::Seed();
    seed.from = own ? own->value : member;
    seed.source = Frame::Seed::Source::kBound;
  }
  const Frame::Sentence& sentence = frame_->sentence;
  const auto* node = call.As<ast::Call>();
  absl::string_view callee = node ? sources_.Text(node->callee->span) : absl::string_view();
  int count = 0;
  if (sentence.value) CallsBefore(*sentence.value, call, sources_, callee, &count);
  seed.place = Hashed(Hashed(seed.place, sentence.name), int64_t{sentence.number});
  seed.place = Hashed(Hashed(seed.place, callee), int64_t{count});
  for (int64_t round : frame_->rounds) seed.place = Hashed(seed.place, round);
  std::vector<IndexPtr> indices = frame_->steps, around = IndicesAround();
  indices.insert(indices.end(), around.begin(), around.end());
  for (const IndexPtr& index : indices) seed.counters.push_back(IndexScalar(*index, call.span));
  frame.seed = std::move(seed);
}

// `seed` in a body that has none of its own.
Value Elaborator::SeedOfFrame(Span span) {
  using Source = Frame::Seed::Source;
  for (Frame* frame = frame_; frame && frame->seed.source != Source::kSet; frame = frame->caller) {
    frame->reads_seed = true;
    if (frame->seed.source == Source::kBound) break;
  }
  if (!frame_->seed.from) {
    if (generic_) return ElementAt(*StoredTensor(NewTensor("seed", ElementType::kI64, {}, span)), {}, span);
    // It is missing where calls begin.
    Frame* frame = frame_;
    while (frame->caller && frame->call.valid()) span = frame->call, frame = frame->caller;
    FrameScope scope(*this, *frame);
    Report(span, kMissingSeed)
        .Suggest("take it as an input, `seed: i64`, or set it in the call: `f(x, seed = 1)`");
    return Poison{};
  }
  Value mixed = MixedSeed(frame_->seed, span);
  // An equation of its own, not a part of every element.
  if (!mixed.As<Scalar>() || frame_->is_inline || generic_ || !statements_) return mixed;
  return ElementAt(*Materialize(*AsTensor(mixed, span), "seed", span), {}, span);
}

Value Elaborator::MixedSeed(const Frame::Seed& seed, Span span) {
  if (seed.from->IsPoison()) return Poison{};
  if (seed.place == 0 && seed.counters.empty()) {
    std::optional<Scalar> scalar = ToScalar(*seed.from, ElementType::kI64, span);
    return scalar ? Value(CastTo(*scalar, ElementType::kI64, span)) : Value(Poison{});
  }
  auto word = [&](int64_t number) {
    std::vector<Value> values{*seed.from, Size(static_cast<int64_t>(seed.place % kTwoTo32)),
                              Size(static_cast<int64_t>(seed.place / kTwoTo32)), Size(number)};
    for (const Scalar& counter : seed.counters) values.emplace_back(counter);
    return CallBits(values, {}, span);
  };
  Value low = word(0), high = word(1);
  if (!low.As<Scalar>() || !high.As<Scalar>()) return Poison{};
  Scalar half = CastTo(*ToScalar(Value(Size(kTwoTo32)), ElementType::kI64, span), ElementType::kI64, span);
  Scalar shifted = Call2(Function::kMul, *high.As<Scalar>(), half, ElementType::kI64, span);
  return Call2(Function::kAdd, *low.As<Scalar>(), shifted, ElementType::kI64, span);
}

}  // namespace weft::dsl::sema
