#include "passes/analysis/structure.h"

#include "compiler/ir/weft_dialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/raw_ostream.h"

namespace weft::passes {
namespace {

using mlir::Value;

constexpr llvm::StringLiteral kLeftOut[] = {"path", "names", "group", "fused", "sym_name"};

// Names, attributes and types are objects of the context, equal ones the same: an address says as much as a
// text, and is written in a fraction of the time.
class Writer {
 public:
  std::string Write(mlir::Operation* op) {
    WriteOp(op);
    return std::move(text_);
  }

 private:
  void WriteOp(mlir::Operation* op) {
    stream_ << op->getName().getAsOpaquePointer() << "(";
    for (Value operand : op->getOperands()) {
      auto number = numbers_.find(operand);
      if (number != numbers_.end()) {
        stream_ << "%" << number->second << " ";
      } else {
        stream_ << "outside" << operand.getAsOpaquePointer() << " ";
      }
    }
    stream_ << "){";
    for (mlir::NamedAttribute attribute : op->getAttrDictionary()) {
      // A weight's path is what it is; an equation's or a kernel's is what it is called.
      if (!mlir::isa<ir::WeightOp>(op) && llvm::is_contained(kLeftOut, attribute.getName().getValue()))
        continue;
      stream_ << attribute.getName().getAsOpaquePointer() << "=" << attribute.getValue().getAsOpaquePointer()
              << " ";
    }
    stream_ << "}";
    for (mlir::Type type : op->getResultTypes()) stream_ << type.getAsOpaquePointer() << ",";
    for (mlir::Region& region : op->getRegions()) {
      stream_ << "[";
      for (mlir::Block& block : region) {
        for (Value argument : block.getArguments()) {
          numbers_.try_emplace(argument, numbers_.size());
          stream_ << argument.getType().getAsOpaquePointer() << ",";
        }
        stream_ << ":";
        for (mlir::Operation& inner : block) WriteOp(&inner);
      }
      stream_ << "]";
    }
    for (Value result : op->getResults()) numbers_.try_emplace(result, numbers_.size());
    stream_ << ";";
  }

  std::string text_;
  llvm::raw_string_ostream stream_{text_};
  llvm::DenseMap<Value, unsigned> numbers_;
};

}  // namespace

std::string StructureOf(mlir::Operation* op) { return Writer().Write(op); }

}  // namespace weft::passes
