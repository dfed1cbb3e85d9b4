# Headers that are parsed once for many folders: reading MLIR's takes longer than compiling most sources that include them.
# A folder says `set(WEFT_PRECOMPILED mlir)` in its CMakeLists.txt, for itself and the folders below it. Sources include
# all they use nevertheless: the debug preset builds without (WEFT_PRECOMPILE is off there).
option(WEFT_PRECOMPILE "Parse the headers of cmake/precompiled once, not per source" ON)

# weft_precompiled_headers(NAME DEPS lib ...)
#   cmake/precompiled/NAME.h, as the target weft_precompiled_NAME
function(weft_precompiled_headers name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  if(NOT WEFT_PRECOMPILE)
    return()
  endif()
  file(CONFIGURE OUTPUT precompiled_${name}.cc CONTENT "")
  add_library(weft_precompiled_${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/precompiled_${name}.cc)
  target_link_libraries(weft_precompiled_${name} PRIVATE ${ARG_DEPS} weft_flags)
  # A file that holds no time is found in ccache, and so is what is compiled with it.
  target_compile_options(weft_precompiled_${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  target_precompile_headers(weft_precompiled_${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled/${name}.h)
endfunction()

function(weft_use_precompiled target)
  if(WEFT_PRECOMPILE AND WEFT_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM weft_precompiled_${WEFT_PRECOMPILED})
  endif()
endfunction()
