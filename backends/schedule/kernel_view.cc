#include "backends/schedule/kernel_view.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "compiler/ir/weft_dialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace weft::backends {
namespace {

std::vector<mlir::Value> ToVector(mlir::ValueRange values) { return {values.begin(), values.end()}; }

ReduceKind Convert(ir::ReduceKind kind) {
  switch (kind) {
    case ir::ReduceKind::sum:
      return ReduceKind::kSum;
    case ir::ReduceKind::prod:
      return ReduceKind::kProd;
    case ir::ReduceKind::max:
      return ReduceKind::kMax;
    case ir::ReduceKind::min:
      return ReduceKind::kMin;
    case ir::ReduceKind::any:
      return ReduceKind::kAny;
    case ir::ReduceKind::all:
      return ReduceKind::kAll;
    case ir::ReduceKind::argmax:
      return ReduceKind::kArgMax;
    case ir::ReduceKind::argmin:
      return ReduceKind::kArgMin;
    case ir::ReduceKind::first:
      return ReduceKind::kFirst;
    case ir::ReduceKind::last:
      return ReduceKind::kLast;
  }
  return ReduceKind::kSum;
}

Outside Convert(ir::Outside outside) {
  switch (outside) {
    case ir::Outside::inside:
      return Outside::kInside;
    case ir::Outside::fill:
      return Outside::kFill;
    case ir::Outside::clamp:
      return Outside::kClamp;
    case ir::Outside::mirror:
      return Outside::kMirror;
    case ir::Outside::wrap:
      return Outside::kWrap;
  }
  return Outside::kInside;
}

// A name that no loop of the equation has yet.
std::string Unique(const std::string& name, std::set<std::string>& taken) {
  std::string unique = name.empty() ? "i" : name;
  for (int number = 2; !taken.insert(unique).second; ++number) unique = absl::StrCat(name, "_", number);
  return unique;
}

EquationView ViewEquation(ir::EquationOp op, int number) {
  EquationView view;
  view.op = op;
  view.loops.path = op.getPath() ? op.getPath()->str() : absl::StrCat("y", number);
  std::set<std::string> taken;
  llvm::SmallVector<mlir::OpFoldResult> extents = op.getMixedExtents();
  for (size_t i = 0; i < extents.size(); ++i) {
    LoopInfo loop;
    loop.name = Unique(mlir::cast<mlir::StringAttr>(op.getNames()[i]).str(), taken);
    if (auto number = mlir::getConstantIntValue(extents[i])) loop.extent = *number;
    view.loops.domain.push_back(loop);
    view.extents.push_back(loop.extent >= 0 ? mlir::Value() : mlir::cast<mlir::Value>(extents[i]));
  }
  view.indices = ToVector(op.getBody().front().getArguments());
  view.bodies = ToVector(op.getBody().front().getTerminator()->getOperands());
  view.results = ToVector(op.getResults());
  op.getBody().walk<mlir::WalkOrder::PreOrder>([&](mlir::Operation* inner) {
    if (mlir::isa<ir::ReadOp>(inner)) view.reads.push_back(ViewRead(inner));
    if (!mlir::isa<ir::ReduceOp>(inner)) return;
    ReduceView reduce = ViewReduce(inner);
    for (size_t i = 0; i < reduce.loops.size(); ++i) {
      LoopInfo loop{Unique(reduce.loops[i], taken), kUnknown};
      int64_t low = 0, high = 0;
      if (ConstantIndex(reduce.lower[i], &low) && ConstantIndex(reduce.upper[i], &high)) {
        loop.extent = std::max<int64_t>(0, high - low);
      }
      reduce.loops[i] = loop.name;
      view.loops.reductions.push_back(loop);
    }
    view.reduces.push_back(std::move(reduce));
  });
  if (auto common = op->getAttrOfType<mlir::DenseI64ArrayAttr>("common")) {
    for (int64_t position : common.asArrayRef()) view.common.push_back(static_cast<int>(position));
  }
  if (auto packed = op->getAttrOfType<mlir::DictionaryAttr>("packed")) {
    auto axis = packed.getAs<mlir::IntegerAttr>("axis"), block = packed.getAs<mlir::IntegerAttr>("block");
    if (axis && block) view.packed_axis = static_cast<int>(axis.getInt()), view.packed_block = block.getInt();
  }
  return view;
}

bool AddAffine(mlir::Value value, int64_t scale, AffineForm* form) {
  int64_t number;
  if (ConstantIndex(value, &number)) {
    form->constant += scale * number;
    return true;
  }
  mlir::Operation* op = value.getDefiningOp();
  if (!op) {
    if (!value.getType().isIndex()) return false;
    for (auto& [index, coefficient] : form->terms) {
      if (index == value) {
        coefficient += scale;
        return true;
      }
    }
    form->terms.emplace_back(value, scale);
    return true;
  }
  if (mlir::isa<mlir::arith::IndexCastOp>(op)) return AddAffine(op->getOperand(0), scale, form);
  if (mlir::isa<mlir::arith::AddIOp>(op)) {
    return AddAffine(op->getOperand(0), scale, form) && AddAffine(op->getOperand(1), scale, form);
  }
  if (mlir::isa<mlir::arith::SubIOp>(op)) {
    return AddAffine(op->getOperand(0), scale, form) && AddAffine(op->getOperand(1), -scale, form);
  }
  if (mlir::isa<mlir::arith::MulIOp>(op)) {
    if (ConstantIndex(op->getOperand(1), &number)) return AddAffine(op->getOperand(0), scale * number, form);
    if (ConstantIndex(op->getOperand(0), &number)) return AddAffine(op->getOperand(1), scale * number, form);
  }
  return false;
}

bool DependsOn(mlir::Value value, mlir::Value index, std::set<const void*>& seen) {
  if (value == index) return true;
  if (!seen.insert(value.getAsOpaquePointer()).second) return false;
  mlir::Operation* op = value.getDefiningOp();
  if (!op) return false;
  for (mlir::Value operand : op->getOperands()) {
    if (DependsOn(operand, index, seen)) return true;
  }
  bool found = false;
  for (mlir::Region& region : op->getRegions()) {
    region.walk([&](mlir::Operation* inner) {
      for (mlir::Value operand : inner->getOperands()) found = found || DependsOn(operand, index, seen);
    });
  }
  return found;
}

}  // namespace

