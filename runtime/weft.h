#ifndef WEFT_RUNTIME_WEFT_H_
#define WEFT_RUNTIME_WEFT_H_

/* The C interface of compiled Weft programs. A library made by `weft compile --emit so|a` comes with a header
 * that declares these functions under the program's own prefix (weft_FILE_ENTRY_create, ...); everything else
 * in it is hidden, so several programs live in one process.
 *
 * Functions that return int give WEFT_OK or a weft_error, and then weft_last_error() describes it for the
 * calling thread. A program may be used from several threads at once: the first caller has the thread pool,
 * others run on their own thread. A program whose methods change its state keeps that state in the handle:
 * runs that change it come one after the other, in the order in which they get their turn, and alone; runs
 * that read it see it before or after such a run, never in between. Nothing exits, aborts or prints. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_ABI_VERSION 1u
#define WEFT_MAX_RANK 16

typedef enum weft_error {
  WEFT_OK = 0,
  WEFT_INVALID_ARGUMENT = 1, /* an input, output or option does not fit the program */
  WEFT_WEIGHTS = 2,          /* weight files are missing, damaged or do not fit */
  WEFT_OUT_OF_MEMORY = 3,
  WEFT_UNSUPPORTED_CPU = 4, /* the program was compiled for another processor */
  WEFT_INTERNAL = 5,
  WEFT_STATE = 6 /* a file with the state is missing, damaged or does not fit */
} weft_error;

/* Elements in memory. WEFT_BOOL is one byte, 0 or 1; WEFT_INT is the same as WEFT_I64. */
typedef enum weft_type {
  WEFT_BOOL = 0,
  WEFT_INT = 1,
  WEFT_I8 = 2,
  WEFT_U8 = 3,
  WEFT_I32 = 4,
  WEFT_I64 = 5,
  WEFT_F16 = 6,
  WEFT_BF16 = 7,
  WEFT_F32 = 8,
  WEFT_F64 = 9
} weft_type;

/* A tensor that the caller owns. As an input: everything is read, nothing is kept after the call. As an
 * output: with `data`, the caller's memory of that type and shape is written; without (NULL), the program's
 * own memory is used: type, shape and data are filled in and stay valid until the next run on the same thread
 * or until destroy; so outputs are asked for whose shape the data decides. Dense tensors whose data lies at a
 * multiple of 64 bytes are used in place, others are copied. */
typedef struct weft_tensor {
  void* data;
  weft_type type;
  int32_t rank;
  int64_t shape[WEFT_MAX_RANK];
  const int64_t* strides; /* in elements, one per axis; NULL: dense, row-major */
} weft_tensor;

/* An op in C: what `extern op f(x: f32[N]) -> y: f32[N]` calls is `int f(const weft_tensor* inputs,
 * weft_tensor* results)`. Tensors come in the order of the declaration, dense and row-major, with their
 * sizes; a number is a tensor without axes. The function fills the memory of the results, which is there
 * already, and returns 0, or what it likes as the code of an error, with which the run fails. It may be
 * called from several threads at once, and Weft takes it to be a function of its inputs: a call whose results
 * are not needed may be left out, and equal ones made once. */
typedef int32_t (*weft_extern_op)(const weft_tensor* inputs, weft_tensor* results);

/* A file of weights (safetensors). With a prefix, a tensor T of the file is the program's PREFIX.T. */
typedef struct weft_weight_file {
  const char* path;
  const char* prefix; /* NULL or "": none */
} weft_weight_file;

typedef struct weft_options {
  uint32_t abi_version; /* WEFT_ABI_VERSION */
  const weft_weight_file* weights;
  size_t weight_count;
  int32_t threads;      /* 0: one per processor that this process may use */
  int32_t pin_threads;  /* 1: every worker keeps to one processor */
  int32_t strict;       /* 1: tensors in weight files that the program does not use are an error */
  int32_t init_weights; /* 1: weights that no file gives have their declared value or are drawn from `seed`;
                           for tests */
  uint64_t seed;
  /* Told about everything that is worth knowing and no error (NULL: nobody). */
  void (*note)(void* user, const char* text);
  void* note_user;
} weft_options;

typedef struct weft_program weft_program;

/* What a port (an input or output of a method) or a state looks like. */
typedef struct weft_port_info {
  const char* name;
  const char* doc; /* "" if none */
  weft_type type;
  const char* type_name; /* as the file says it: "f32", "int" */
  int32_t rank;
  const int64_t* shape;           /* -1 where known at run time only */
  const char* const* shape_names; /* per axis, in the file's words: "B", "3", "2*H"; NULL for a state */
} weft_port_info;

typedef struct weft_method_info {
  const char* name;
  const char* doc;
  int32_t input_count, output_count;
} weft_method_info;

typedef struct weft_dimension_info {
  const char* name;
  int64_t lo, hi, step; /* lo..hi, both included, in steps */
} weft_dimension_info;

#ifdef __cplusplus
}
#endif

#endif /* WEFT_RUNTIME_WEFT_H_ */
