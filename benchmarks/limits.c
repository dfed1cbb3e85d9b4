/* Prints what one thread of this machine reaches, as JSON: multiply-adds in registers, in GFLOP/s, and the
 * reading of arrays that lie in each level of the memory, in GB/s: {"fma": F, "l1": B, "l2": B, "l3": B,
 * "memory": B}. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __AVX512F__
#define WIDTH 16
#else
#define WIDTH 8
#endif
typedef float vector __attribute__((vector_size(4 * WIDTH)));

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

static double multiply_adds(void) {
  double best = 0;
  for (int round = 0; round < 20; ++round) {
    vector factor = {0}, term = {0};
    vector a = factor + 1, b = a + 1, c = b + 1, d = c + 1, e = d + 1, f = e + 1;
    vector g = f + 1, h = g + 1, i = h + 1, j = i + 1, k = j + 1, l = k + 1;
    const long steps = 1000000;
    double start = now();
    for (long step = 0; step < steps; ++step) {
      a = a * factor + term, b = b * factor + term, c = c * factor + term, d = d * factor + term;
      e = e * factor + term, f = f * factor + term, g = g * factor + term, h = h * factor + term;
      i = i * factor + term, j = j * factor + term, k = k * factor + term, l = l * factor + term;
      __asm__ volatile("" : "+v"(factor), "+v"(term));
    }
    double seconds = now() - start;
    a += b + c + d + e + f + g + h + i + j + k + l;
    __asm__ volatile("" : : "v"(a));
    double speed = 2.0 * 12 * WIDTH * (double)steps / seconds * 1e-9;
    if (speed > best) best = speed;
  }
  return best;
}

static double reading(long bytes) {
  vector* data = aligned_alloc(64, (size_t)bytes);
  if (!data) return 0;
  memset(data, 0, (size_t)bytes);
  long count = bytes / (long)sizeof(vector) / 8 * 8;
  long repeats = (256L << 20) / bytes + 1;
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    vector a = {0}, b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    double start = now();
    for (long repeat = 0; repeat < repeats; ++repeat) {
      for (long at = 0; at < count; at += 8) {
        a += data[at], b += data[at + 1], c += data[at + 2], d += data[at + 3];
        e += data[at + 4], f += data[at + 5], g += data[at + 6], h += data[at + 7];
      }
      __asm__ volatile("" : : : "memory");
    }
    double seconds = now() - start;
    a += b + c + d + e + f + g + h;
    __asm__ volatile("" : : "v"(a));
    double speed = (double)bytes * (double)repeats / seconds * 1e-9;
    if (speed > best) best = speed;
  }
  free(data);
  return best;
}

static long cache(int name, long fallback) {
  long size = sysconf(name);
  return size > 0 ? size : fallback;
}

int main(void) {
  long l1 = cache(_SC_LEVEL1_DCACHE_SIZE, 32 << 10), l2 = cache(_SC_LEVEL2_CACHE_SIZE, 512 << 10);
  // The part of the outermost cache that a program gets is not what the system says; four times the second
  // level fits.
  printf(
      "{\"fma\": %.1f, \"l1\": %.1f, \"l2\": %.1f, \"l3\": %.1f, \"memory\": %.1f, \"l1_bytes\": %ld, "
      "\"l2_bytes\": %ld}\n",
      multiply_adds(), reading(l1 / 2), reading(l2 / 2), reading(4 * l2), reading(512L << 20), l1, l2);
  return 0;
}
