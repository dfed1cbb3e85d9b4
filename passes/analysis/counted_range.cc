#include "passes/analysis/counted_range.h"

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"

namespace weft::passes {

llvm::SmallVector<CountedEnd> CountedEndsOf(ir::ReduceOp reduce, llvm::StringRef name) {
  auto attribute = reduce->getAttrOfType<mlir::AffineMapAttr>(name);
  if (!attribute) return {};
  mlir::AffineMap map = attribute.getValue();
  mlir::Builder builder(reduce.getContext());
  llvm::SmallVector<mlir::Attribute> at(map.getNumDims(), builder.getIndexAttr(0));
  auto value = [&](unsigned result) {
    llvm::SmallVector<mlir::Attribute> values;
    (void)map.constantFold(at, values);
    return mlir::cast<mlir::IntegerAttr>(values[result]).getInt();
  };
  llvm::SmallVector<CountedEnd> ends;
  for (unsigned result = 0; result < map.getNumResults(); ++result) {
    CountedEnd end{{}, value(result)};
    for (unsigned index = 0; index < map.getNumDims(); ++index) {
      at[index] = builder.getIndexAttr(1);
      end.coefficients.push_back(value(result) - end.constant);
      at[index] = builder.getIndexAttr(0);
    }
    ends.push_back(end);
  }
  return ends;
}

}  // namespace weft::passes
