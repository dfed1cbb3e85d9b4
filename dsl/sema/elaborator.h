#ifndef WEFT_DSL_SEMA_ELABORATOR_H_
#define WEFT_DSL_SEMA_ELABORATOR_H_

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "dsl/ast/decl.h"
#include "dsl/base/diagnostic.h"
#include "dsl/base/source_file.h"
#include "dsl/program/program.h"
#include "dsl/sema/frame.h"
#include "dsl/sema/sema.h"
#include "dsl/sema/value.h"
#include "dsl/size/prover.h"

namespace weft::dsl::sema {

// The word for it in the language.
const char* Spelled(ElementType type);

// Interprets declarations and writes one method of a Program. In a generic run (a declaration on its own,
// with symbols for its dimensions and attributes) only what is wrong for all of them is reported.
class Elaborator {
 public:
  Elaborator(const SourceManager& sources, Diagnostics& diagnostics, Program& program, bool generic)
      : sources_(sources), diagnostics_(diagnostics), program_(program), generic_(generic) {}

  // ---- sema.cc drives these
  void CheckDeclaration(const ast::Decl& decl, const Module& module);
  ModelPtr InstantiateEntry(const ast::Model& entry, const Module& module,
                            const std::map<std::string, int64_t>& fixed);
  void ElaborateMethod(const ModelPtr& entry, const ast::Method& method);
  void ElaborateTest(const ast::Test& test, const Module& module, std::vector<Expectation>* expectations);
  void RunInitialValues();
  bool has_errors() const { return diagnostics_.has_errors(); }
  // Bodies in which a generic run found nothing wrong; what they declare is believed deep inside other runs.
  std::set<const ast::Block*>& sound() { return sound_; }

 private:
  // What a type declares.
  struct DeclaredType {
    std::optional<ElementType> element;  // nothing: not a tensor (a list, a record)
    std::optional<std::vector<std::optional<Size>>> shape;
    std::optional<std::pair<Size, Size>> range;
    std::map<size_t, const ast::SizeExpr*> found;  // axes whose size the data decides, `K <= N`
    // Of `net.params`: a record like it, whose leaves have a type and a shape alone; where these stand below
    // the model in weight files.
    std::optional<Value> record;
    std::vector<std::string> paths;
    Span span;
    bool broken = false;  // a size in it was reported
  };

  // ---- sema.cc
  bool IsNumberType(const ast::TypeExpr& type);
  void BindGenericDimensions(const ast::TypeExpr& type, Frame& frame);
  bool BindGenericParameters(const ast::Params& params, Frame& frame, bool numbers_only);
  // Statements go to this method from here on; nothing is known of weights and states yet.
  void BeginMethod(Method& method);
  void CheckBody(const ast::Signature& signature, const ast::Block& body, Frame& frame);

  // ---- entries.cc
  std::optional<Dimension> EvalDimension(const ast::Limits::Dimension& declared);
  void BindDimension(const ast::Limits::Dimension& declared, std::optional<int64_t> fixed,
                     ModelInstance& entry);
  void BindOpenDimensions(const ast::NamedType& type, ModelInstance& entry);
  void CheckDimensions();  // known_dimensions.cc
  std::optional<Value> AddInput(const std::string& name, const ast::TypeExpr& declared, Span span);
  std::optional<Value> AddPort(const std::string& name, const DeclaredType& type, Span span);
  bool AddOutputs(const std::string& name, const Value& value, Span span);
  int AddOutput(const std::string& name, const TensorPtr& tensor, Span span);

  // ---- names.cc
  Binding* Find(const std::string& name);
  Value Lookup(const std::string& name, Span span);
  Value DeclaredValue(const Module& module, const std::string& name, Span span);
  Value MemberValue(const ModelPtr& self, const std::string& name, Span span, bool* found);
  void Bind(const std::string& name, Value value, Span span);
  void BindUnknown(const ast::Stmt& stmt);
  std::vector<std::string> VisibleNames();
  IndexPtr NewIndex(const std::string& name, Span span);
  Size SymbolOf(const Index& index) const;
  void SetRange(Index& index, const Size& lower, const Size& upper);
  bool CheckFresh(const std::string& name, Span span);

  bool IsOptional(const std::string& name);
  bool MayBeAbsent(const ast::Expr& expr);
  bool IsNeverAbsent(const ast::Expr& expr);
  Value EvalOptional(const ast::Expr& expr, const ast::Expr& optional);