KernelView ViewKernel(mlir::Operation* kernel) {
  auto op = mlir::cast<ir::KernelOp>(kernel);
  KernelView view;
  view.op = kernel;
  view.name = op.getSymName().str();
  if (auto attr = op->getAttrOfType<mlir::StringAttr>("class")) view.kernel_class = attr.str();
  mlir::Block& body = op.getBody().front();
  view.arguments = ToVector(body.getArguments());
  std::set<std::string> paths;  // a pass may have cut one equation in several
  for (mlir::Operation& inner : body) {
    if (auto equation = mlir::dyn_cast<ir::EquationOp>(inner)) {
      view.equations.push_back(ViewEquation(equation, static_cast<int>(view.equations.size())));
      std::string& path = view.equations.back().loops.path;
      path = Unique(path, paths);
    }
  }
  view.returned = ToVector(body.getTerminator()->getOperands());
  return view;
}

ReadView ViewRead(mlir::Operation* op) {
  auto read = mlir::cast<ir::ReadOp>(op);
  ReadView view;
  view.op = op;
  view.tensor = read.getTensor();
  view.subscripts = ToVector(read.getSubscripts());
  for (size_t i = 0; i < view.subscripts.size(); ++i) view.outside.push_back(Convert(read.getOutsideAt(i)));
  view.fill = read.getFill();
  return view;
}

ReduceView ViewReduce(mlir::Operation* op) {
  auto reduce = mlir::cast<ir::ReduceOp>(op);
  ReduceView view;
  view.op = op;
  view.kind = Convert(reduce.getKind());
  view.lower = ToVector(reduce.getLower());
  view.upper = ToVector(reduce.getUpper());
  for (mlir::Attribute name : reduce.getNames())
    view.loops.push_back(mlir::cast<mlir::StringAttr>(name).str());
  view.indices = ToVector(reduce.getBody().front().getArguments());
  auto yield = mlir::cast<ir::YieldOp>(reduce.getBody().front().getTerminator());
  view.body = yield.getValues()[0];
  view.condition = yield.getCondition();
  view.otherwise = reduce.getIfEmpty();
  return view;
}

bool ConstantIndex(mlir::Value value, int64_t* number) {
  if (!value) return false;
  auto constant = mlir::getConstantIntValue(value);
  if (!constant) return false;
  *number = *constant;
  return true;
}

int64_t AffineForm::Coefficient(mlir::Value index) const {
  for (const auto& [term, coefficient] : terms) {
    if (term == index) return coefficient;
  }
  return 0;
}

bool MatchAffine(mlir::Value subscript, AffineForm* form) {
  *form = {};
  if (!AddAffine(subscript, 1, form)) return false;
  auto& terms = form->terms;
  terms.erase(std::remove_if(terms.begin(), terms.end(), [](const auto& term) { return term.second == 0; }),
              terms.end());
  return true;
}

bool DependsOn(mlir::Value value, mlir::Value index) {
  std::set<const void*> seen;
  return DependsOn(value, index, seen);
}

bool Mentions(const std::vector<mlir::Value>& indices, mlir::Value value) {
  return std::any_of(indices.begin(), indices.end(),
                     [&](mlir::Value index) { return DependsOn(value, index); });
}

