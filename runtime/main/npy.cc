#include "runtime/main/npy.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace weft::runtime {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

struct Header {
  std::string descr;
  bool fortran_order = false, structured = false;
  std::vector<int64_t> shape;
};

// Reads the Python dictionary of the header: three known keys, a string, True or False, a tuple of numbers.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  bool Parse(Header& header) {
    bool descr = false, order = false, shape = false;
    if (!Take('{')) return false;
    while (!Take('}')) {
      std::string key;
      if (!String(key) || !Take(':')) return false;
      if (key == "descr" && Peek('[')) {
        header.structured = true;
        return false;
      }
      if (key == "descr" && !descr) {
        descr = String(header.descr);
        if (!descr) return false;
      } else if (key == "fortran_order" && !order) {
        order = true;
        if (Word("True")) {
          header.fortran_order = true;
        } else if (!Word("False")) {
          return false;
        }
      } else if (key == "shape" && !shape) {
        shape = Tuple(header.shape);
        if (!shape) return false;
      } else {
        return false;
      }
      if (!Take(',') && !Peek('}')) return false;
    }
    SkipSpace();
    return descr && order && shape && at_ == text_.size();
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool Peek(char c) {
    SkipSpace();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool Take(char c) {
    if (!Peek(c)) return false;
    ++at_;
    return true;
  }
  bool Word(std::string_view word) {
    SkipSpace();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  bool String(std::string& value) {
    SkipSpace();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return false;
    size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) return false;
    value = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return true;
  }
  bool Tuple(std::vector<int64_t>& sizes) {
    if (!Take('(')) return false;
    while (!Take(')')) {
      SkipSpace();
      int64_t size = 0;
      size_t start = at_;
      while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) {
        if (__builtin_mul_overflow(size, 10, &size) || __builtin_add_overflow(size, text_[at_] - '0', &size))
          return false;
        ++at_;
      }
      if (at_ == start || sizes.size() > 64) return false;
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // written by Python 2
      sizes.push_back(size);
      if (!Take(',') && !Peek(')')) return false;
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

// One element of a file: its kind and width, not necessarily one that tensors have.
struct Element {
  char kind = 0;  // b i u f
  int bytes = 0;
  bool swapped = false;

  bool Read(const std::string& descr) {
    if (descr.size() != 3) return false;
    kind = descr[1];
    bytes = descr[2] - '0';
    swapped = descr[0] == '>' && bytes > 1;
    if (descr[0] != '<' && descr[0] != '>' && descr[0] != '|' && descr[0] != '=') return false;
    bool width = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
    return width &&
           ((kind == 'b' && bytes == 1) || kind == 'i' || kind == 'u' || (kind == 'f' && bytes >= 2));
  }

  uint64_t Bits(const char* data) const {
    unsigned char raw[8] = {};
    std::memcpy(raw, data, static_cast<size_t>(bytes));
    if (swapped) std::reverse(raw, raw + bytes);
    uint64_t bits = 0;
    std::memcpy(&bits, raw, sizeof(bits));
    return bits;
  }

  double Float(const char* data) const {
    uint64_t bits = Bits(data);
    return LoadFloat(&bits, bytes == 2 ? WEFT_F16 : bytes == 4 ? WEFT_F32 : WEFT_F64);
  }

  // False: above what 64 signed bits hold.
  bool Integer(const char* data, int64_t* value) const {
    uint64_t bits = Bits(data);
    int unused = 64 - 8 * bytes;
    *value = kind == 'i' ? static_cast<int64_t>(bits << unused) >> unused : static_cast<int64_t>(bits);
    return kind == 'i' || *value >= 0;
  }
};

bool StoreElement(const Element& element, const char* source, weft_type type, char* target) {
  if (IsFloat(type)) {
    StoreFloat(target, type, element.Float(source));
    return true;
  }
  if (type == WEFT_BOOL) {
    *target = *source != 0;
    return true;
  }
  int64_t value = 0;
  return element.Integer(source, &value) && StoreInteger(target, type, value);
}

}  // namespace

Result<HostTensor> ReadNpy(std::string_view bytes, weft_type type, std::string* note) {
  if (bytes.substr(0, kMagic.size()) != kMagic || bytes.size() < 10)
    return InvalidArgument("it is no .npy file");
  int version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3) return InvalidArgument("it is a .npy file of an unknown version");
  uint32_t header_bytes = 0;
  size_t length_bytes = version == 1 ? 2 : 4;
  if (bytes.size() < 8 + length_bytes) return InvalidArgument("it is cut off");
  std::memcpy(&header_bytes, bytes.data() + 8, length_bytes);
  std::string_view data = bytes.substr(8 + length_bytes);
  if (header_bytes > data.size()) return InvalidArgument("it is cut off in its header");
  Header header;
  if (!HeaderParser(data.substr(0, header_bytes)).Parse(header))
    return InvalidArgument(header.structured ? "its elements are records, which no tensor can have"
                                             : "its header is damaged");
  data.remove_prefix(header_bytes);

  Element element;
  if (!element.Read(header.descr))
    return InvalidArgument("its elements are `" + header.descr + "`, which no tensor can have");
  bool fits = element.kind == 'f' ? IsFloat(type) : element.kind == 'b' ? type == WEFT_BOOL : IsInteger(type);
  if (!fits)
    return InvalidArgument("its elements are `" + header.descr + "`, but " + TypeName(type) + " is needed");
  int64_t count = ElementCount(header.shape.data(), static_cast<int32_t>(header.shape.size())), needed = 0;
  if (count < 0 || __builtin_mul_overflow(count, element.bytes, &needed) ||
      static_cast<uint64_t>(needed) > data.size())
    return InvalidArgument("it is cut off: its shape needs more data than there is");
  if (header.shape.size() > WEFT_MAX_RANK) return InvalidArgument("it has too many axes");

  HostTensor tensor;
  tensor.type = type;
  tensor.shape = header.shape;
  if (!tensor.Allocate()) return OutOfMemory("not enough memory for it");
  int64_t width = ByteSize(type), rank = static_cast<int64_t>(header.shape.size());
  std::vector<int64_t> index(header.shape.size());
  std::vector<int64_t> strides(header.shape.size());
  int64_t step = 1;
  for (int64_t k = 0; k < rank; ++k) {
    size_t axis = static_cast<size_t>(header.fortran_order ? k : rank - 1 - k);
    strides[axis] = step;
    step *= header.shape[axis];
  }
  int64_t offset = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (!StoreElement(element, data.data() + offset * element.bytes, type, tensor.data.data() + i * width))
      return InvalidArgument("a value of it does not fit in " + std::string(TypeName(type)));
    for (size_t axis = index.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++index[axis] < header.shape[axis]) break;
      offset -= strides[axis] * header.shape[axis];
      index[axis] = 0;
    }
  }
  if (element.kind == 'f' && element.bytes > width)
    *note = "rounded from " + header.descr.substr(1) + " to " + TypeName(type);
  return tensor;
}