  // ---- expressions.cc
  Value Eval(const ast::Expr& expr);
  Value EvalNode(const ast::Expr& expr);
  bool IsOpenNumber(const Value& value);
  Value EvalConditional(const ast::Expr& expr, const ast::Conditional& node);
  // ---- branches.cc: a condition that is computed and has no indices decides which side is computed
  struct Sides {
    Sides(Elaborator& elaborator, const Value& condition);
    ~Sides() { Flush(); }
    void Flush();
    Value Eval(const ast::Expr& expr, std::vector<Statement>* body);
    Value Join(const Value& then, const Value& otherwise, const Value& both, Span span);
    Elaborator& elaborator;
    const Scalar* condition = nullptr;  // null: both sides are computed
    std::vector<Statement>* outside;
    std::vector<Statement> of_then, of_otherwise;
  };
  static bool HasReduction(const ExprPtr& expr);
  TensorPtr Spread(const Value& value, ElementType type, const std::vector<Size>& shape, Span span);
  bool IsFoundInside(const std::vector<Size>& shape, const std::vector<Statement>& statements);
  Value EvalElse(const ast::Expr& expr, const ast::Else& node);
  Value EvalOperand(const ast::Expr& expr);
  Value EvalBinary(const ast::Expr& expr, const ast::Binary& node);
  std::optional<Value> EvalBetween(const Value& a, const ast::Expr& expr, const ast::Binary& node);
  Value EvalUnary(const ast::Expr& expr, const ast::Unary& node);
  Value EvalField(const ast::Expr& expr, const ast::Field& node);
  Value EvalRef(const ast::Expr& expr, const ast::Ref& node);

  // ---- lists.cc: the compile-time layer
  Value EvalList(const ast::Expr& expr, const ast::List& node);
  Value EvalRepeat(const ast::Expr& expr, const ast::Repeat& node);
  Value EvalComprehension(const ast::Expr& expr, const ast::Comprehension& node);
  bool Elements(const Value& value, Span span, std::vector<Value>* out);  // of a list, range or leading axis
  void BindPattern(const ast::Pattern& pattern, const Value& value);
  void BindItem(const ast::Pattern::Item& item, const Value& value);
  std::optional<bool> AsCondition(const Value& value);

  // ---- numbers.cc: compile-time arithmetic
  std::optional<Value> NumberBinary(ast::BinaryOp op, const Value& a, const Value& b, Span span);
  std::optional<Value> ExactBinary(ast::BinaryOp op, const Value& a, const Value& b, Span span);
  Value OpenPower(const Size& base, const Size& exponent);
  Value WithinLimits(Value value, Span span);
  std::optional<Size> AsSize(const Value& value, Span span, const char* what);
  std::optional<int64_t> AsWholeNumber(const Value& value, Span span, const char* what);
  Value NumberFunction(const std::string& name, const std::vector<Value>& args, Span span, bool* known);

  // ---- scalars.cc
  ExprPtr Make(ElementType type, Span span, decltype(Expr::node) node);
  Scalar Literal(ElementType type, double number, Span span);
  Scalar SizeScalar(const Size& size, Span span);
  std::optional<Scalar> ToScalar(const Value& value, std::optional<ElementType> want, Span span);
  Scalar CastTo(const Scalar& value, ElementType type, Span span);
  std::optional<ElementType> Meet(ElementType a, ElementType b);
  bool Unify(Value& a, Value& b, Span span, Scalar* x, Scalar* y);
  Scalar Call1(Function function, const Scalar& x, Span span);
  Scalar Call2(Function function, const Scalar& x, const Scalar& y, ElementType result, Span span);
  Value ScalarBinary(ast::BinaryOp op, const Value& a, const Value& b, Span span);
  Scalar Select(const Scalar& condition, const Scalar& then, const Scalar& otherwise, Span span);
  Scalar Unknown(const std::string& name, ElementType type, ExprPtr expr, std::optional<Size> lo,
                 std::optional<Size> hi);
  Scalar IndexScalar(const Index& index, Span span);
  ElementType FloatType() const { return frame_->float_type.value_or(ElementType::kF32); }

  // ---- tensors.cc
  TensorPtr StoredTensor(TensorId id);
  TensorId NewTensor(const std::string& name, ElementType type, std::vector<Size> shape, Span span);
  Scalar Element(const TensorValue& tensor, const std::vector<Position>& at, const ExprPtr& fill, Span span);
  Scalar ElementAt(const TensorValue& tensor, const std::vector<Scalar>& at, Span span);
  TensorPtr Materialize(const TensorPtr& tensor, const std::string& name, Span span);
  TensorPtr Stored(const TensorPtr& tensor, const std::string& name, Span span);
  // `want`: the type that a list of numbers takes.
  std::optional<TensorPtr> AsTensor(const Value& value, Span span,
                                    std::optional<ElementType> want = std::nullopt);
  bool IsRegular(const ListValue& list);
  TensorPtr ConstantTensor(const Value& list, std::optional<ElementType> want, Span span);
  Value Elementwise(const std::vector<Value>& operands, Span span,
                    const std::function<Value(const std::vector<Value>&)>& function,
                    const std::vector<Span>& places = {});
  std::optional<std::vector<Size>> CommonShape(const std::vector<TensorPtr>& tensors, Span span,
                                               const std::vector<Span>& places = {});
  std::string Describe(const Value& value);
  std::string ShapeText(const std::vector<Size>& shape);
  std::set<IndexId> FreeIndices(const Value& value);

