# Everything Weft is built with, in one place.
find_package(absl REQUIRED)
find_package(GTest REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
if(WEFT_READERS_ONLY)
  return()
endif()

find_package(SQLite3 REQUIRED)

# Versions match by minor: find_package(MLIR 22) alone fails.
find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# Halide comes as a Python wheel, in the project's virtual environment.
set(WEFT_VENV ${CMAKE_SOURCE_DIR}/.venv CACHE PATH "The virtual environment that holds Halide")
file(GLOB weft_halide_root ${WEFT_VENV}/lib/python3*/site-packages/halide)
list(APPEND CMAKE_PREFIX_PATH ${weft_halide_root})
find_package(Halide 21 REQUIRED CONFIG HINTS ${weft_halide_root}/lib64/cmake/Halide)
