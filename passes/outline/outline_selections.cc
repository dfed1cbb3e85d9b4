#include "passes/outline/outline_selections.h"

#include "compiler/ir/scatter_ops.h"
#include "mlir/IR/IRMapping.h"
#include "passes/analysis/equation.h"

namespace weft::passes {
namespace {

mlir::StringAttr PathOf(mlir::Operation* op) {
  auto named = mlir::dyn_cast<mlir::NameLoc>(op->getLoc());
  return named ? named.getName() : nullptr;
}

void Outline(mlir::Operation* op, mlir::ValueRange sizes, mlir::SymbolTable& symbols) {
  llvm::StringRef kind = op->getName().stripDialect();
  mlir::OpBuilder builder(op);
  mlir::OperationState state(op->getLoc(), ir::KernelOp::getOperationName());
  mlir::Block& body = state.addRegion()->emplaceBlock();
  mlir::IRMapping mapping;
  llvm::SmallVector<mlir::Value> arguments;
  for (mlir::Value operand : op->getOperands()) {
    if (mapping.contains(operand)) continue;
    arguments.push_back(operand);
    mapping.map(operand, body.addArgument(operand.getType(), operand.getLoc()));
  }
  mlir::OpBuilder inner(op->getContext());
  inner.setInsertionPointToEnd(&body);
  mlir::Operation* clone = inner.clone(*op, mapping);
  ir::ReturnOp::create(inner, op->getLoc(), clone->getResults());
  state.addAttribute("sym_name", builder.getStringAttr(kind));
  state.addAttribute("function_type", mlir::TypeAttr::get(builder.getFunctionType(body.getArgumentTypes(),
                                                                                  op->getResultTypes())));
  auto kernel = mlir::cast<ir::KernelOp>(mlir::Operation::create(state));
  kernel->setAttr("class", builder.getStringAttr(kind));
  mlir::StringAttr path = PathOf(op);
  if (path) kernel->setAttr("path", path);
  symbols.insert(kernel);
  auto launch = ir::LaunchOp::create(builder, op->getLoc(), op->getResultTypes(), kernel.getSymName(),
                                     arguments, sizes);
  if (path) launch->setAttr("path", path);
  op->replaceAllUsesWith(launch);
  op->erase();
}

}  // namespace

void OutlineSelections(mlir::func::FuncOp function, mlir::SymbolTable& symbols) {
  mlir::Block& block = function.getBody().front();
  for (ir::SortOp sort : llvm::to_vector(block.getOps<ir::SortOp>())) Outline(sort, sort.getSizes(), symbols);
  for (ir::SegmentsOp segments : llvm::to_vector(block.getOps<ir::SegmentsOp>()))
    Outline(segments, segments.getSizes(), symbols);
  for (ir::UpdateOp update : llvm::to_vector(block.getOps<ir::UpdateOp>())) {
    mlir::OpBuilder builder(update);
    llvm::SmallVector<mlir::Value> sizes;
    for (auto [axis, size] : llvm::enumerate(update.getType().getShape()))
      if (mlir::ShapedType::isDynamic(size))
        sizes.push_back(mlir::cast<mlir::Value>(
            SizeOf(builder, update.getLoc(), update.getTensor(), static_cast<int64_t>(axis))));
    Outline(update, sizes, symbols);
  }
  for (ir::FilterOp filter : llvm::to_vector(block.getOps<ir::FilterOp>()))
    Outline(filter, filter.getSizes(), symbols);
  for (ir::ExternOp call : llvm::to_vector(block.getOps<ir::ExternOp>()))
    Outline(call, call.getSizes(), symbols);
}

}  // namespace weft::passes