  // ---- subscripts.cc
  Value EvalSubscript(const ast::Expr& expr, const ast::Subscript& node, const ast::Expr* otherwise);
  // `first`: the position along the first axis, where it has been worked out.
  Value SubscriptTensor(const TensorPtr& tensor, const ast::Expr& expr, const ast::Subscript& node,
                        const ast::Expr* otherwise, const Position* first = nullptr);
  Value SubscriptRecord(const Value& record, const ast::Expr& expr, const ast::Subscript& node,
                        const ast::Expr* otherwise);
  Value SubscriptList(const Value& list, const ast::Expr& expr, const ast::Subscript& node,
                      const ast::Expr* otherwise, size_t first_change);
  struct OpenAccess {  // a subscript under `else` that may be outside
    Size form, axis;
    Span span;
  };
  Value EvalPosition(const ast::Expr& expr);
  bool SubscriptOne(const TensorPtr& tensor, size_t axis, const ast::Subscript::Item& item,
                    const std::string& subject, bool guarded, std::vector<Slot>& slots,
                    std::vector<Size>& shape, std::vector<OpenAccess>* open);
  Value EvalOutside(const ast::Expr& otherwise, const std::vector<OpenAccess>& open);
  std::optional<Scalar> GroupPosition(const ast::Group& group, const Size* whole, Span span);
  Value ApplySlots(const TensorPtr& tensor, std::vector<Slot> slots, std::vector<Size> shape,
                   const ExprPtr& fill, Span span);
  Value RowOr(const TensorPtr& tensor, const std::vector<Slot>& slots, const std::vector<Size>& shape,
              const TensorPtr& otherwise, Span span);
  bool ResolveBareIndex(Index& index, const Size& axis, Span span, const std::string& of);
  void RequireInside(const Size& form, const Size& axis, Span span, const std::string& of);

  // ---- reductions.cc
  struct OpenedReduction {
    std::vector<IndexPtr> indices;
    Value condition, body;
  };
  bool OpenReduction(const ast::Reduction& node, OpenedReduction* opened);
  Value EvalReduction(const ast::Expr& expr, const ast::Reduction& node, const ast::Expr* otherwise);
  bool MayBeEmpty(const std::vector<IndexPtr>& indices, bool has_condition);
  const ast::Expr* UnwrittenRow(const ast::Expr& body);
  Value Positions(const ExprPtr& place, const std::vector<IndexPtr>& indices, const Value* if_none,
                  Span span);
  bool BindBinder(const ast::Binder& binder, std::vector<IndexPtr>* out);

  // ---- found_sizes.cc: filter, argsort, topk; sizes that the data decides (R28)
  Value EvalSelection(const ast::Expr& expr, const ast::Reduction& node, const ast::Expr* otherwise);
  bool IsBounded(const Index& index, const std::string& word);
  std::optional<Scalar> SelectionBody(const ast::Reduction& node, const OpenedReduction& opened);
  TensorPtr SelectFrom(const ast::Reduction& node, const std::vector<IndexPtr>& indices, const Scalar& body,
                       const std::optional<Size>& limit, Span span);
  Value PositionsAlong(const TensorPtr& places, const std::vector<IndexPtr>& indices, Span span);
  Size NewFoundSize(const std::string& name, const Size& least, const Size& most);
  bool IsFound(const Size& size) const;
  bool BindFound(const ast::SizeExpr& declared, const Size& size, const std::string& what, Span span);
  Size TighterBound(const Size& seen, const Size& declared);
  void NameFoundSizes(const Frame& frame);
  bool CheckFoundResults(const ast::Signature& signature,
                         const std::vector<std::pair<std::string, Value>>& values);
  // The sizes that are found in them.
  std::set<int> FoundIn(const std::vector<Statement>& statements);
  bool IsRagged(TensorId row, const std::set<int>& found) const;
  void EmitOneByOne(Span span, Parallel parallel);
  // masked_steps.cc
  bool MaskSteps(const std::set<int>& found, Parallel* parallel);

