#include "passes/analysis/packing.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft::passes {
namespace {

std::string TextAt(mlir::DictionaryAttr entry, llvm::StringRef name) {
  return entry.getAs<mlir::StringAttr>(name).str();
}

std::vector<std::string> TextsAt(mlir::DictionaryAttr entry, llvm::StringRef name) {
  std::vector<std::string> texts;
  for (llvm::StringRef text : entry.getAs<mlir::ArrayAttr>(name).getAsValueRange<mlir::StringAttr>())
    texts.push_back(text.str());
  return texts;
}

mlir::ArrayAttr ToAttribute(mlir::Builder& builder, const std::vector<std::string>& texts) {
  llvm::SmallVector<mlir::Attribute> attributes;
  for (const std::string& text : texts) attributes.push_back(builder.getStringAttr(text));
  return builder.getArrayAttr(attributes);
}

mlir::ArrayAttr EntriesOf(mlir::Operation* holder, llvm::StringRef name, llvm::StringRef path) {
  auto all = holder->getAttrOfType<mlir::DictionaryAttr>(name);
  auto entries = all ? all.getAs<mlir::ArrayAttr>(path) : nullptr;
  return entries ? entries : mlir::ArrayAttr::get(holder->getContext(), {});
}

}  // namespace

mlir::Attribute ToAttribute(mlir::MLIRContext* context, const Packing& packing) {
  mlir::Builder builder(context);
  std::vector<std::string> indices;
  llvm::SmallVector<int64_t> divisors, moduli;
  for (const PackedPart& part : packing.order) {
    indices.push_back(part.index);
    divisors.push_back(part.divisor);
    moduli.push_back(part.modulus);
  }
  return builder.getDictionaryAttr({
      builder.getNamedAttr("operand", builder.getStringAttr(packing.operand)),
      builder.getNamedAttr("indices", ToAttribute(builder, indices)),
      builder.getNamedAttr("divisors", builder.getDenseI64ArrayAttr(divisors)),
      builder.getNamedAttr("moduli", builder.getDenseI64ArrayAttr(moduli)),
  });
}

mlir::Attribute ToAttribute(mlir::MLIRContext* context, const PackingProblem& problem) {
  mlir::Builder builder(context);
  return builder.getDictionaryAttr({
      builder.getNamedAttr("operand", builder.getStringAttr(problem.operand)),
      builder.getNamedAttr("text", builder.getStringAttr(problem.text)),
      builder.getNamedAttr("place", builder.getI64IntegerAttr(problem.place)),
      builder.getNamedAttr("missing", builder.getStringAttr(problem.missing)),
      builder.getNamedAttr("known", ToAttribute(builder, problem.known)),
  });
}

std::vector<Packing> PackingsOf(mlir::Operation* holder, llvm::StringRef name, llvm::StringRef path) {
  std::vector<Packing> packings;
  for (auto entry : EntriesOf(holder, name, path).getAsRange<mlir::DictionaryAttr>()) {
    Packing& packing = packings.emplace_back(Packing{TextAt(entry, "operand"), {}});
    auto divisors = entry.getAs<mlir::DenseI64ArrayAttr>("divisors");
    auto moduli = entry.getAs<mlir::DenseI64ArrayAttr>("moduli");
    for (const std::string& index : TextsAt(entry, "indices")) {
      auto position = static_cast<int64_t>(packing.order.size());
      packing.order.push_back({index, divisors[position], moduli[position]});
    }
  }
  return packings;
}

std::vector<PackingProblem> PackingProblemsOf(mlir::Operation* holder, llvm::StringRef path) {
  std::vector<PackingProblem> problems;
  for (auto entry : EntriesOf(holder, kPackingProblems, path).getAsRange<mlir::DictionaryAttr>())
    problems.push_back({TextAt(entry, "operand"), TextAt(entry, "text"),
                        entry.getAs<mlir::IntegerAttr>("place").getInt(), TextAt(entry, "missing"),
                        TextsAt(entry, "known")});
  return problems;
}

void PathEntries::KeepWith(mlir::Operation* holder, llvm::StringRef name) const {
  if (entries_.empty()) return;
  mlir::Builder builder(holder->getContext());
  llvm::SmallVector<mlir::NamedAttribute> all;
  for (const auto& [path, entries] : entries_)
    all.push_back(builder.getNamedAttr(path, builder.getArrayAttr(entries)));
  holder->setAttr(name, builder.getDictionaryAttr(all));
}

bool HasPacking(ir::EquationOp equation) {
  auto module = equation->getParentOfType<mlir::ModuleOp>();
  return module && equation.getPath() && !EntriesOf(module, kPacking, *equation.getPath()).empty();
}

}  // namespace weft::passes
