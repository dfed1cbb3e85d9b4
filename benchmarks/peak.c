/* Prints the multiply-adds per second, in GFLOP/s, that one thread of this machine reaches in registers. */
#include <stdio.h>
#include <time.h>

#ifdef __AVX512F__
#define WIDTH 16
#else
#define WIDTH 8
#endif
typedef float vector __attribute__((vector_size(4 * WIDTH)));

int main(void) {
  double best = 0;
  for (int round = 0; round < 20; ++round) {
    vector factor = {0}, term = {0};
    vector a = factor + 1, b = a + 1, c = b + 1, d = c + 1, e = d + 1, f = e + 1;
    vector g = f + 1, h = g + 1, i = h + 1, j = i + 1, k = j + 1, l = k + 1;
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    const long steps = 1000000;
    for (long step = 0; step < steps; ++step) {
      a = a * factor + term, b = b * factor + term, c = c * factor + term, d = d * factor + term;
      e = e * factor + term, f = f * factor + term, g = g * factor + term, h = h * factor + term;
      i = i * factor + term, j = j * factor + term, k = k * factor + term, l = l * factor + term;
      __asm__ volatile("" : "+v"(factor), "+v"(term));
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    a += b + c + d + e + f + g + h + i + j + k + l;
    __asm__ volatile("" : : "v"(a));
    double seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    double speed = 2.0 * 12 * WIDTH * (double)steps / seconds * 1e-9;
    if (speed > best) best = speed;
  }
  printf("%.1f\n", best);
  return 0;
}