  // ---- calls.cc
  struct Argument {
    Value value;
    Span span;
    bool may_be_absent = false;  // an optional that is passed on
  };
  struct Arguments {
    std::vector<Argument> data;
    std::map<std::string, Argument> named;
    std::optional<bool> training;
    std::optional<Argument> weights;  // a record like the model's own (R4)
  };
  Value EvalCall(const ast::Expr& expr, const ast::Call& node);
  void WidenIndices(const ast::Call& node, std::vector<IndexPtr>* widened);
  void NarrowIndices(const std::vector<IndexPtr>& widened);
  bool EvalArguments(const ast::Call& node, bool has_weights, Arguments* out);
  // externs.cc
  bool CheckExtern(const ast::Op& op);
  Value CallExtern(const OpRef& op, Frame& frame, const Arguments& args, Span span);
  Value CallOp(const OpRef& op, Arguments args, const ast::Expr& call);
  static void EnterMethod(const ast::Model& model, const ast::Method& method, Frame& frame);
  Value CallMethod(const MethodRef& method, Arguments args, const ast::Expr& call);
  std::optional<Argument> TakeSeed(const ast::Params& params, Arguments* args);
  bool MatchArguments(const ast::Params& params, const std::string& callee, const Arguments& args, Span span,
                      bool numbers_only);
  Value CallByLeaf(const ast::Signature& signature, const ast::Block& body, const Frame& frame,
                   const Arguments& args, Span span);
  Value CallDeclared(const ast::Signature& signature, const ast::Block& body, Frame& frame,
                     const Arguments& args, Span span);
  Value UnderIndices(const std::vector<IndexPtr>& indices, Span span, const std::function<Value()>& call);
  Value Yielded(Value value, const std::vector<IndexPtr>& indices, Parallel* parallel, Span span);
  Value CallBuiltin(const std::string& name, const Arguments& args, Span span);
  Value CallConcat(const Arguments& args, Span span);
  Value CallBits(const std::vector<Value>& values, const Arguments& args, Span span);
  Value CallRandom(const Arguments& args, Span span);
  Value CastValue(ElementType type, const Value& value, Span span);
  bool IsElementwise(const ast::Call& call);

  // ---- trials.cc: what is worked out to learn something, and once more when that is known. Forget takes
  // back what was said and written in between.
  class Trial {
   public:
    explicit Trial(Elaborator& elaborator);
    void Forget();

   private:
    Elaborator& elaborator_;
    Diagnostics diagnostics_;
    std::set<std::pair<int, std::string>> told_;
    std::set<std::pair<const void*, std::string>> unknown_names_;
    bool work_reported_;
    std::vector<Statement>* statements_;
    size_t written_;
    size_t first_change_;
    bool captures_next_;
  };

  // ---- seeds.cc: the inherited `seed` (R31)
  void BeginSentence(const std::string& name, const ast::Expr* value);
  std::vector<IndexPtr> IndicesAround();
  void InheritSeed(const ast::Expr& call, const std::optional<Argument>& given, Frame& frame);
  Value SeedOfFrame(Span span);
  Value MixedSeed(const Frame::Seed& seed, Span span);
  static bool IsSeed(const ast::Param& param);

  bool EnterCall(const void* declaration, const std::string& name, Span span);
  void LeaveCall(const void* declaration);

  // ---- records.cc
  // `same_shapes`: leaves at the same place of two records must have one shape.
  Value ByLeaf(const std::vector<Value>& operands, Span span,
               const std::function<Value(const std::vector<Value>&)>& function, bool same_shapes = false);
  bool AreAlike(const Value& a, const Value& b, bool same_shapes, Span span, const std::string& path = "");
  std::vector<Value> Leaves(const Value& value);
  Value CallTotal(const Value& value, Span span);
  Value CallFlatten(const Value& value, Span span);
  Value CallUnflatten(const Value& vector, const Value& like, Span span);
  TensorPtr Flat(const TensorPtr& tensor, Span span);

