#ifndef WEFT_RUNTIME_C_INTERFACE_H_
#define WEFT_RUNTIME_C_INTERFACE_H_

// What the functions of a library's header (weft_FILE_ENTRY_create, ...) call, each with the program's table
// where it needs one. Names begin with weft_table_ so that none can be taken for a program's own.

#include "runtime/program_table.h"
#include "runtime/weft.h"

extern "C" {
int weft_table_create(const weft::runtime::ProgramTable* table, const weft_options* options,
                      weft_program** program);
void weft_table_destroy(weft_program* program);
const char* weft_table_last_error(void);

// Information that lives as long as the library. Positions count from 0; WEFT_INVALID_ARGUMENT behind the
// last.
int weft_table_method(const weft::runtime::ProgramTable* table, int32_t position, weft_method_info* info);
int weft_table_input(const weft::runtime::ProgramTable* table, const char* method, int32_t position,
                     weft_port_info* info);
int weft_table_output(const weft::runtime::ProgramTable* table, const char* method, int32_t position,
                      weft_port_info* info);
int weft_table_dimension(const weft::runtime::ProgramTable* table, int32_t position,
                         weft_dimension_info* info);

// `method` null: `forward`, or the only one.
int weft_table_run(weft_program* program, const char* method, const weft_tensor* inputs, size_t input_count,
                   weft_tensor* outputs, size_t output_count);

// Times kernels from now on (on = 1) or no longer; writes what was timed so far as a trace for Perfetto.
int weft_table_profile(weft_program* program, int32_t on);
int weft_table_write_profile(weft_program* program, const char* path);
}

#endif  // WEFT_RUNTIME_C_INTERFACE_H_
