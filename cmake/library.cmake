# weft_library(NAME SOURCES a.cc ... DEPS lib ... [TABLEGEN target ...])
#   a static library of one folder; headers lie beside the sources. TABLEGEN: generated headers that must exist first.
#   WEFT_PRECOMPILED names the headers that its sources find parsed (precompiled.cmake).
# weft_test(NAME SOURCES a_test.cc ... DEPS lib ... [LABEL quick|slow])
#   a GoogleTest program, one CTest test, label `quick` unless told otherwise.

add_library(weft_flags INTERFACE)
target_compile_options(weft_flags INTERFACE -Wall -Wextra -Wno-unused-parameter -Werror=return-type)

function(weft_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;TABLEGEN" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE weft_flags)
  weft_use_precompiled(${name})
  if(ARG_TABLEGEN)
    add_dependencies(${name} ${ARG_TABLEGEN})
  endif()
endfunction()

function(weft_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL quick)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} weft_flags GTest::gmock_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL})
endfunction()
