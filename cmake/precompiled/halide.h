// What most sources of backends/halide include.
#pragma once

#include <Halide.h>

#include "cmake/precompiled/mlir.h"
