#include "dsl/parser/precedence.h"

namespace weft::dsl {
namespace {

using ast::BinaryOp;

struct Row {
  TokenKind token;
  int power;
  BinaryOp op;
};
constexpr Row kTable[] = {
    {TokenKind::kOr, kOrPower, BinaryOp::kOr},
    {TokenKind::kAnd, kAndPower, BinaryOp::kAnd},
    {TokenKind::kEqual, kComparisonPower, BinaryOp::kEq},
    {TokenKind::kNotEqual, kComparisonPower, BinaryOp::kNe},
    {TokenKind::kLess, kComparisonPower, BinaryOp::kLt},
    {TokenKind::kLessEqual, kComparisonPower, BinaryOp::kLe},
    {TokenKind::kGreater, kComparisonPower, BinaryOp::kGt},
    {TokenKind::kGreaterEqual, kComparisonPower, BinaryOp::kGe},
    {TokenKind::kIn, kComparisonPower, BinaryOp::kIn},
    {TokenKind::kPlus, kSumPower, BinaryOp::kAdd},
    {TokenKind::kMinus, kSumPower, BinaryOp::kSub},
    {TokenKind::kPlusPlus, kSumPower, BinaryOp::kJoin},
    {TokenKind::kStar, kProductPower, BinaryOp::kMul},
    {TokenKind::kSlash, kProductPower, BinaryOp::kDiv},
    {TokenKind::kDiv, kProductPower, BinaryOp::kFloorDiv},
    {TokenKind::kPercent, kProductPower, BinaryOp::kMod},
    {TokenKind::kCaret, kPowPower, BinaryOp::kPow},
};

}  // namespace

std::optional<InfixOperator> FindInfix(TokenKind kind) {
  for (const Row& row : kTable) {
    if (row.token == kind) return InfixOperator{row.power, row.op};
  }
  return std::nullopt;
}

int PowerOf(ast::BinaryOp op) {
  for (const Row& row : kTable) {
    if (row.op == op) return row.power;
  }
  return 0;
}

}  // namespace weft::dsl