std::string WriteNpy(const weft_tensor& dense) {
  const char* descr = "<f4";
  switch (dense.type) {
    case WEFT_BOOL:
      descr = "|b1";
      break;
    case WEFT_I8:
      descr = "|i1";
      break;
    case WEFT_U8:
      descr = "|u1";
      break;
    case WEFT_I32:
      descr = "<i4";
      break;
    case WEFT_INT:
    case WEFT_I64:
      descr = "<i8";
      break;
    case WEFT_F16:
      descr = "<f2";
      break;
    case WEFT_F64:
      descr = "<f8";
      break;
    case WEFT_BF16:
    case WEFT_F32:
      break;
  }
  std::string header = std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (";
  for (int32_t axis = 0; axis < dense.rank; ++axis)
    header += std::to_string(dense.shape[axis]) + (axis + 1 < dense.rank || dense.rank == 1 ? ", " : "");
  header += "), }";
  // Version 1: magic, two version bytes, two length bytes; data begins at a multiple of 64.
  size_t total = (10 + header.size() + 1 + 63) / 64 * 64;
  header.resize(total - 11, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes += '\x01';
  bytes += '\0';
  bytes += static_cast<char>(header.size() & 255);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  int64_t count = ElementCount(dense.shape, dense.rank);
  size_t start = bytes.size();
  if (dense.type == WEFT_BF16) {
    bytes.resize(start + static_cast<size_t>(count) * 4);
    int64_t position = 0;
    ConvertElements(dense.data, WEFT_BF16, bytes.data() + start, WEFT_F32, count, &position);
  } else if (count > 0) {
    bytes.append(static_cast<const char*>(dense.data), static_cast<size_t>(count * ByteSize(dense.type)));
  }
  return bytes;
}

}  // namespace weft::runtime