  // ---- parameters.cc
  // Whether nothing but numbers and sizes goes into it, so that the boundary's checks know it.
  static bool IsOfSizes(const Expr& expr);
  bool BindParameters(const ast::Params& params, Frame& frame, const Arguments& args, Span span,
                      bool numbers_only);
  bool BindData(const ast::Param& param, const Value& value, Span span, Frame& frame);
  std::optional<Value> AsParameter(const ast::Param& param, const ast::NamedType& type, const Value& value,
                                   Span span, Frame& frame);
  bool BindAttribute(const ast::Param& param, const Value& value, Span span, Frame& frame);
  std::optional<Value> AsAttribute(const ast::TypeExpr& type, const Value& value, Span span,
                                   const std::string& what, Span declared);
  std::optional<Value> AsAttributeList(const ast::ListType& type, const ListValue& list, Span span,
                                       const std::string& what, Span declared);
  bool BindShape(const ast::NamedType& type, const std::vector<Size>& shape, Span span,
                 const std::string& what, Frame& frame);
  bool CheckShapes(Frame& frame);
  bool CheckRanges(Frame& frame);
  bool IsToldFirst(const std::string& problem);
  void RequireDeclared(const Frame::OpenShape& given, const Size& size, const Frame& frame);
  std::optional<Value> DeclaredResults(const ast::Signature& signature);
  Value RunBody(const ast::Signature& signature, const ast::Block& body, Span span);

  // ---- constraints.cc
  std::string Because(Span span);
  void CheckDivisible(const Size& size, const Size& divisor, Span span);
  std::string FilledIn(const std::string& message, std::vector<Size>* values);
  std::optional<Size> SizeNamed(const std::string& name);
  bool CheckConstraints(const ast::Signature& signature, Span span);
  bool CheckConstraint(const ast::Constraint& constraint, const ast::Expr& condition, Span span);
  bool CheckComparison(const ast::Binary& compare, const std::string& message,
                       const std::vector<Size>& values, Span span);

  // ---- models.cc
  Value Instantiate(const ModelRef& model, const Arguments& args, Span span);
  void EvaluateMembers(const ModelPtr& instance);
  void Adopt(const Value& value, ModelInstance* parent, const std::string& segment);
  Frame FrameOf(const ModelPtr& model);
  std::optional<bool> IsThere(const ast::StoredMember& member);
  Value WeightValue(const ModelPtr& self, const ast::StoredMember& member, Span span);
  std::string PathOf(const ModelInstance* instance, const std::string& leaf);

  struct Loop;
  // ---- states.cc: `next` (R32)
  struct StateMember {
    ModelPtr model;
    const ast::StoredMember* member = nullptr;
    std::string leaf;  // of a state that is a record: the path of the weight that this part of it is like
    StateKey key() const {
      return {model, leaf.empty() ? member->name.text : member->name.text + "." + leaf};
    }
  };
  struct NextTarget {  // what a `next` changes: one state or, of a record, its leaves
    std::vector<StateMember> leaves;
    std::optional<Value> record;  // it is like this one
  };
  std::optional<NextTarget> FindNext(const ast::Head& head, bool report);
  std::optional<NextTarget> NextWeights(const Value& models);
  bool CheckNext(const ast::Head& head, const ast::Equation& equation);
  Value CurrentState(const StateMember& state, Span span);
  Value StateByNow(const StateMember& state, Span span);
  Value ReadStored(const ModelPtr& model, const ast::StoredMember& member, Span span);
  Value ReadState(const StateMember& state, Span span);
  void RunNext(const ast::Head& head, const Value& value);
  TensorPtr InShape(const std::vector<Size>& shape, const TensorPtr& tensor, Span span);
  void SetState(const StateKey& key, Value value);
  std::map<StateKey, Value> TakeStateChanges(size_t first);
  void MergeStates(const Value& condition, const std::map<StateKey, Value>& then,
                   const std::map<StateKey, Value>& otherwise, const ast::Expr& expr,
                   const std::function<Value(const std::vector<Value>&)>& select);
  static StateMember MemberOf(const StateKey& key);
  void AddNextStates();

  // ---- carried_states.cc: states in the steps of `rec`
  struct CarriedStates {  // those that are met in a step
    IndexPtr index;
    struct Carried {
      std::optional<Value> outside;      // its entry in states_, if there was one
      TensorId before = -1;              // what it is before the first step
      TensorId window = -1;              // and before each
      TensorId after = -1, result = -1;  // what each step leaves, and the last one; -1: what it was
    };
    std::map<StateKey, Carried> states;
  };
  void Carry(const StateMember& state, CarriedStates* steps, Span span);
  void CloseSteps(size_t first_change, CarriedStates* steps);
  void AddCarriedStates(Loop* loop);
  void SetCarriedStates(const Loop& loop, Span span);
  std::set<IndexId> FreeIndicesInStep(const Value& value);

  // ---- initial_values.cc: what params and states begin with
  struct Uninitialized {
    StateMember member;
    int weight;  // -1: of a declaration that is checked on its own
  };
  void CheckInitialValues(const ModelPtr& self);
  void RunInitialValue(const Uninitialized& target);
  void DefineInitialValue(const Uninitialized& target);
  bool FillWith(const Uninitialized& target, const Value& value);
  void SortInitialValues();
  bool IsAboveInitial(const StateMember& read, Span span);

