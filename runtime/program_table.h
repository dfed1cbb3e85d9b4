#ifndef WEFT_RUNTIME_PROGRAM_TABLE_H_
#define WEFT_RUNTIME_PROGRAM_TABLE_H_

// What the compiler emits for a program, and what its code calls back. backends/host writes these structures
// field by field as constant data; a change here is a change there and of kTableVersion.

#include <cstdint>

#include "runtime/weft.h"

namespace weft::runtime {

constexpr uint32_t kTableVersion = 6;

struct PortTable {
  const char* name;
  const char* doc;
  int32_t type;  // weft_type
  int32_t rank;
  const int64_t* shape;           // -1: known at run time
  const char* const* shape_text;  // in the file's words
  const char* range_lo;           // null, or sizes in the file's words: values are in lo..hi, hi not included
  const char* range_hi;
};

struct DimensionTable {
  const char* name;
  int64_t lo, hi, step;  // hi included
  int64_t typical;       // what is measured where nothing is given
};

struct WeightTable {
  const char* path;
  int32_t type;
  int32_t rank;
  const int64_t* shape;
  int32_t is_state;
  int32_t has_fill;
  double fill;
  int32_t used_by_methods;  // else only by prepare, after which it can go
  int32_t changes;          // a state that some method gives another value
  int32_t has_range;        // of an int: lo..hi, hi not included
  int64_t lo, hi;
  int32_t has_initial;  // ProgramTable::initial_values has a method that computes it
};

struct LaunchTable {
  const char* kernel;
  const char* path;  // of the equation
  const char* file;
  int32_t line;
  int32_t extent_count;  // run-time sizes that the kernel is given
  double flops, bytes;   // 0: not known
};

// Places for one call. Every pointer is aligned to 64 bytes.
struct Frame {
  const int64_t* input_dims;  // of all inputs, all axes
  void* const* inputs;
  void* const* outputs;
  char* arena;
  void* const* slots;  // those of a segment are known when it is planned
  void* const* weights;
  void* const* prepared;
  int64_t* output_dims;  // of all outputs, all axes: those are filled in that the data decides
  int64_t* slot_bytes;   // filled in before a segment is planned
};

// Computes the sizes of the outputs from the inputs' and checks what the program demands of them. A size that
// only the data decides is -1.
using ShapesFunction = int32_t (*)(void* context, const int64_t* input_dims, int64_t* output_dims);
using RunFunction = int32_t (*)(void* context, const Frame* frame);
// An op in C: all tensors are dense; 0 unless it failed. See weft_extern_op in weft.h.
using ExternFunction = int32_t (*)(const weft_tensor* inputs, weft_tensor* results);
using KernelFunction = int32_t (*)(void* context, void* const* buffers, const int64_t* extents);

// Memory whose size is known at run time. All slots of a segment are placed at once, when its sizes are
// known; two that are needed at one time do not overlap.
struct SlotTable {
  int64_t segment;      // 0: at the beginning of a run
  int64_t first, last;  // times
};

// A method as it is compiled for some sizes of its inputs.
struct CodeTable {
  const int64_t* input_dims;  // of all inputs, all axes; -1: any
  const char* sizes;          // of the dimensions that are numbers here, in words; empty: of none
  int64_t arena_bytes;
  int64_t slot_count;
  const SlotTable* slots;
  ShapesFunction shapes;
  RunFunction run;
  // Per state of MethodTable::next: whether the code changes a part of it. Then it must be what the state is
  // before the run, and what the code defers makes the state the same afterwards.
  const int32_t* in_place;
};

struct MethodTable {
  const char* name;
  const char* doc;
  int32_t input_count, output_count;
  const PortTable* inputs;
  const PortTable* outputs;
  // The first whose sizes are those of the inputs is run; the last one fits all.
  const CodeTable* codes;
  int32_t code_count;
  // Behind the outputs come the next values of these states, as if they were outputs too.
  int32_t next_count;
  int32_t reads_states;  // uses one that some method changes
  const int32_t* next;   // numbers of weights
};

struct ProgramTable {
  uint32_t version;
  int32_t dimension_count, weight_count, method_count, launch_count, prepared_count;
  const char* file;
  const char* entry;
  const DimensionTable* dimensions;
  const WeightTable* weights;
  const MethodTable* methods;
  const LaunchTable* launches;
  const CodeTable* prepare;  // takes no inputs; null where there is nothing to prepare
  const int64_t* prepared_bytes;
  // What the code needs of the processor: LLVM's feature names separated by commas.
  const char* cpu_features;
  // Weights inside the program: the results of prepare, then the weights that methods use. Null: none.
  const char* embedded;
  const int64_t* embedded_offsets;  // prepared_count + weight_count; -1: not there
  // Initial values that are computed, each a method without ports whose only next is the weight. In the order
  // in which they run.
  int32_t initial_count;
  const MethodTable* initial_values;
};

}  // namespace weft::runtime

// Called by generated code. `context` is what run was given.
extern "C" {
int32_t weft_launch(void* context, int32_t launch, weft::runtime::KernelFunction kernel, void* const* buffers,
                    const int64_t* extents);
// The same when the run has succeeded; buffers and extents are copied. The kernel cannot fail.
void weft_defer_launch(void* context, int32_t launch, weft::runtime::KernelFunction kernel,
                       void* const* buffers, int64_t buffer_count, const int64_t* extents,
                       int64_t extent_count);
// A copy that lasts until the end of the run, its deferred launches included. Null: not enough memory, and
// the error is set.
void* weft_keep(void* context, const void* data, int64_t bytes);
int32_t weft_check_failed(void* context, const char* message, const int64_t* values, int32_t count);
void* weft_malloc(void* context, int64_t bytes);
void weft_free(void* context, void* pointer);
int32_t weft_parallel_for(void* context, int32_t (*task)(void* context, int64_t index, void* closure),
                          int64_t count, void* closure);
// Sorts, segments and filters, see selection.h; `rows` rows of n keys each. 2: not enough memory.
int32_t weft_sort(void* context, int32_t type, int32_t descending, const void* keys, int64_t rows, int64_t n,
                  int64_t k, int64_t* order);
void weft_segments(const int64_t* keys, int64_t rows, int64_t n, int64_t starts_per_row, int64_t* order,
                   int64_t* starts);
void weft_filter(const uint8_t* mask, int64_t n, int64_t most, int64_t* positions, int64_t* count);
// Calls an op in C and checks what it gives. `names`: the op's, then the results', each with its 0. Of all
// `count` tensors, inputs first: types, ranks, memory, and all sizes in a row; of every result the range
// lo..hi, INT64_MIN.. INT64_MAX for none. 1: it failed, and the error is set.
int32_t weft_call_extern(void* context, weft::runtime::ExternFunction function, const char* names,
                         int32_t input_count, int32_t count, const int32_t* types, const int32_t* ranks,
                         void* const* buffers, const int64_t* dims, const int64_t* bounds);
// Places the slots of a segment, whose bytes are in the frame. Not 0: there is not so much memory.
int32_t weft_plan_segment(void* context, int64_t segment);
// Memory of an output whose size only the data decides, at least `bytes`. Null: there is not so much.
void* weft_reserve_output(void* context, int64_t output, int64_t bytes);
// A step of a recurrence begins, numbered as they run; 0 also where all are done.
void weft_begin_step(void* context, int64_t number);
int halide_do_par_for(void* context, int (*task)(void* context, int index, uint8_t* closure), int first,
                      int count, uint8_t* closure);
}

#endif  // WEFT_RUNTIME_PROGRAM_TABLE_H_
