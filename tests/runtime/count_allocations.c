/* Links a compiled program's archive and counts what is allocated while it runs: prints the count of one run
 * of the first kind (everything is new) and of many after it. HEADER and PREFIX_... come from the command
 * line. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include HEADER

static long allocations;

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);

void* malloc(size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* block, size_t bytes) {
  ++allocations;
  return __libc_realloc(block, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** block, size_t alignment, size_t bytes) {
  ++allocations;
  *block = __libc_memalign(alignment, bytes);
  return *block == NULL;
}

static float image[2 * 40 * 50 * 3];

int main(void) {
  weft_options options;
  weft_program* program = NULL;
  weft_tensor input, output;
  long before, first;
  int i;
  memset(&options, 0, sizeof options);
  options.abi_version = WEFT_ABI_VERSION;
  options.threads = 1;
  options.init_weights = 1;
  if (CREATE(&options, &program) != WEFT_OK) {
    fprintf(stderr, "%s\n", LAST_ERROR());
    return 1;
  }
  memset(&input, 0, sizeof input);
  input.data = image;
  input.type = WEFT_F32;
  input.rank = 4;
  input.shape[0] = 2;
  input.shape[1] = 3;
  input.shape[2] = 40;
  input.shape[3] = 50;
  before = allocations;
  for (i = 0; i < 101; ++i) {
    memset(&output, 0, sizeof output);
    if (RUN(program, "features", &input, 1, &output, 1) != WEFT_OK) {
      fprintf(stderr, "%s\n", LAST_ERROR());
      return 1;
    }
    if (i == 0) {
      first = allocations - before;
      before = allocations;
    }
  }
  printf("%ld %ld\n", first, allocations - before);
  DESTROY(program);
  return 0;
}