  // ---- origins.cc
  void NoteAttribute(DiagnosticBuilder& builder, const ModelInstance* instance, std::string name);
  void NoteSize(DiagnosticBuilder& builder, const ast::Expr& declared);
  void NoteIndices(DiagnosticBuilder& builder, const Size& form);
  void NoteDefinition(DiagnosticBuilder& builder, Span argument);

  // ---- types.cc
  std::optional<ElementType> ElementOf(const ast::Path& path);
  bool CheckDimensions(const ast::Expr& size);
  DeclaredType EvalType(const ast::TypeExpr& type);
  std::optional<std::pair<Size, Size>> EvalRange(const ast::Expr& range);
  enum class Comparison { kEqual, kOpen, kDifferent };
  Value WeightOf(const StateMember& stored, const DeclaredType& type, Span span);
  bool KeepRange(const ast::StoredMember& member, const DeclaredType& type, Weight* weight);
  Value StoredValue(TensorId id, const std::optional<std::pair<Size, Size>>& range, Span span);
  Comparison Compare(const Size& a, const Size& b, bool must_be_proved = false);
  // What cannot be proved is checked at the boundary, or is an error if it must be proved. False after an
  // error.
  bool RequireEqual(const Size& a, const Size& b, Span span, const std::string& what, Span other = Span(),
                    bool must_be_proved = false);
  bool RequireRange(const Value& value, const std::pair<Size, Size>& range, Span span,
                    const std::string& what, Span declared = Span());
  bool CheckDeclared(const DeclaredType& declared, const TensorPtr& tensor, const std::string& name,
                     Span span);
  const ast::TypeExpr* DeclaredTypeOf(const ast::Head& head);
  DeclaredType DeclarationOf(const ast::Head& head);
  DeclaredType TypeOfState(const StateMember& state);

  // ---- weights.cc: the weights of a model as one value (R4, R32, R33)
  using OfWeight =
      std::function<Value(const ModelPtr& model, const ast::StoredMember& member, const std::string& path)>;
  Value MapWeights(const Value& models, const std::string& path, const OfWeight& leaf);
  Value ParamsOf(const Value& models, Span span);
  Value LikeWeight(const ModelPtr& model, const ast::StoredMember& member);
  DeclaredType RecordType(const ast::NamedType& type, Span span);
  DeclaredType LeafType(const Value& like, Span span);
  Value AsRecord(const DeclaredType& declared, const Value& value, const std::string& name, Span span);
  Value AsLeaf(const Value& like, const Value& value, const std::string& name, Span span);
  bool BindWeights(const Argument& given, Frame& frame);
  const Value* GivenWeight(const StateKey& key) const;

  // ---- statements.cc
  void RunBlock(const ast::Block& block);
  void RunStatement(const ast::Stmt& stmt);
  bool CheckHeads(const ast::Equation& equation);
  void RunEquation(const ast::Stmt& stmt, const ast::Equation& equation);
  // What its heads get, stored; absent for a state that stays as it is. Binds nothing.
  std::vector<Value> EquationResults(const ast::Stmt& stmt, const ast::Equation& equation);
  void RunFor(const ast::For& node);
  static bool HoldsValues(const Value& value);
  Value AsLet(const ast::Let& let, Value value);
  void RunExpect(const ast::Stmt& stmt, const ast::Expect& node);
  void CheckOrder(const ast::Equation& equation, const Record& results);
  void Assign(const ast::Head& head, Value value, Span span);
  struct LeftAxis {
    std::vector<IndexPtr> members;  // several: a group; none: `:`
    Span span;
  };
  Value NextValue(const ast::Head& head, const std::vector<LeftAxis>& axes, const Value& value, Span span);
  Value NextOf(const StateMember& state, const ast::Head& head, const std::vector<LeftAxis>& axes,
               const Value& value, Span span);
  bool KeepsState(const StateMember& state, const std::vector<LeftAxis>& axes, const Value& value, Span span);
  bool SetNext(const StateMember& state, const ast::Head& head, const Value& value);
  bool OpenHead(const ast::Head& head, std::vector<LeftAxis>* axes);
  bool OpenBinder(const ast::Binder& binder, std::vector<LeftAxis>* axes);
  Value Define(const ast::Head& head, const std::vector<LeftAxis>& axes, const Value& value, Span span);
  // Whether a size is made of numbers and dimensions alone: then it means the same outside the equation.
  static bool IsGlobal(const Size& size);
  void CollectBounds(const Size& form, std::vector<Size>* bounds);
  std::optional<std::pair<Size, Size>> RangeOf(const Size& form);
  Value Store(const std::string& name, Value value, const DeclaredType& declared, Span span);
  struct Deferred {  // an access that is proved when its equation is complete
    Size form, axis;
    std::vector<Fact> facts;
    Span span;
    std::string of;
  };
  void RunDeferred();
  bool HoldsUnranged(const Size& form) const;
  bool IsUnbounded(const Deferred& question);
  bool IsAlwaysWrong(const Deferred& question);
  bool CheckedAtBoundary(const Deferred& question);
  std::vector<Enclosing> EnclosingOf(const std::string& equation) const;
  void Emit(Span span, const std::string& name, decltype(Statement::node) node);

