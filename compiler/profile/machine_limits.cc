#include "compiler/profile/machine_limits.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/thread_pool.h"

// Two loops that do nothing else: multiply-adds in registers, and reading an array over and over, as
// benchmarks/limits.c has them. The threads are those of programs (runtime/thread_pool.h).

namespace weft::profile {
namespace {

constexpr double kFlops = 1e8;              // of a thread, less than a millisecond
constexpr int64_t kCachedBytes = 16 << 20;  // that a thread reads of an array in a cache
constexpr int64_t kMainBytes = 512 << 20;   // of all threads' arrays where no cache holds them
constexpr int kRounds = 40, kMainRounds = 4;

// Opaque to the compiler.
volatile float factor_now = 0.5F, term_now = 0.25F;
volatile float sink;

template <int kWidth>
using Vector __attribute__((vector_size(4 * kWidth))) = float;

// Inlined into functions for one instruction set each, which decide what vectors are.
template <int kWidth>
[[gnu::always_inline]] inline void MultiplyAdds(double flops) {
  Vector<kWidth> factor = Vector<kWidth>{} + factor_now, term = Vector<kWidth>{} + term_now;
  Vector<kWidth> a = term, b = a + 1, c = b + 1, d = c + 1, e = d + 1, f = e + 1;
  Vector<kWidth> g = f + 1, h = g + 1, i = h + 1, j = i + 1, k = j + 1, l = k + 1;
  auto steps = static_cast<int64_t>(flops / (2.0 * 12 * kWidth)) + 1;
  for (int64_t step = 0; step < steps; ++step) {
    a = a * factor + term, b = b * factor + term, c = c * factor + term, d = d * factor + term;
    e = e * factor + term, f = f * factor + term, g = g * factor + term, h = h * factor + term;
    i = i * factor + term, j = j * factor + term, k = k * factor + term, l = l * factor + term;
  }
  a += b + c + d + e + f + g + h + i + j + k + l;
  sink = a[0];
}

template <int kWidth>
[[gnu::always_inline]] inline void Read(const float* array, int64_t bytes, int64_t times) {
  const auto* data = reinterpret_cast<const Vector<kWidth>*>(array);
  int64_t count = bytes / static_cast<int64_t>(8 * sizeof(Vector<kWidth>)) * 8;
  Vector<kWidth> a{}, b{}, c{}, d{}, e{}, f{}, g{}, h{};
  for (int64_t time = 0; time < times; ++time) {
    for (int64_t at = 0; at < count; at += 8) {
      a += data[at], b += data[at + 1], c += data[at + 2], d += data[at + 3];
      e += data[at + 4], f += data[at + 5], g += data[at + 6], h += data[at + 7];
    }
    asm volatile("" : : : "memory");
  }
  a += b + c + d + e + f + g + h;
  sink = a[0];
}

[[gnu::target("avx512f")]] void MultiplyAdds512(double flops) { MultiplyAdds<16>(flops); }
[[gnu::target("avx512f")]] void Read512(const float* array, int64_t bytes, int64_t times) {
  Read<16>(array, bytes, times);
}
[[gnu::target("avx2,fma")]] void MultiplyAdds256(double flops) { MultiplyAdds<8>(flops); }
[[gnu::target("avx2,fma")]] void Read256(const float* array, int64_t bytes, int64_t times) {
  Read<8>(array, bytes, times);
}
void MultiplyAdds128(double flops) { MultiplyAdds<4>(flops); }
void Read128(const float* array, int64_t bytes, int64_t times) { Read<4>(array, bytes, times); }

struct Loops {
  void (*multiply_adds)(double flops);
  void (*read)(const float* array, int64_t bytes, int64_t times);
};

Loops LoopsFor(const backends::Target& target) {
  if (target.vector_bytes == 64) return {MultiplyAdds512, Read512};
  if (target.Has("avx2") && target.fma) return {MultiplyAdds256, Read256};
  return {MultiplyAdds128, Read128};
}

// All threads at once, and the clock around them.
class Measuring {
 public:
  Measuring(const backends::Target& target, int threads) : loops_(LoopsFor(target)), pool_(threads, true) {}

  double Flops() {
    double least = LeastSeconds(kRounds, [&](int64_t) { loops_.multiply_adds(kFlops); });
    return kFlops * pool_.threads() / least;
  }

