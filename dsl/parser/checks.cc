// What one token of lookahead cannot refuse, and what would be read in two ways: each refused with both
// readings spelled out. None of it needs types.

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "dsl/ast/visitor.h"
#include "dsl/parser/parser_impl.h"

namespace weft::dsl {

using ast::BinaryOp;
using ast::Expr;
using ast::Reduction;
using ast::ReductionWord;

namespace {

// The value reduction that `expr` ends with, if nothing closes it.
const Expr* TrailingReduction(const Expr& expr) {
  if (expr.parenthesized) return nullptr;
  if (expr.Is<Reduction>()) return &expr;
  if (auto* binary = expr.As<ast::Binary>()) return TrailingReduction(*binary->rhs);
  if (auto* unary = expr.As<ast::Unary>()) return TrailingReduction(*unary->operand);
  return nullptr;
}

// What an `else` behind `expr` most likely was meant for: its last operand.
const Expr* LastOperand(const Expr* expr) {
  if (expr->parenthesized) return expr;
  if (const auto* binary = expr->As<ast::Binary>()) return LastOperand(binary->rhs);
  if (const auto* unary = expr->As<ast::Unary>()) return LastOperand(unary->operand);
  return expr;
}

bool TakesElse(const Expr& expr) {
  if (auto* conditional = expr.As<ast::Conditional>())
    return expr.parenthesized && conditional->otherwise == nullptr;
  // `(x[i] else y[i]) else 0`: the inner one may be absent in turn.
  if (expr.Is<ast::Else>()) return expr.parenthesized;
  return expr.Is<ast::Invalid>() || expr.Is<ast::Subscript>() || expr.Is<Reduction>() ||
         expr.Is<ast::Ref>() || expr.Is<ast::Field>() || expr.Is<ast::Call>();
}

bool IsProduct(BinaryOp op) {
  return op == BinaryOp::kMul || op == BinaryOp::kDiv || op == BinaryOp::kFloorDiv || op == BinaryOp::kMod;
}

}  // namespace

// `else` stands directly after an access, a reduction, an optional, or a call.
void Parser::CheckElse(const Expr& expr) {
  const auto* node = expr.As<ast::Else>();
  if (node == nullptr) return;
  const Expr& value = *node->value;
  const Expr& otherwise = *node->otherwise;
  if (value.Is<ast::Invalid>() || otherwise.Is<ast::Invalid>()) return;
  // The word `else` itself: it stands between the two.
  Span between{expr.span.file, value.span.end, otherwise.span.begin};
  size_t offset = TextOf(between).find("else");
  Span word = between;
  word.begin += static_cast<int32_t>(offset == absl::string_view::npos ? 0 : offset);
  word.end = word.begin + 4;

  if (!TakesElse(value)) {
    const Expr& last = *LastOperand(&value);
    DiagnosticBuilder report = Report(word, kMisplacedElse);
    report.Label(value.span, "this is no access, reduction or optional value");
    if (&last != &value && TakesElse(last)) {
      Span before{value.span.file, value.span.begin, last.span.begin};
      report.Suggest(absl::StrCat("`", Quote(before), " (", Quote(last.span), " else ", Quote(otherwise.span),
                                  ")` stands in for `", Quote(last.span), "` alone"));
    } else {
      report.Suggest("put it directly after the access that may be outside: `(x[i] else 0)`");
    }
    return;
  }
  const auto* reduction = value.As<Reduction>();
  if (reduction != nullptr && !value.parenthesized) {
    const Expr* inner = TrailingReduction(*reduction->body);
    if (inner != nullptr) {
      Report(word, kMisplacedElse)
          .Label(value.span, "two reductions end here")
          .Suggest(absl::StrCat("`(", Quote(value.span), ") else ", Quote(otherwise.span),
                                "` if there is nothing for the outer `", ast::Spelling(reduction->word), "`"))
          .Suggest(absl::StrCat("`(", Quote(inner->span), " else ", Quote(otherwise.span),
                                ")` if there is nothing for the inner `",
                                ast::Spelling(inner->As<Reduction>()->word), "`"));
      return;
    }
  }
  if (otherwise.Is<ast::Conditional>() && !otherwise.parenthesized) {
    const auto& choice = *otherwise.As<ast::Conditional>();
    Report(word, kMisplacedElse)
        .Label(otherwise.span, "an `if` follows, and it could choose in two ways")
        .Suggest(absl::StrCat("`", Quote(value.span), " else (", Quote(otherwise.span), ")`"))
        .Suggest(absl::StrCat("`(", Quote(value.span), " else ", Quote(choice.value->span), ") if ",
                              Quote(choice.condition->span), " ...`"));
  }
}

void Parser::CheckReduction(const Expr& expr) {
  const Reduction& reduction = *expr.As<Reduction>();
  std::string word = ast::Spelling(reduction.word);
  bool sorts = reduction.word == ReductionWord::kArgSort || reduction.word == ReductionWord::kTopK;
  if (reduction.condition != nullptr && sorts) {
    Report(reduction.condition->span, kReductionWhere, word)
        .Suggest(reduction.word == ReductionWord::kTopK ? "give -inf to what is not wanted, or filter first"
                                                        : "filter first");
  }
  bool takes_limit = reduction.word == ReductionWord::kTopK || reduction.word == ReductionWord::kFilter;
  if (reduction.limit != nullptr && !takes_limit) {
    Report(reduction.limit->span, kReductionLimit, word, "takes no number after `;`")
        .Suggest("`topk(i; k)` and `filter(i; k)` do");
  }
  if (reduction.word == ReductionWord::kTopK && reduction.limit == nullptr) {
    Report(reduction.word_span, kReductionLimit, word, "needs the number of elements")
        .Suggest("write `topk(i; 5) x[i]`");
  }
  std::set<std::string> indices;
  ast::CollectNames(reduction.binders, indices);
  if (reduction.word == ReductionWord::kFilter || reduction.body->parenthesized) return;
  if (ast::TakesConditions(reduction.word)) {
    CheckConditions(reduction, *reduction.body, indices);
  } else {
    CheckFactors(reduction, indices);
  }
}

// After the first factor of a body each mentions an index: `argmax(i) x[i] * 4` is one thing or another. A
// sum may be multiplied and divided inside as well as outside.
void Parser::CheckFactors(const Reduction& reduction, const std::set<std::string>& indices) {
  bool scales = reduction.word == ReductionWord::kSum || reduction.word == ReductionWord::kMean;
  for (const Expr* part = reduction.body; !part->parenthesized;) {
    const auto* binary = part->As<ast::Binary>();
    if (binary == nullptr || !IsProduct(binary->op)) break;
    bool free_to_move = scales && (binary->op == BinaryOp::kMul || binary->op == BinaryOp::kDiv);
    if (!free_to_move && !ast::MentionsAny(*binary->rhs, indices)) {
      std::string op = absl::StrCat(" ", ast::Spelling(binary->op), " ");
      Span head{reduction.word_span.file, reduction.word_span.begin, reduction.body->span.begin};
      Span inside = binary->lhs->span;
      Report(binary->rhs->span, kLooseFactor, Quote(binary->rhs->span), ast::Spelling(reduction.word))
          .Suggest(absl::StrCat("`(", Quote(Cover(head, inside)), ")", op, Quote(binary->rhs->span),
                                "` ends the `", ast::Spelling(reduction.word), "` before it"))
          .Suggest(absl::StrCat("`", Quote(head), " (", Quote(inside), op, Quote(binary->rhs->span),
                                ")` keeps it inside"));
      return;
    }
    part = binary->lhs;
  }
}

// any, all and count take everything to their right, so `any(j < i) b[j] or i == 0` would be false where
// there is no j.
void Parser::CheckConditions(const Reduction& reduction, const Expr& part,
                             const std::set<std::string>& indices) {
  const auto* binary = part.As<ast::Binary>();
  if (binary == nullptr || part.parenthesized ||
      (binary->op != BinaryOp::kAnd && binary->op != BinaryOp::kOr))
    return;
  for (const Expr* operand : {binary->lhs, binary->rhs}) {
    const auto* inner = operand->As<ast::Binary>();
    bool goes_on = inner != nullptr && !operand->parenthesized &&
                   (inner->op == BinaryOp::kAnd || inner->op == BinaryOp::kOr);
    if (goes_on) {
      CheckConditions(reduction, *operand, indices);
    } else if (!ast::MentionsAny(*operand, indices) && !operand->Is<ast::Invalid>()) {
      const Expr& other = operand == binary->lhs ? *binary->rhs : *binary->lhs;
      Span head{reduction.word_span.file, reduction.word_span.begin, reduction.body->span.begin};
      Report(operand->span, kLooseCondition, Quote(operand->span), ast::Spelling(reduction.word))
          .Suggest(absl::StrCat("`", Quote(operand->span), " ", ast::Spelling(binary->op), " ", Quote(head),
                                " ", Quote(other.span), "` decides it once, outside"))
          .Suggest(absl::StrCat("`", Quote(head), " (", Quote(reduction.body->span), ")` keeps it inside"));
    }
  }
}

void Parser::CheckArguments(const ast::Call& call) {
  std::set<std::string> seen;
  const ast::Call::Arg* weights = nullptr;
  auto check_name = [&](const ast::Call::Arg& arg) {
    if (!arg.name.text.empty() && !seen.insert(arg.name.text).second) {
      Report(arg.name.span, kRepeatedArgument, arg.name.text);
    }
  };
  for (const ast::Call::Arg& arg : call.args) check_name(arg);
  for (const ast::Call::Arg& arg : call.attributes) {
    check_name(arg);
    if (!arg.name.text.empty()) continue;
    if (weights != nullptr) {
      Report(arg.span, kSeveralWeights)
          .Label(weights->span, "the first one")
          .Suggest("attributes are given by name: `stride = 2`");
    }
    weights = &arg;
  }
}

}  // namespace weft::dsl
