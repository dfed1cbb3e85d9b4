#include "backends/host/table_code.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/host/call_tables.h"
#include "backends/loops/element_type.h"
#include "compiler/ir/location.h"
#include "compiler/ir/scatter_ops.h"
#include "compiler/ir/variant.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "runtime/program_table.h"
#include "runtime/weft.h"

namespace weft::backends {
namespace {

using llvm::Constant;
using Fields = std::vector<Constant*>;

class TableBuilder {
 public:
  TableBuilder(mlir::ModuleOp source, const ProgramView& program, const HostOptions& options,
               llvm::Module& module)
      : source_(source),
        program_(program),
        options_(options),
        module_(module),
        context_(module.getContext()) {}

  absl::Status Run(const Target& target) {
    Fields methods, initial_values;
    for (const auto& [described, fields] :
         {std::pair(&program_.methods, &methods), std::pair(&program_.initial_values, &initial_values)}) {
      for (const ProgramMethod& method : *described) {
        absl::StatusOr<Constant*> made = Method(method);
        if (!made.ok()) return made.status();
        fields->push_back(*made);
      }
    }
    Constant* prepare = Null();
    Constant* prepared_bytes = Null();
    int32_t prepared_count = 0;
    if (mlir::func::FuncOp function = program_.prepare) {
      Fields bytes;
      for (mlir::Type type : function.getResultTypes()) {
        auto tensor = mlir::cast<mlir::RankedTensorType>(type);
        bytes.push_back(I64(tensor.getNumElements() * ElementBytes(tensor.getElementType())));
      }
      prepared_count = static_cast<int32_t>(bytes.size());
      prepared_bytes = Array(bytes);
      prepare = Global(Code(function, Null(), Function(kPrepareSymbol)));
    }
    absl::StatusOr<Fields> made = Weights();
    if (!made.ok()) return made.status();
    const Fields& weights = *made;
    Fields dimensions = Dimensions(), launches = Launches();
    auto name = [&](const char* attribute) {
      auto text = source_->getAttrOfType<mlir::StringAttr>(attribute);
      return String(text ? text.getValue() : "");
    };
    Constant* table = Struct({
        I32(runtime::kTableVersion),
        I32(dimensions.size()),
        I32(weights.size()),
        I32(methods.size()),
        I32(launches.size()),
        I32(prepared_count),
        name("weft.file"),
        name("weft.entry"),
        Array(dimensions),
        Array(weights),
        Array(methods),
        Array(launches),
        prepare,
        prepared_bytes,
        String(absl::StrJoin(target.features, ",")),
        EmbeddedData(),
        EmbeddedOffsets(),
        I32(initial_values.size()),
        Array(initial_values),
    });
    table_ = new llvm::GlobalVariable(module_, table->getType(), true, llvm::GlobalValue::ExternalLinkage,
                                      table, "weft_program_table");
    return absl::OkStatus();
  }

  // One function per name in LibraryFunctions that calls the runtime's, with the table where it takes one.
  void AddInterface() {
    llvm::IRBuilder<> b(context_);
    llvm::Type *pointer = b.getPtrTy(), *i32 = b.getInt32Ty(), *i64 = b.getInt64Ty();
    auto add = [&](const char* name, bool with_table, llvm::Type* result,
                   std::vector<llvm::Type*> arguments) {
      auto* function = llvm::Function::Create(llvm::FunctionType::get(result, arguments, false),
                                              llvm::GlobalValue::ExternalLinkage,
                                              options_.library_prefix + "_" + name, module_);
      std::vector<llvm::Value*> values;
      if (with_table) {
        arguments.insert(arguments.begin(), pointer);
        values.push_back(table_);
      }
      for (llvm::Argument& argument : function->args()) values.push_back(&argument);
      llvm::FunctionCallee callee = module_.getOrInsertFunction(
          std::string("weft_table_") + name, llvm::FunctionType::get(result, arguments, false));
      b.SetInsertPoint(llvm::BasicBlock::Create(context_, "", function));
      llvm::Value* value = b.CreateCall(callee, values);
      if (result->isVoidTy()) {
        b.CreateRetVoid();
      } else {
        b.CreateRet(value);
      }
    };
    add("create", true, i32, {pointer, pointer});
    add("destroy", false, b.getVoidTy(), {pointer});
    add("last_error", false, pointer, {});
    add("method", true, i32, {i32, pointer});
    add("input", true, i32, {pointer, i32, pointer});
    add("output", true, i32, {pointer, i32, pointer});
    add("dimension", true, i32, {i32, pointer});
    add("run", false, i32, {pointer, pointer, pointer, i64, pointer, i64});
    add("state", true, i32, {i32, pointer});
    add("save_state", false, i32, {pointer, pointer});
    add("load_state", false, i32, {pointer, pointer});
    add("reset_state", false, i32, {pointer});
    add("profile", false, i32, {pointer, i32});
    add("write_profile", false, i32, {pointer, pointer});
    auto* version =
        llvm::Function::Create(llvm::FunctionType::get(i32, false), llvm::GlobalValue::ExternalLinkage,
                               options_.library_prefix + "_abi_version", module_);
    b.SetInsertPoint(llvm::BasicBlock::Create(context_, "", version));
    b.CreateRet(b.getInt32(WEFT_ABI_VERSION));
  }