  // Reading arrays of `bytes` in each thread; 0 where there is not so much memory.
  double Bandwidth(int64_t bytes, bool is_main) {
    bytes = bytes / 512 * 512;
    std::vector<std::unique_ptr<float, decltype(&std::free)>> arrays;
    for (int i = 0; i < pool_.threads(); ++i) {
      arrays.emplace_back(static_cast<float*>(std::aligned_alloc(64, static_cast<size_t>(bytes))),
                          &std::free);
      if (!arrays.back()) return 0;
    }
    int64_t times = is_main ? 1 : (kCachedBytes + bytes - 1) / bytes;
    auto array = [&](int64_t thread) { return arrays[static_cast<size_t>(thread)].get(); };
    LeastSeconds(1, [&](int64_t thread) { std::fill_n(array(thread), bytes / 4, 0.0F); });
    double least = LeastSeconds(is_main ? kMainRounds : kRounds,
                                [&](int64_t thread) { loops_.read(array(thread), bytes, times); });
    return static_cast<double>(bytes * times * pool_.threads()) / least;
  }

 private:
  // Of several rounds the one in which others disturbed it least.
  double LeastSeconds(int rounds, std::function<void(int64_t thread)> work) {
    using Clock = std::chrono::steady_clock;
    auto task = [](void*, int64_t thread, void* closure) -> int32_t {
      (*static_cast<std::function<void(int64_t)>*>(closure))(thread);
      return 0;
    };
    double least = 1e30;
    for (int round = 0; round < rounds; ++round) {
      pool_.Begin();
      Clock::time_point start = Clock::now();
      pool_.ParallelFor(task, nullptr, pool_.threads(), &work, false);
      least = std::min(least, std::chrono::duration<double>(Clock::now() - start).count());
      pool_.End();
    }
    return least;
  }

  Loops loops_;
  runtime::ThreadPool pool_;
};

Reached Measure(const backends::Target& target, int threads) {
  Reached reached;
  reached.threads = threads;
  reached.capacity = {target.l1_bytes * threads, target.l2_bytes * threads, target.l3_bytes, INT64_MAX};
  Measuring measuring(target, threads);
  reached.flops = measuring.Flops();
  // The part of the outermost cache that a program gets is not what the system says; four times the second
  // level fits.
  const int64_t arrays[] = {target.l1_bytes / 2, target.l2_bytes / 2, 4 * target.l2_bytes,
                            kMainBytes / threads};
  for (size_t level = 0; level < reached.bandwidth.size(); ++level)
    reached.bandwidth[level] = measuring.Bandwidth(arrays[level], level == 3);
  if (reached.bandwidth[3] == 0) reached.bandwidth[3] = reached.bandwidth[2];
  return reached;
}

std::string ToText(const Reached& reached) {
  std::string text = absl::StrCat(reached.threads, " ", reached.flops);
  for (double bandwidth : reached.bandwidth) absl::StrAppend(&text, " ", bandwidth);
  for (int64_t bytes : reached.capacity) absl::StrAppend(&text, " ", bytes);
  return text;
}

std::optional<Reached> FromText(absl::string_view text) {
  std::vector<std::string> words = absl::StrSplit(text, ' ');
  Reached reached;
  if (words.size() != 10 || !absl::SimpleAtoi(words[0], &reached.threads) ||
      !absl::SimpleAtod(words[1], &reached.flops) || reached.flops <= 0)
    return std::nullopt;
  for (size_t level = 0; level < 4; ++level)
    if (!absl::SimpleAtod(words[2 + level], &reached.bandwidth[level]) || reached.bandwidth[level] <= 0 ||
        !absl::SimpleAtoi(words[6 + level], &reached.capacity[level]))
      return std::nullopt;
  return reached;
}

Reached MostOf(Reached one, const Reached& other) {
  one.flops = std::max(one.flops, other.flops);
  for (size_t level = 0; level < one.bandwidth.size(); ++level)
    one.bandwidth[level] = std::max(one.bandwidth[level], other.bandwidth[level]);
  return one;
}

Reached FindOrMeasure(const backends::Target& target, int threads, bool again,
                      const cache::ObjectCache& cache) {
  std::string key = absl::StrCat("machine limits 1\n", backends::Describe(target), "\n", threads);
  std::optional<std::string> kept = cache.Find(key);
  std::optional<Reached> before = kept ? FromText(*kept) : std::nullopt;
  if (before && !again) return *before;
  Reached reached = Measure(target, threads);
  if (before) reached = MostOf(reached, *before);
  cache.Keep(key, ToText(reached));
  return reached;
}

}  // namespace

double Reached::SpeedOf(double bytes) const {
  size_t level = 0;
  while (level + 1 < capacity.size() && bytes > static_cast<double>(capacity[level])) ++level;
  return bandwidth[level];
}

MachineLimits LimitsOf(const backends::Target& target, int threads, bool again,
                       const cache::ObjectCache& cache) {
  Reached one = FindOrMeasure(target, 1, again, cache);
  return {one, threads == 1 ? one : FindOrMeasure(target, threads, again, cache)};
}

}  // namespace weft::profile