  // ---- recurrences.cc, steps.cc: `rec` (R22, R23)
  void RunRec(const ast::Stmt& stmt, const ast::Rec& rec);
  bool OpenLoop(const ast::Stmt& stmt, const ast::Rec& rec, Loop* loop);
  bool OpenLength(const ast::Stmt& stmt, Loop* loop);
  bool OpenLoopIndex(const ast::Rec& rec, Loop* loop);
  std::optional<Size> ExtentOf(const std::string& index, const ast::Expr& expr, Loop& loop);
  bool GiveSlices(const ast::Rec& rec, Loop* loop);
  bool GiveSlice(const ast::From& from, Loop* loop);
  void MakeHistory(Loop* loop, const std::string& name);
  void BindHistory(Loop* loop, const std::string& name);
  void LearnRecord(Loop* loop, const std::string& name, const Value& value);
  bool RunSteps(const ast::Stmt& stmt, Loop* loop);
  bool RunUntil(const ast::Stmt& stmt, Loop* loop);
  std::optional<std::pair<Size, Size>> GivenRange(const std::vector<Value>& given);
  std::optional<std::pair<Size, Size>> Spanning(const std::pair<Size, Size>& a,
                                                const std::pair<Size, Size>& b);
  bool KeepsRange(const Loop& tried, const std::string& name, bool is_last, Loop* loop);
  bool TryTypes(const ast::Stmt& stmt, Loop* loop);
  bool KeepSlice(const Value& value, const Value& state, Span span);
  std::optional<bool> IsDownward(const Loop& loop);
  void FinishLoop(const ast::Stmt& stmt, Loop* loop);
  const ast::TypeExpr* RowType(const ast::TypeExpr* type);

  // ---- histories.cc: reads of what a recurrence makes
  Value SubscriptHistory(const TensorPtr& tensor, const ast::Expr& expr, const ast::Subscript& node,
                         const ast::Expr* otherwise);
  Value SubscriptRow(const TensorPtr& row, const ast::Expr& expr, const ast::Subscript& node,
                     const ast::Expr* otherwise);
  Value SubscriptGiven(const TensorPtr& tensor, const ast::Expr& expr, const ast::Subscript& node,
                       const ast::Expr* otherwise);
  std::optional<Scalar> HistoryPosition(const History& history, const ast::Subscript::Item& item);

  // The least and the largest value of a form over everything that has a range but the symbols to keep.
  std::optional<std::pair<Size, Size>> Hull(const Size& form, const std::set<int>& keep);
  bool IsOpen(const Size& size);
  Prover MakeProver(const std::vector<Size>& forms, const std::vector<Fact>& facts);
  template <typename... Args>
  DiagnosticBuilder Report(Span span, DiagnosticKind<Args...> kind,
                           const std::type_identity_t<Args>&... args) {
    if (work_reported_) {  // what was left undone is no mistake
      diagnostics_.CountRepeated();
      return DiagnosticBuilder();
    }
    DiagnosticBuilder builder = diagnostics_.Report(span, kind, args...);
    AddCallNotes(builder, span);
    return builder;
  }
  void AddCallNotes(DiagnosticBuilder& builder, Span at);
  // A limit is reported once in a file: everything that calls what is behind it is behind it too.
  void ReportLimit(Span span, DiagnosticKind<Count> kind, Count limit);
  Value Unsupported(Span span, const std::string& what);
  bool Work(Span span, int64_t amount = 1);

