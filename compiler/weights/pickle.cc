#include "compiler/weights/pickle.h"

#include <charconv>
#include <cstring>
#include <unordered_map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace weft::weights {

namespace {

constexpr size_t kMostMemory = size_t{256} << 20;
constexpr size_t kMostAxes = 64;

// Opcodes of pickle protocols 0 to 5 that data needs (Lib/pickletools.py describes them all).
enum Opcode : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kFloat = 'F',
  kInt = 'I',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kLong = 'L',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kString = 'S',
  kBinString = 'T',
  kShortBinString = 'U',
  kUnicode = 'V',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDict = 'd',
  kAppends = 'e',
  kGet = 'g',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kList = 'l',
  kPut = 'p',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kEmptyList = ']',
  kEmptyTuple = ')',
  kBinFloat = 'G',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

std::string HexCode(uint8_t code) { return absl::StrCat("0x", absl::Hex(code, absl::kZeroPad2)); }

}  // namespace

class PickleMachine {
 public:
  explicit PickleMachine(std::string_view bytes) : bytes_(bytes) {}

  absl::StatusOr<Pickle> Run(size_t* consumed) {
    while (true) {
      start_ = at_;
      std::string_view code;
      if (!Take(1, &code)) return Error();
      uint8_t op = static_cast<uint8_t>(code[0]);
      if (op == kStop) break;
      if (!Step(op)) return Error();
    }
    if (!Top()) return Error();
    pickle_.root_ = Top();
    *consumed = at_;
    return std::move(pickle_);
  }

 private:
  using Sequence = PickleValue::Sequence;
  using Mapping = PickleValue::Mapping;
  using Global = PickleValue::Global;