 private:
  Constant* I32(int64_t value) {
    return llvm::ConstantInt::getSigned(llvm::Type::getInt32Ty(context_), value);
  }
  Constant* I64(int64_t value) {
    return llvm::ConstantInt::getSigned(llvm::Type::getInt64Ty(context_), value);
  }
  Constant* F64(double value) { return llvm::ConstantFP::get(llvm::Type::getDoubleTy(context_), value); }
  Constant* Null() { return llvm::ConstantPointerNull::get(llvm::PointerType::get(context_, 0)); }
  Constant* Struct(const Fields& fields) { return llvm::ConstantStruct::getAnon(context_, fields); }
  Constant* Function(const std::string& name) { return module_.getFunction(name); }

  Constant* Global(Constant* value) {
    return new llvm::GlobalVariable(module_, value->getType(), true, llvm::GlobalValue::PrivateLinkage, value,
                                    "");
  }
  Constant* String(llvm::StringRef text) {
    Constant*& known = strings_[text];
    if (known == nullptr) known = Global(llvm::ConstantDataArray::getString(context_, text));
    return known;
  }
  // All of one type; null for none.
  Constant* Array(const Fields& elements) {
    if (elements.empty()) return Null();
    return Global(
        llvm::ConstantArray::get(llvm::ArrayType::get(elements[0]->getType(), elements.size()), elements));
  }

  static int64_t Number(mlir::Operation* op, const char* name) {
    auto number = op->getAttrOfType<mlir::IntegerAttr>(name);
    return number ? number.getInt() : 0;
  }
  static double Real(mlir::Operation* op, const char* name) {
    if (!op) return 0;
    if (auto real = op->getAttrOfType<mlir::FloatAttr>(name)) return real.getValueAsDouble();
    return static_cast<double>(Number(op, name));
  }

  // A bound of a range or an axis in the file's words.
  Constant* SizeText(mlir::Attribute attribute) {
    if (auto text = mlir::dyn_cast_or_null<mlir::StringAttr>(attribute)) return String(text.getValue());
    if (auto number = mlir::dyn_cast_or_null<mlir::IntegerAttr>(attribute))
      return String(std::to_string(number.getInt()));
    return String("?");
  }

  // Of a tensor whose elements files call `declared`; null: nothing is declared.
  static absl::StatusOr<weft_type> Element(mlir::RankedTensorType type, mlir::StringAttr declared) {
    if (!declared) return TypeOfElement(type.getElementType());
    std::optional<weft_type> known = TypeByName(declared.getValue());
    if (known) return *known;
    return absl::InvalidArgumentError(absl::StrCat("unknown element type ", declared.getValue().str()));
  }

  absl::StatusOr<Constant*> Port(mlir::RankedTensorType type, mlir::DictionaryAttr attributes,
                                 const std::string& name) {
    if (type.getRank() > WEFT_MAX_RANK)
      return absl::InvalidArgumentError(absl::StrCat(name, " has more than ", WEFT_MAX_RANK, " axes"));
    auto find = [&](const char* key) { return attributes ? attributes.get(key) : mlir::Attribute(); };
    absl::StatusOr<weft_type> element =
        Element(type, mlir::dyn_cast_or_null<mlir::StringAttr>(find("weft.type")));
    if (!element.ok()) return element.status();
    auto given = mlir::dyn_cast_or_null<mlir::StringAttr>(find("weft.name"));
    auto doc = mlir::dyn_cast_or_null<mlir::StringAttr>(find("weft.doc"));
    auto shape = mlir::dyn_cast_or_null<mlir::ArrayAttr>(find("weft.shape"));
    Fields sizes, texts;
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      bool dynamic = type.isDynamicDim(axis);
      sizes.push_back(I64(dynamic ? -1 : type.getDimSize(axis)));
      bool written = shape && axis < static_cast<int64_t>(shape.size());
      texts.push_back(written ? SizeText(shape[static_cast<unsigned>(axis)])
                              : String(dynamic ? "?" : std::to_string(type.getDimSize(axis))));
    }
    Constant *lo = Null(), *hi = Null();
    if (auto bounds = mlir::dyn_cast_or_null<mlir::ArrayAttr>(find("weft.range"));
        bounds && bounds.size() == 2) {
      lo = SizeText(bounds[0]);
      hi = SizeText(bounds[1]);
    }
    return Struct({String(given ? given.getValue() : name), String(doc ? doc.getValue() : ""), I32(*element),
                   I32(type.getRank()), Array(sizes), Array(texts), lo, hi});
  }

