/* What the machine reaches: multiply-adds in registers, exp in registers, and reading arrays over and over.
 *
 *   limits THREADS                     prints as JSON the speed of all threads together: {"fma": GFLOP/s,
 * "exp": in 1e9/s, and GB/s for arrays that lie in each level of the memory: "l1": B, "l2": B, "l3": B,
 * "memory": B} limits THREADS FLOPS BYTES EXPS    is a contender as benchmarks/worker.py is: one run takes
 * what so many multiplications and additions, the reading of an array of so many bytes, or so many values of
 * exp take at least, whichever is longest
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
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
typedef int whole __attribute__((vector_size(4 * WIDTH)));

/* What every thread does once all are there: multiply-adds, exps, or the reading of its own array, which is
 * allocated before. */
typedef struct {
  pthread_barrier_t barrier;
  double flops;  // of each thread; 0 where it does something else
  double exps;   // the same
  long array;    // bytes that lie in each thread's array
  double bytes;  // that each thread reads
} work;

typedef struct {
  work* work;
  int number;
  double start, end;
} worker;

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

static void multiply_adds(double flops) {
  vector factor = {0}, term = {0};
  vector a = factor + 1, b = a + 1, c = b + 1, d = c + 1, e = d + 1, f = e + 1;
  vector g = f + 1, h = g + 1, i = h + 1, j = i + 1, k = j + 1, l = k + 1;
  long steps = (long)(flops / (2.0 * 12 * WIDTH)) + 1;
  for (long step = 0; step < steps; ++step) {
    a = a * factor + term, b = b * factor + term, c = c * factor + term, d = d * factor + term;
    e = e * factor + term, f = f * factor + term, g = g * factor + term, h = h * factor + term;
    i = i * factor + term, j = j * factor + term, k = k * factor + term, l = l * factor + term;
    __asm__ volatile("" : "+v"(factor), "+v"(term));
  }
  a += b + c + d + e + f + g + h + i + j + k + l;
  __asm__ volatile("" : : "v"(a));
}

/* exp of numbers from -80 to 80 within an ulp or two, in as few steps as that takes: 2^n, and a polynomial of
 * the rest. Four vectors take each step together, so that none waits for the step before. */
#define EACH(step) _Pragma("GCC unroll 4") for (int k = 0; k < 4; ++k) step
static void exponentials(double exps) {
  vector x[4] = {{0}}, shifted[4], rest[4], sum[4];
  long steps = (long)(exps / (4.0 * WIDTH)) + 1;
  for (long step = 0; step < steps; ++step) {
    __asm__ volatile("" : "+v"(x[0]), "+v"(x[1]), "+v"(x[2]), "+v"(x[3]));
    EACH(shifted[k] = x[k] * 1.44269504f + 12583039.0f);
    EACH(sum[k] = shifted[k] - 12583039.0f);
    EACH(rest[k] = x[k] - sum[k] * 0.693359375f);
    EACH(rest[k] = rest[k] + sum[k] * 2.12194440e-4f);
    EACH(sum[k] = rest[k] * 1.98756915e-4f + 1.39819995e-3f);
    EACH(sum[k] = sum[k] * rest[k] + 8.33345205e-3f);
    EACH(sum[k] = sum[k] * rest[k] + 4.16657962e-2f);
    EACH(sum[k] = sum[k] * rest[k] + 1.66666657e-1f);
    EACH(sum[k] = sum[k] * rest[k] + 0.5f);
    EACH(sum[k] = sum[k] * rest[k] + 1.0f);
    EACH(sum[k] = sum[k] * rest[k] + 1.0f);
    EACH(sum[k] = sum[k] * (vector)((whole)shifted[k] << 23));
    __asm__ volatile("" : : "v"(sum[0]), "v"(sum[1]), "v"(sum[2]), "v"(sum[3]));
  }
}

static void reading(const vector* data, long array, double bytes) {
  long count = array / (long)(8 * sizeof(vector)) * 8;
  double repeats = bytes / (double)(count * (long)sizeof(vector));
  vector a = {0}, b = a, c = a, d = a, e = a, f = a, g = a, h = a;
  for (double done = 0; done < repeats; ++done) {
    long end = repeats - done < 1 ? (long)((repeats - done) * (double)count) / 8 * 8 : count;
    for (long at = 0; at < end; at += 8) {
      a += data[at], b += data[at + 1], c += data[at + 2], d += data[at + 3];
      e += data[at + 4], f += data[at + 5], g += data[at + 6], h += data[at + 7];
    }
    __asm__ volatile("" : : : "memory");
  }
  a += b + c + d + e + f + g + h;
  __asm__ volatile("" : : "v"(a));
}

