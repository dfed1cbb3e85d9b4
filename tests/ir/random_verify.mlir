// RUN: weft-opt %s -split-input-file -verify-diagnostics

func.func @random_c1_counters(%seed: i64) -> i64 {
  // expected-error @+1 {{'weft.random' op C1: has 2 counters, not 4}}
  %bits = weft.random %seed at %seed, %seed
  return %bits : i64
}
