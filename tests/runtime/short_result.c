/* Runs examples/mlp with memory for LENGTH of the ten results: with less than ten, the kernel writes outside
 * of it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include HEADER

int main(int argc, char** argv) {
  int length = argc > 1 ? atoi(argv[1]) : 10;
  weft_options options;
  weft_program* program = NULL;
  weft_tensor input, output;
  int code;
  memset(&options, 0, sizeof options);
  options.abi_version = WEFT_ABI_VERSION;
  options.threads = 1;
  options.init_weights = 1;
  memset(&input, 0, sizeof input);
  input.type = WEFT_F32;
  input.rank = 2;
  input.shape[0] = 1;
  input.shape[1] = 784;
  output = input;
  output.shape[1] = 10;
  input.data = calloc(784, sizeof(float));
  if (posix_memalign(&output.data, 64, (size_t)length * sizeof(float)) != 0) return 1;
  code = weft_mlp_classify_create(&options, &program);
  if (code == WEFT_OK) code = weft_mlp_classify_run(program, "logits", &input, 1, &output, 1);
  if (code != WEFT_OK) fprintf(stderr, "%s\n", weft_mlp_classify_last_error());
  weft_mlp_classify_destroy(program);
  free(input.data);
  free(output.data);
  return code;
}