  // Whether the last of what makes a state's next value changes a part of it in place: then all does.
  static bool ChangesInPlace(mlir::func::FuncOp code, unsigned result) {
    mlir::Value value = code.front().getTerminator()->getOperand(result);
    auto launch = value.getDefiningOp<ir::LaunchOp>();
    return launch ? launch->hasAttr(ir::kInPlace) : ir::IsStateOfSteps(value);
  }

  Constant* Code(mlir::func::FuncOp code, Constant* shapes, Constant* run) {
    Fields dims;
    for (mlir::Type input : code.getArgumentTypes())
      for (int64_t size : mlir::cast<mlir::RankedTensorType>(input).getShape())
        dims.push_back(I64(mlir::ShapedType::isDynamic(size) ? -1 : size));
    Fields slots;
    for (const ProgramSlot& slot : SlotsOf(code))
      slots.push_back(Struct({I64(slot.segment), I64(slot.first), I64(slot.last)}));
    Fields in_place;
    for (unsigned i = 0; i < code.getNumResults(); ++i)
      if (!NextState(code, i).empty()) in_place.push_back(I32(ChangesInPlace(code, i)));
    return Struct({Array(dims), String(ir::VariantSizes(code, " = ", ", ")), I64(Number(code, "weft.arena")),
                   I64(slots.size()), Array(slots), shapes, run, Array(in_place)});
  }

  absl::StatusOr<Constant*> Method(const ProgramMethod& method) {
    mlir::func::FuncOp function = method.function;
    Fields inputs, outputs, next;
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      auto port = Port(mlir::cast<mlir::RankedTensorType>(function.getArgumentTypes()[i]),
                       function.getArgAttrDict(i), "input" + std::to_string(i));
      if (!port.ok()) return port.status();
      inputs.push_back(*port);
    }
    for (unsigned i = 0; i < function.getNumResults(); ++i) {
      if (llvm::StringRef state = NextState(function, i); !state.empty()) {
        next.push_back(I32(program_.weight_numbers.lookup(state)));
        continue;
      }
      auto port = Port(mlir::cast<mlir::RankedTensorType>(function.getResultTypes()[i]),
                       function.getResultAttrDict(i), "output" + std::to_string(i));
      if (!port.ok()) return port.status();
      outputs.push_back(*port);
    }
    auto doc = function->getAttrOfType<mlir::StringAttr>("weft.doc");
    Fields codes;
    bool reads_states = false;
    for (mlir::func::FuncOp code : method.codes) {
      codes.push_back(Code(code, Function(ShapesSymbol(code)), Function(RunSymbol(code))));
      reads_states |= ReadsStates(code);
    }
    return Struct({String(function.getSymName()), String(doc ? doc.getValue() : ""), I32(inputs.size()),
                   I32(outputs.size()), Array(inputs), Array(outputs), Array(codes), I32(codes.size()),
                   I32(next.size()), I32(reads_states), Array(next)});
  }

  // Whether it uses what a run may change, in its steps too.
  bool ReadsStates(mlir::func::FuncOp function) {
    bool reads = false;
    function.walk([&](mlir::Operation* op) {
      if (auto weight = mlir::dyn_cast<ir::WeightOp>(op)) reads |= weight.getChanges();
      if (auto iterate = mlir::dyn_cast<ir::IterateOp>(op))
        reads |= ReadsStates(source_.lookupSymbol<mlir::func::FuncOp>(iterate.getCallee()));
    });
    return reads;
  }