static void* take_part(void* argument) {
  worker* self = argument;
  work* work = self->work;
  cpu_set_t processor;
  CPU_ZERO(&processor);
  CPU_SET(self->number, &processor);
  pthread_setaffinity_np(pthread_self(), sizeof processor, &processor);
  vector* data = NULL;
  if (work->array > 0) {
    data = aligned_alloc(64, (size_t)work->array);
    if (data == NULL) exit(1);
    memset(data, 0, (size_t)work->array);
    reading(data, work->array, (double)work->array);
  }
  pthread_barrier_wait(&work->barrier);
  self->start = now();
  if (work->array > 0) {
    reading(data, work->array, work->bytes);
  } else if (work->exps > 0) {
    exponentials(work->exps);
  } else {
    multiply_adds(work->flops);
  }
  self->end = now();
  free(data);
  return NULL;
}

/* What all threads do altogether: `flops`, `exps`, or the reading of `bytes` of arrays of `array` bytes. */
typedef struct {
  double flops, exps, array, bytes;
} task;

/* The seconds that it takes. */
static double seconds(int threads, task all) {
  long block = 8 * (long)sizeof(vector);
  long own = all.array > 0 ? ((long)(all.array / threads) / block + 1) * block : 0;
  work work = {
      .flops = all.flops / threads, .exps = all.exps / threads, .array = own, .bytes = all.bytes / threads};
  pthread_barrier_init(&work.barrier, NULL, (unsigned)threads);
  pthread_t handles[64];
  worker workers[64];
  for (int number = 0; number < threads; ++number) {
    workers[number] = (worker){.work = &work, .number = number};
    if (pthread_create(&handles[number], NULL, take_part, &workers[number]) != 0) exit(1);
  }
  double start = 1e30, end = 0;
  for (int number = 0; number < threads; ++number) {
    pthread_join(handles[number], NULL);
    if (workers[number].start < start) start = workers[number].start;
    if (workers[number].end > end) end = workers[number].end;
  }
  pthread_barrier_destroy(&work.barrier);
  return end - start;
}

/* Operations, values or bytes in a nanosecond. */
static double reached(int threads, task all) {
  double least = 1e30;
  for (int round = 0; round < 7; ++round) {
    double took = seconds(threads, all);
    if (took < least) least = took;
  }
  return (all.flops + all.exps + all.bytes) * 1e-9 / least;
}

static double cache(int name, double fallback) {
  long size = sysconf(name);
  return size > 0 ? (double)size : fallback;
}

static void print_all(int threads) {
  double l1 = cache(_SC_LEVEL1_DCACHE_SIZE, 32 << 10), l2 = cache(_SC_LEVEL2_CACHE_SIZE, 512 << 10);
  // The part of the outermost cache that a program gets is not what the system says; four times the second
  // level fits.
  double arrays[] = {l1 / 2, l2 / 2, 4 * l2, 512 << 20};
  const char* names[] = {"l1", "l2", "l3", "memory"};
  printf("{\"fma\": %.1f, \"exp\": %.2f", reached(threads, (task){.flops = 4e9 * threads}),
         reached(threads, (task){.exps = 1e8 * threads}));
  for (int level = 0; level < 4; ++level) {
    task reads = {.array = arrays[level] * threads, .bytes = (double)(512 << 20) * threads};
    printf(", \"%s\": %.1f", names[level], reached(threads, reads));
  }
  printf(", \"l1_bytes\": %.0f, \"l2_bytes\": %.0f}\n", l1, l2);
}

int main(int count, char** arguments) {
  int threads = count > 1 ? atoi(arguments[1]) : 1;
  if (threads < 1 || threads > 64) return 1;
  if (count < 5) {
    print_all(threads);
    return 0;
  }
  double bytes = atof(arguments[3]);
  task parts[] = {
      {.flops = atof(arguments[2])}, {.array = bytes, .bytes = bytes}, {.exps = atof(arguments[4])}};
  const char* names[] = {"computing", "moving", "exp"};
  double amounts[] = {parts[0].flops, bytes, parts[2].exps};
  task probes[] = {
      {.flops = 1e9 * threads}, {.array = bytes, .bytes = 64e6 * threads}, {.exps = 1e7 * threads}};
  // Which of them takes longest, by rounds of some milliseconds.
  int longest = 0;
  double most = 0;
  for (int part = 0; part < 3; ++part) {
    double takes = amounts[part] > 0 ? 1e-9 * amounts[part] / reached(threads, probes[part]) : 0;
    if (takes > most) most = takes, longest = part;
  }
  // A long run is done in part, and what it took is scaled up.
  double share = most > 0.02 ? 0.02 / most : 1;
  printf("ready %s\n", names[longest]);
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    double runs = atof(line) * share;
    task all = parts[longest];
    all.flops *= runs, all.bytes *= runs, all.exps *= runs;
    printf("%.6f\n", seconds(threads, all) * 1e3 / share);
    fflush(stdout);
  }
  return 0;
}