  absl::Status Error() const {
    return absl::InvalidArgumentError(absl::StrCat(problem_.empty() ? "the pickle is damaged" : problem_,
                                                   " (byte ", start_, " of the pickle)"));
  }
  bool Fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  // ---- bytes
  bool Take(uint64_t count, std::string_view* taken) {
    if (count > bytes_.size() - at_) return Fail("the pickle ends too early");
    *taken = bytes_.substr(at_, count);
    at_ += count;
    return true;
  }
  bool TakeNumber(int bytes, uint64_t* number) {
    std::string_view raw;
    if (!Take(bytes, &raw)) return false;
    *number = 0;
    std::memcpy(number, raw.data(), bytes);  // little-endian, as this machine
    return true;
  }
  bool TakeCounted(int bytes, std::string_view* text) {
    uint64_t length;
    return TakeNumber(bytes, &length) && Take(length, text);
  }
  bool TakeLine(std::string_view* line) {
    size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) return Fail("the pickle ends too early");
    *line = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return true;
  }

  // ---- stack
  // What is remembered can be named again by two bytes, so the length of the stream bounds nothing.
  bool Charge(size_t bytes) {
    used_ += bytes;
    return used_ <= kMostMemory || Fail("there is too much in it");
  }
  static size_t SizeOf(const std::string& text) { return text.capacity(); }
  static size_t SizeOf(const Global& global) { return global.name.capacity(); }
  static size_t SizeOf(const Sequence& sequence) { return sequence.elements.size() * sizeof(PickleRef); }
  static size_t SizeOf(const Mapping& mapping) { return mapping.items.size() * 2 * sizeof(PickleRef); }
  static size_t SizeOf(const std::shared_ptr<const Storage>& storage) {
    return sizeof(Storage) + storage->key.capacity() + storage->type.capacity();
  }
  static size_t SizeOf(const std::shared_ptr<const Tensor>& tensor) {
    return sizeof(Tensor) + tensor->storage.key.capacity() + tensor->storage.type.capacity() +
           tensor->dtype.capacity() + (tensor->shape.size() + tensor->strides.size()) * sizeof(int64_t);
  }
  template <typename T>
  static size_t SizeOf(const T&) {
    return 0;
  }
  template <typename T>
  bool Push(T node) {
    if (!Charge(sizeof(PickleValue) + SizeOf(node))) return false;
    pickle_.values_.push_back(PickleValue{std::move(node)});
    stack_.push_back(&pickle_.values_.back());
    return true;
  }
  PickleValue* Top() {
    if (stack_.empty() || stack_.back()->As<PickleValue::Mark>()) return nullptr;
    return stack_.back();
  }
  PickleValue* Pop() {
    PickleValue* top = Top();
    if (top) stack_.pop_back();
    return top;
  }
  bool PopToMark(std::vector<PickleRef>* values) {
    size_t mark = stack_.size();
    while (mark > 0 && !stack_[mark - 1]->As<PickleValue::Mark>()) --mark;
    if (mark == 0) return Fail("a mark is missing");
    values->assign(stack_.begin() + static_cast<std::ptrdiff_t>(mark), stack_.end());
    stack_.resize(mark - 1);
    return true;
  }
  bool PushTuple(size_t count) {
    Sequence tuple;
    for (size_t i = 0; i < count; ++i) {
      PickleValue* value = Pop();
      if (!value) return false;
      tuple.elements.insert(tuple.elements.begin(), value);
    }
    return Push(std::move(tuple));
  }
  bool Remember(uint64_t place) {
    if (!Top()) return false;
    auto [known, is_new] = memo_.try_emplace(place);
    known->second = Top();
    return !is_new || Charge(64);
  }
  bool Recall(uint64_t place) {
    auto found = memo_.find(place);
    if (found == memo_.end()) return Fail("the pickle refers to what it has not defined");
    stack_.push_back(found->second);
    return true;
  }
  bool PushWhole(std::string_view little_endian) {
    if (little_endian.size() > 8) return Push(std::string(little_endian));
    int64_t number = 0;
    std::memcpy(&number, little_endian.data(), little_endian.size());
    if (!little_endian.empty() && little_endian.size() < 8) {
      int unused = 64 - 8 * static_cast<int>(little_endian.size());
      number = static_cast<int64_t>(static_cast<uint64_t>(number) << unused) >> unused;
    }
    return Push(number);
  }
  bool PushDecimal(std::string_view text) {
    if (text == "00" || text == "01") return Push(text == "01");
    if (absl::EndsWith(absl::string_view(text.data(), text.size()), "L")) text.remove_suffix(1);
    int64_t number;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return Fail("a whole number is damaged");
    return Push(number);
  }

  // ---- containers
  bool Append(const std::vector<PickleRef>& values) {
    PickleValue* list = Top();
    auto* sequence = list ? std::get_if<Sequence>(&list->node) : nullptr;
    if (!sequence) return Fail("something is appended to what is no list");
    sequence->elements.insert(sequence->elements.end(), values.begin(), values.end());
    return true;
  }
  bool SetItems(const std::vector<PickleRef>& values) {
    PickleValue* top = Top();
    auto* mapping = top ? std::get_if<Mapping>(&top->node) : nullptr;
    if (!mapping || values.size() % 2) return Fail("items are set on what is no dict");
    for (size_t i = 0; i < values.size(); i += 2) mapping->items.emplace_back(values[i], values[i + 1]);
    return true;
  }

  // ---- what stands for torch's own objects
  static const Sequence* Arguments(const PickleValue* value) {
    return value ? value->As<Sequence>() : nullptr;
  }

  static bool Integers(PickleRef value, std::vector<int64_t>* numbers) {
    const auto* sequence = value->As<Sequence>();
    if (!sequence || sequence->elements.size() > kMostAxes) return false;
    for (PickleRef element : sequence->elements) {
      const auto* number = element->As<int64_t>();
      if (!number) return false;
      numbers->push_back(*number);
    }
    return true;
  }

  // ('storage', class, key, place, count) and, in the older format, a view of it: (key, offset, count).
  bool PersistentId() {
    const Sequence* id = Arguments(Pop());
    auto text = [&](size_t i) { return id->elements[i]->As<std::string>(); };
    if (!id || id->elements.size() < 5 || !text(0) || *text(0) != "storage")
      return Fail("a persistent id is no storage");
    const auto* type = id->elements[1]->As<Global>();
    const auto* count = id->elements[4]->As<int64_t>();
    if (!type || !text(2) || !count) return Fail("a storage is damaged");
    Storage storage{type->name.substr(type->name.rfind('.') + 1), *text(2), *count};
    if (id->elements.size() > 5 && !id->elements[5]->As<PickleValue::None>()) {
      const auto* view = id->elements[5]->As<Sequence>();
      const int64_t* offset = view && view->elements.size() == 3 ? view->elements[1]->As<int64_t>() : nullptr;
      const int64_t* length = offset ? view->elements[2]->As<int64_t>() : nullptr;
      if (!length || *offset < 0 || *length < 0 || *offset > *count - *length)
        return Fail("a view of a storage is damaged");
      storage.offset = *offset;
      storage.count = *length;
    }
    return Push(std::make_shared<const Storage>(std::move(storage)));
  }

  bool RebuildTensor(const Sequence& arguments, bool says_type) {
    const auto& given = arguments.elements;
    Tensor tensor;
    const auto* storage = given.size() >= 4 ? given[0]->As<Storage>() : nullptr;
    const auto* offset = storage ? given[1]->As<int64_t>() : nullptr;
    if (!offset || !Integers(given[2], &tensor.shape) || !Integers(given[3], &tensor.strides))
      return Fail("a tensor is damaged");
    tensor.storage = *storage;
    tensor.offset = *offset;
    if (says_type) {
      const auto* type = given.size() > 6 ? given[6]->As<Global>() : nullptr;
      if (!type || !absl::StartsWith(type->name, "torch.")) return Fail("a tensor's type is damaged");
      tensor.dtype = type->name.substr(6);
    }
    return Push(std::make_shared<const Tensor>(std::move(tensor)));
  }

  bool Call(const Global& function, const Sequence& arguments) {
    const std::string& name = function.name;
    const auto& given = arguments.elements;
    if (name == "torch._utils._rebuild_tensor_v2" || name == "torch._utils._rebuild_tensor")
      return RebuildTensor(arguments, false);
    if (name == "torch._utils._rebuild_tensor_v3") return RebuildTensor(arguments, true);
    if ((name == "torch._utils._rebuild_parameter" || name == "torch._utils._rebuild_parameter_with_state") &&
        !given.empty() && given[0]->As<Tensor>()) {
      return Push(std::make_shared<const Tensor>(*given[0]->As<Tensor>()));
    }
    if (name == "collections.OrderedDict" || name == "collections.defaultdict") {
      Mapping mapping;
      const auto* items = given.empty() ? nullptr : given[0]->As<Sequence>();
      for (size_t i = 0; items && i < items->elements.size(); ++i) {
        const auto* pair = items->elements[i]->As<Sequence>();
        if (!pair || pair->elements.size() != 2) return Fail("an ordered dict is damaged");
        mapping.items.emplace_back(pair->elements[0], pair->elements[1]);
      }
      return Push(std::move(mapping));
    }
    if ((name == "torch.Size" || name == "__builtin__.set" || name == "builtins.set" ||
         name == "builtins.frozenset" || name == "builtins.list" || name == "builtins.tuple") &&
        given.size() <= 1 && (given.empty() || given[0]->As<Sequence>())) {
      return Push(given.empty() ? Sequence{} : *given[0]->As<Sequence>());
    }
    if (name == "torch.device" || name == "torch.serialization._get_layout") return Push(PickleValue::None{});
    return Fail(absl::StrCat("`", name,
                             "` is no tensor, container or number, and nothing in a checkpoint is executed"));
  }

  bool Reduce() {
    PickleValue* arguments = Pop();
    PickleValue* function = Pop();
    if (!function || !function->As<Global>() || !Arguments(arguments)) return Fail("a call is damaged");
    return Call(*function->As<Global>(), *Arguments(arguments));
  }

  // State that a dict carries besides its items says nothing about tensors; nothing else may have any.
  bool Build() {
    PickleValue* state = Pop();
    if (!state || !Top()) return false;
    if (!Top()->As<Mapping>() && !Top()->As<Tensor>()) return Fail("state is given to what is no dict");
    return true;
  }

  bool Step(uint8_t op) {
    std::string_view text, second;
    uint64_t number = 0;
    std::vector<PickleRef> values;
    switch (op) {
      case kProto:
        return TakeNumber(1, &number) &&
               (number <= 5 || Fail(absl::StrCat("pickle protocol ", number, " is unknown")));
      case kFrame:
        return Take(8, &text);
      case kMark:
        return Push(PickleValue::Mark{});
      case kPop: {
        if (stack_.empty()) return false;
        stack_.pop_back();
        return true;
      }
      case kPopMark:
        return PopToMark(&values);
      case kDup: {
        if (!Top()) return false;
        stack_.push_back(Top());
        return true;
      }
      case kNone:
        return Push(PickleValue::None{});
      case kNewTrue:
        return Push(true);
      case kNewFalse:
        return Push(false);
      case kInt:
      case kLong:
        return TakeLine(&text) && PushDecimal(text);
      case kBinInt:
        return TakeNumber(4, &number) && Push(static_cast<int64_t>(static_cast<int32_t>(number)));
      case kBinInt1:
        return TakeNumber(1, &number) && Push(static_cast<int64_t>(number));
      case kBinInt2:
        return TakeNumber(2, &number) && Push(static_cast<int64_t>(number));
      case kLong1:
        return TakeCounted(1, &text) && PushWhole(text);
      case kLong4:
        return TakeCounted(4, &text) && PushWhole(text);
      case kFloat: {
        double real;
        if (!TakeLine(&text)) return false;
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), real);
        if (error != std::errc() || end != text.data() + text.size()) return Fail("a number is damaged");
        return Push(real);
      }
      case kBinFloat: {
        if (!TakeNumber(8, &number)) return false;
        number = __builtin_bswap64(number);
        double real;
        std::memcpy(&real, &number, sizeof real);
        return Push(real);
      }
      case kString:
        if (!TakeLine(&text)) return false;
        if (text.size() < 2) return Fail("a string is damaged");
        return Push(std::string(text.substr(1, text.size() - 2)));
      case kUnicode:
        return TakeLine(&text) && Push(std::string(text));
      case kShortBinString:
      case kShortBinUnicode:
      case kShortBinBytes:
        return TakeCounted(1, &text) && Push(std::string(text));
      case kBinString:
      case kBinUnicode:
      case kBinBytes:
        return TakeCounted(4, &text) && Push(std::string(text));
      case kBinUnicode8:
      case kBinBytes8:
        return TakeCounted(8, &text) && Push(std::string(text));
      case kEmptyList:
      case kEmptyTuple:
      case kEmptySet:
        return Push(Sequence{});
      case kEmptyDict:
        return Push(Mapping{});
      case kTuple:
      case kList:
      case kFrozenSet:
        return PopToMark(&values) && Push(Sequence{std::move(values)});
      case kTuple1:
        return PushTuple(1);
      case kTuple2:
        return PushTuple(2);
      case kTuple3:
        return PushTuple(3);
      case kDict:
        return PopToMark(&values) && Push(Mapping{}) && SetItems(values);
      case kAppend: {
        PickleValue* value = Pop();
        return value && Append({value});
      }
      case kAppends:
      case kAddItems:
        return PopToMark(&values) && Append(values);
      case kSetItem: {
        PickleValue* value = Pop();
        PickleValue* key = Pop();
        return key && SetItems({key, value});
      }
      case kSetItems:
        return PopToMark(&values) && SetItems(values);
      case kPut:
      case kGet: {
        if (!TakeLine(&text)) return false;
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc()) return Fail("a reference is damaged");
        return op == kPut ? Remember(number) : Recall(number);
      }
      case kBinPut:
        return TakeNumber(1, &number) && Remember(number);
      case kLongBinPut:
        return TakeNumber(4, &number) && Remember(number);
      case kMemoize:
        return Remember(memo_.size());
      case kBinGet:
        return TakeNumber(1, &number) && Recall(number);
      case kLongBinGet:
        return TakeNumber(4, &number) && Recall(number);
      case kGlobal:
        return TakeLine(&text) && TakeLine(&second) &&
               Push(Global{absl::StrCat(std::string(text), ".", std::string(second))});
      case kStackGlobal: {
        PickleValue* name = Pop();
        PickleValue* module = Pop();
        if (!module || !module->As<std::string>() || !name->As<std::string>())
          return Fail("a name is damaged");
        return Push(Global{absl::StrCat(*module->As<std::string>(), ".", *name->As<std::string>())});
      }
      case kReduce:
      case kNewObj:
        return Reduce();
      case kBuild:
        return Build();
      case kBinPersId:
        return PersistentId();
      default:
        return Fail(absl::StrCat("opcode ", HexCode(op), " has no place in a checkpoint"));
    }
  }

  std::string_view bytes_;
  size_t at_ = 0, start_ = 0;
  std::string problem_;
  Pickle pickle_;
  std::vector<PickleValue*> stack_;
  std::unordered_map<uint64_t, PickleValue*> memo_;
  size_t used_ = 0;
};

std::vector<Storage> Pickle::storages() const {
  std::vector<Storage> found;
  for (const PickleValue& value : values_) {
    if (const auto* storage = value.As<Storage>()) found.push_back(*storage);
  }
  return found;
}

absl::StatusOr<Pickle> Pickle::Read(std::string_view bytes, size_t* consumed) {
  return PickleMachine(bytes).Run(consumed);
}

}  // namespace weft::weights