  Fields Dimensions() {
    Fields dimensions;
    auto list = source_->getAttrOfType<mlir::ArrayAttr>("weft.dims");
    if (!list) return dimensions;
    for (mlir::Attribute attribute : list) {
      auto dimension = mlir::cast<mlir::DictionaryAttr>(attribute);
      auto number = [&](const char* name, int64_t otherwise) {
        auto value = mlir::dyn_cast_or_null<mlir::IntegerAttr>(dimension.get(name));
        return value ? value.getInt() : otherwise;
      };
      int64_t lo = number("lo", 0), typical = lo;
      if (auto hot = mlir::dyn_cast_or_null<mlir::DenseI64ArrayAttr>(dimension.get("hot"));
          hot && !hot.empty()) {
        typical = hot[0];
      } else if (auto listed = mlir::dyn_cast_or_null<mlir::ArrayAttr>(dimension.get("hot"));
                 listed && !listed.empty()) {
        typical = mlir::cast<mlir::IntegerAttr>(listed[0]).getInt();
      }
      dimensions.push_back(
          Struct({String(mlir::cast<mlir::StringAttr>(dimension.get("name")).getValue()), I64(lo),
                  I64(number("hi", INT64_MAX)), I64(number("step", 1)), I64(typical)}));
    }
    return dimensions;
  }

  absl::StatusOr<Fields> Weights() {
    Fields weights;
    for (const ProgramWeight& weight : program_.weights) {
      Fields shape;
      for (int64_t size : weight.type.getShape()) shape.push_back(I64(size));
      absl::StatusOr<weft_type> element = Element(weight.type, weight.element);
      if (!element.ok()) return element.status();
      auto [low, high] = weight.range.value_or(std::pair<int64_t, int64_t>(INT64_MIN, INT64_MAX));
      weights.push_back(
          Struct({String(weight.path), I32(*element), I32(weight.type.getRank()), Array(shape),
                  I32(weight.is_state), I32(weight.fill.has_value()), F64(weight.fill.value_or(0)),
                  I32(weight.used_by_methods), I32(weight.changes), I32(weight.range.has_value()), I64(low),
                  I64(high), I32(weight.has_initial)}));
    }
    return weights;
  }

  Fields Launches() {
    Fields launches;
    for (ir::LaunchOp launch : program_.launches) {
      mlir::Operation* kernel = source_.lookupSymbol(launch.getCallee());
      auto path = launch->getAttrOfType<mlir::StringAttr>("path");
      mlir::FileLineColLoc place = ir::FilePlace(launch.getLoc());
      launches.push_back(
          Struct({String(launch.getCallee()), String(path ? path.getValue() : launch.getCallee()),
                  String(place ? place.getFilename().getValue() : ""), I32(place ? place.getLine() : 0),
                  I32(ExtentCount(launch)), F64(Real(kernel, "flops")), F64(Real(kernel, "bytes"))}));
    }
    return launches;
  }

  Constant* EmbeddedData() {
    if (options_.embedded == nullptr) return Null();
    // The assembler copies the file: as a constant of the module it would go through every pass.
    module_.appendModuleInlineAsm(
        "\t.section .rodata.weft_weights,\"a\",@progbits\n\t.balign 64\nweft_embedded_weights:\n\t.incbin "
        "\"" +
        options_.embedded->path + "\"\n\t.byte 0\n\t.text\n");
    auto* data =
        new llvm::GlobalVariable(module_, llvm::Type::getInt8Ty(context_), true,
                                 llvm::GlobalValue::ExternalLinkage, nullptr, "weft_embedded_weights");
    data->setVisibility(llvm::GlobalValue::HiddenVisibility);
    return data;
  }

  Constant* EmbeddedOffsets() {
    if (options_.embedded == nullptr) return Null();
    Fields offsets;
    for (int64_t offset : options_.embedded->offsets) offsets.push_back(I64(offset));
    return Array(offsets);
  }

  mlir::ModuleOp source_;
  const ProgramView& program_;
  const HostOptions& options_;
  llvm::Module& module_;
  llvm::LLVMContext& context_;
  llvm::StringMap<Constant*> strings_;
  Constant* table_ = nullptr;
};

}  // namespace

std::string ShapesSymbol(mlir::func::FuncOp code) { return "weft_host_shapes_" + code.getSymName().str(); }
std::string RunSymbol(mlir::func::FuncOp code) { return "weft_host_run_" + code.getSymName().str(); }

absl::Status AddProgramTable(mlir::ModuleOp source, const ProgramView& program, const Target& target,
                             const HostOptions& options, llvm::Module& module) {
  TableBuilder builder(source, program, options, module);
  if (absl::Status status = builder.Run(target); !status.ok()) return status;
  if (!options.library_prefix.empty()) builder.AddInterface();
  return absl::OkStatus();
}

}  // namespace weft::backends
