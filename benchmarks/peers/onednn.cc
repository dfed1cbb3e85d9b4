// oneDNN's primitives for the kernels of the benchmark, called from peers/onednn.py.
//
// Weights are reordered once to the layout that the primitive asks for. Activations are tried in the layout
// that our side has, pictures with the channels of a pixel side by side, and in whatever the primitive
// prefers; the faster one runs, and its reorders are not counted, as between the layers of a network.
#include <chrono>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Dims = memory::dims;

memory::desc Floats(const Dims& dims, Tag tag) { return {dims, memory::data_type::f32, tag}; }

struct Kernel {
  dnnl::primitive primitive;
  std::unordered_map<int, memory> arguments;
  memory::desc result;  // as the caller wants it
};

class Maker {
 public:
  Maker(const long* sizes, float** arrays) : sizes_(sizes), arrays_(arrays) {}

  // rows, inputs, outputs; arrays: x, weight [outputs, inputs], bias.
  std::vector<Kernel> Linear() {
    memory::dim rows = sizes_[0], inputs = sizes_[1], outputs = sizes_[2];
    memory::desc x = Floats({rows, inputs}, Tag::ab), y = Floats({rows, outputs}, Tag::ab);
    dnnl::matmul::primitive_desc product(engine_, x, Floats({inputs, outputs}, Tag::any),
                                         Floats({1, outputs}, Tag::ab), y);
    dnnl::inner_product_forward::primitive_desc layer(engine_, dnnl::prop_kind::forward_inference, x,
                                                      Floats({outputs, inputs}, Tag::any),
                                                      Floats({outputs}, Tag::a), y);
    return {Weighted(product, dnnl::matmul(product), x, Floats({inputs, outputs}, Tag::ba),
                     Floats({1, outputs}, Tag::ab), y),
            Weighted(layer, dnnl::inner_product_forward(layer), x, Floats({outputs, inputs}, Tag::ab),
                     Floats({outputs}, Tag::a), y)};
  }

  // size, channels, results, window, stride, pad, groups; arrays: x, weight [results, channels / groups,
  // window, window], bias.
  std::vector<Kernel> Convolution() {
    memory::dim size = sizes_[0], channels = sizes_[1], results = sizes_[2], window = sizes_[3],
                stride = sizes_[4];
    memory::dim pad = sizes_[5], groups = sizes_[6], out = (size + 2 * pad - window) / stride + 1;
    Dims x = {1, channels, size, size}, y = {1, results, out, out};
    Dims w = {results, channels / groups, window, window};
    if (groups > 1) w = {groups, results / groups, channels / groups, window, window};
    std::vector<Kernel> found;
    for (Tag tag : {Tag::nhwc, Tag::any}) {
      dnnl::convolution_forward::primitive_desc convolution(
          engine_, dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, Floats(x, tag),
          Floats(w, Tag::any), Floats({results}, Tag::a), Floats(y, tag), {stride, stride}, {pad, pad},
          {pad, pad});
      found.push_back(Weighted(convolution, dnnl::convolution_forward(convolution), Floats(x, Tag::nhwc),
                               Floats(w, groups > 1 ? Tag::goihw : Tag::oihw), Floats({results}, Tag::a),
                               Floats(y, Tag::nhwc)));
    }
    return found;
  }

  // rows, length; arrays: x.
  std::vector<Kernel> Softmax() {
    memory::desc x = Floats({sizes_[0], sizes_[1]}, Tag::ab);
    dnnl::softmax_forward::primitive_desc softmax(engine_, dnnl::prop_kind::forward_inference,
                                                  dnnl::algorithm::softmax_accurate, x, x, 1);
    Kernel kernel{
        dnnl::softmax_forward(softmax), {{DNNL_ARG_SRC, Given(x, x)}, {DNNL_ARG_DST, memory(x, engine_)}}, x};
    return {kernel};
  }

  // rows, length; arrays: x, weight, bias.
  std::vector<Kernel> LayerNorm() {
    memory::desc x = Floats({sizes_[0], sizes_[1]}, Tag::ab), of_columns = Floats({sizes_[1]}, Tag::a);
    dnnl::layer_normalization_forward::primitive_desc norm(
        engine_, dnnl::prop_kind::forward_inference, x, x, 1e-5F,
        dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift);
    Kernel kernel{dnnl::layer_normalization_forward(norm),
                  {{DNNL_ARG_SRC, Given(x, x)},
                   {DNNL_ARG_SCALE, Given(of_columns, of_columns)},
                   {DNNL_ARG_SHIFT, Given(of_columns, of_columns)},
                   {DNNL_ARG_DST, memory(x, engine_)}},
                  x};
    return {kernel};
  }

  // The kernel that is fastest here.
  Kernel Fastest(const std::vector<Kernel>& kernels) {
    const Kernel* best = nullptr;
    double least = 0;
    for (const Kernel& kernel : kernels) {
      Run(kernel);
      for (int round = 0; round < 5; ++round) {
        auto start = std::chrono::steady_clock::now();
        for (int run = 0; run < 5; ++run) Run(kernel);
        double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (best == nullptr || took < least) best = &kernel, least = took;
      }
    }
    return *best;
  }

  void Run(const Kernel& kernel) {
    kernel.primitive.execute(stream_, kernel.arguments);
    stream_.wait();
  }

  void Result(const Kernel& kernel, float* out) {
    memory wanted(kernel.result, engine_, out), found = kernel.arguments.at(DNNL_ARG_DST);
    dnnl::reorder(found, wanted).execute(stream_, found, wanted);
    stream_.wait();
  }

 private:
  // The next of the arrays, in the layout `wanted`.
  memory Given(const memory::desc& desc, const memory::desc& wanted) {
    memory given(desc, engine_, arrays_[next_++]);
    if (wanted == desc) return given;
    memory other(wanted, engine_);
    dnnl::reorder(given, other).execute(stream_, given, other);
    stream_.wait();
    return other;
  }

  template <typename Description>
  Kernel Weighted(const Description& made, const dnnl::primitive& primitive, const memory::desc& x,
                  const memory::desc& weight, const memory::desc& bias, const memory::desc& y) {
    next_ = 0;
    memory source = Given(x, made.src_desc()), weights = Given(weight, made.weights_desc());
    memory biases = Given(bias, made.bias_desc());
    return {primitive,
            {{DNNL_ARG_SRC, source},
             {DNNL_ARG_WEIGHTS, weights},
             {DNNL_ARG_BIAS, biases},
             {DNNL_ARG_DST, memory(made.dst_desc(), engine_)}},
            y};
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  const long* sizes_;
  float** arrays_;
  int next_ = 0;
};

struct Handle {
  Maker maker;
  Kernel kernel;
};

}  // namespace

// Null where oneDNN has no such primitive.
extern "C" void* create(const char* kind, const long* sizes, float** arrays) {
  try {
    Maker maker(sizes, arrays);
    std::string name = kind;
    std::vector<Kernel> kernels = name == "linear"    ? maker.Linear()
                                  : name == "conv"    ? maker.Convolution()
                                  : name == "softmax" ? maker.Softmax()
                                                      : maker.LayerNorm();
    Kernel fastest = maker.Fastest(kernels);
    return new Handle{maker, fastest};
  } catch (const dnnl::error&) {
    return nullptr;
  }
}

extern "C" void run(void* handle) {
  auto* made = static_cast<Handle*>(handle);
  made->maker.Run(made->kernel);
}

extern "C" void result(void* handle, float* out) {
  auto* made = static_cast<Handle*>(handle);
  made->maker.Result(made->kernel, out);
}