// `indices`: of the loop; the last one moves fastest.
Motion MotionOf(const ReadView& read, const std::vector<mlir::Value>& indices) {
  bool mentioned = false;
  for (mlir::Value subscript : read.subscripts) mentioned |= Mentions(indices, subscript);
  if (!mentioned) return Motion::kStill;
  size_t rank = read.subscripts.size();
  mlir::Value last = read.subscripts.back();
  std::vector<size_t> moving;  // axes, but for those that joined loops cover together
  for (size_t i = 0; i < rank; ++i) {
    if (Mentions(indices, read.subscripts[i])) moving.push_back(i);
  }
  if (moving.size() == indices.size() && moving.back() + 1 == rank) {
    AffineForm form;
    bool repeats = read.outside[rank - 1] != Outside::kInside && read.outside[rank - 1] != Outside::kFill;
    if (repeats || !MatchAffine(last, &form)) return Motion::kOther;
    int64_t step = form.Coefficient(indices.back());
    if (step == 1) return Motion::kDense;
    return step > 1 && step <= kWidestSkip && indices.size() == 1 ? Motion::kSkips : Motion::kOther;
  }
  if (indices.size() == 1 && moving.size() == 1) {
    AffineForm form;
    bool strided = read.outside[moving[0]] == Outside::kInside &&
                   MatchAffine(read.subscripts[moving[0]], &form) && form.Coefficient(indices[0]) == 1;
    return strided ? Motion::kStrided : Motion::kOther;
  }
  // Blocked weights: k div block in front, k mod block behind.
  mlir::Operation* front = read.subscripts[moving[0]].getDefiningOp();
  mlir::Operation* behind = last.getDefiningOp();
  bool packed = moving.size() == 2 && front && behind &&
                mlir::isa<mlir::arith::DivUIOp, mlir::arith::DivSIOp, mlir::arith::FloorDivSIOp>(front) &&
                mlir::isa<mlir::arith::RemUIOp, mlir::arith::RemSIOp>(behind) &&
                front->getOperand(0) == indices.back() && behind->getOperand(0) == indices.back();
  return packed ? Motion::kPacked : Motion::kOther;
}

std::optional<PackedWeights> PackedAlong(const EquationView& equation, mlir::Value index) {
  for (const ReadView& read : equation.reads) {
    if (MotionOf(read, {index}) != Motion::kPacked) continue;
    auto type = mlir::cast<mlir::RankedTensorType>(read.tensor.getType());
    size_t axis = 0;
    while (!Mentions({index}, read.subscripts[axis])) ++axis;
    llvm::ArrayRef<int64_t> inside = type.getShape().drop_front(axis + 1);
    if (llvm::is_contained(inside, mlir::ShapedType::kDynamic)) continue;
    PackedWeights weights{read.tensor, 1};
    for (int64_t extent : inside) weights.block *= extent;
    return weights;
  }
  return std::nullopt;
}

mlir::Value LengthOf(const EquationView& equation, const std::string& loop) {
  mlir::Value length;
  for (size_t i = 0; i < equation.indices.size(); ++i)
    if (equation.loops.domain[i].name == loop) length = equation.extents[i];
  for (const ReduceView& reduce : equation.reduces) {
    for (size_t i = 0; i < reduce.loops.size(); ++i) {
      int64_t first = -1;
      if (reduce.loops[i] == loop && ConstantIndex(reduce.lower[i], &first) && first == 0)
        length = reduce.upper[i];
    }
  }
  bool is_size =
      length && (mlir::isa<mlir::BlockArgument>(length) || length.getDefiningOp<mlir::tensor::DimOp>());
  return is_size ? length : mlir::Value();
}

bool HasBlocks(const EquationView& equation, std::string* why) {
  auto no = [&](const char* reason) {
    if (why) *why = reason;
    return false;
  };
  if (equation.reduces.size() != 1 || equation.results.size() != 1)
    return no("it has several reductions or results");
  const ReduceView& reduce = equation.reduces[0];
  bool chooses = reduce.kind == ReduceKind::kArgMax || reduce.kind == ReduceKind::kArgMin ||
                 reduce.kind == ReduceKind::kFirst || reduce.kind == ReduceKind::kLast;
  if (chooses) return no("it looks for a place");
  if (reduce.condition) return no("it has a condition");
  if (reduce.otherwise) return no("it has a value for nothing");
  return true;
}

bool Gathers(const std::vector<const ReadView*>& reads) {
  for (const ReadView* read : reads) {
    for (mlir::Value subscript : read->subscripts) {
      AffineForm form;
      if (!MatchAffine(subscript, &form)) return true;
    }
  }
  return false;
}

}  // namespace weft::backends