  const SourceManager& sources_;
  Diagnostics& diagnostics_;
  Program& program_;
  bool generic_;
  Method* method_ = nullptr;
  std::vector<Statement>* statements_ = nullptr;
  Frame* frame_ = nullptr;
  std::unique_ptr<Frame> entry_frame_;           // where an entry's members are evaluated
  std::map<int, std::pair<Size, Size>> ranges_;  // of index symbols and of ints from data
  std::set<int> found_inside_;                   // of them, those of the call that is made under indices
  std::map<int, Size> found_;                    // symbols of sizes that the data decides: at most so much
  std::vector<Fact> facts_;
  std::vector<Deferred> deferred_;
  std::vector<IndexPtr> in_force_;
  struct KnownRead {  // an int at places with these forms
    std::vector<Size> forms;
    std::optional<std::pair<Size, Size>> range;
    Size value;
  };
  std::map<TensorId, std::vector<KnownRead>> known_reads_;  // of this method
  std::map<int, TensorId> weight_tensors_;                  // of this method
  std::map<StateKey, DeclaredType> record_types_;           // of states that are records
  std::map<StateKey, Value> states_;                        // that this method has changed by now
  std::vector<std::pair<StateKey, std::optional<Value>>>
      state_changes_;  // all of them, with the value before
  std::vector<std::pair<std::string, Span>>
      stateful_places_;                       // around what is evaluated: no state changes here
  std::vector<CarriedStates*> open_steps_;    // of the loops whose step is worked out, from outside in
  std::vector<Uninitialized> uninitialized_;  // params and states whose initial value is to be worked out
  std::optional<StateMember> initial_;        // that whose initial value is worked out
  std::vector<Expectation>* expectations_ = nullptr;  // of the test that is elaborated
  std::map<IndexId, IndexPtr> index_of_;
  std::vector<const void*> calls_;
  std::set<const ast::Block*> sound_;
  std::set<std::tuple<const ast::Block*, const ModelInstance*, bool>>
      seeded_;                          // bodies that read `seed`: R31
  int under_indices_ = 0;               // calls that are made
  std::vector<Scalar> lifted_at_;       // of the element that an op is lifted to
  std::set<int> left_indices_written_;  // symbols of indices whose range is written in this equation
  std::set<std::pair<const void*, std::string>> unknown_names_;  // reported, per body
  // The call whose locals are asked for, where they go, and whether it is the next body to run.
  const ast::Expr* captured_call_ = nullptr;
  std::map<std::string, Value>* captured_ = nullptr;
  bool captures_next_ = false;
  int next_symbol_ = 1000;
  IndexId next_index_ = 0;
  std::map<std::string, Size> open_powers_;  // by their text
  int64_t work_ = 0;
  Count nesting_ = 0;
  std::map<const ast::Let*, Value> lets_;  // of files, those that are numbers
  bool work_reported_ = false;
  std::vector<ModelPtr> instances_;  // all of them: they point at each other
  std::set<std::pair<int, std::string>>
      told_;  // what is wrong with a model (its number), once for all its calls
  std::map<const ast::Expr*, Value>* subscript_values_ = nullptr;  // of the record that is subscripted
  std::vector<IndexPtr> widened_;        // for the call that is made, see WidenIndices
  const ast::Expr* optional_ = nullptr;  // the name that may stand for something absent here
  int numeric_conditions_ = 0;           // around what is evaluated: an optional may be used there
  std::map<int, size_t> roots_;          // models of a test that are no member of another, numbered
  bool wants_whole_ =
      false;  // in a subscript, where a size like D/2 that meets an int is whole, or is checked (R18)

  std::deque<ast::TypeExpr> row_types_;  // of slices, made from those of the tensors

  friend class FrameScope;
  friend class StatefulPlace;
};

// Whether arithmetic on a size left 64 bits.
bool IsBeyond64Bits(const Size& size);
// A record, or a list with one in it.
bool IsRecord(const Value& value);
bool HoldsRecord(const std::vector<Value>& values);
// The names and values right below a record, or a list in one; the same kind of value with others there.
std::vector<std::pair<std::string, Value>> Branches(const Value& value);
Value WithBranches(const Value& like, std::vector<Value> parts);
// `net.params`
bool IsRecordType(const ast::TypeExpr* type);
// Whether a view of a stored tensor of that shape is all of it.
bool IsWhole(const TensorValue& tensor, const std::vector<Size>& shape);
bool WorksByLeaf(const ast::Signature& signature, const ast::Block& body);

// Makes a frame the current one for a while.
class FrameScope {
 public:
  FrameScope(Elaborator& elaborator, Frame& frame) : elaborator_(elaborator), before_(elaborator.frame_) {
    elaborator.frame_ = &frame;
  }
  ~FrameScope() { elaborator_.frame_ = before_; }

 private:
  Elaborator& elaborator_;
  Frame* before_;
};

// While it lives, no state may change: what is evaluated is not computed exactly once. `where` says so in
// messages.
class StatefulPlace {
 public:
  StatefulPlace(Elaborator& elaborator, std::string where, Span span);
  ~StatefulPlace();

 private:
  Elaborator& elaborator_;
};

}  // namespace weft::dsl::sema

#endif  // WEFT_DSL_SEMA_ELABORATOR_H_
