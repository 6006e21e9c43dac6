// SPDX-License-Identifier: Apache-2.0
// Names of the error codes.
#include "core/names.h"

const char *tam_strerror(int error) {
#define TAM_ERROR(name, number, wire_name, cause) number,
  static const int16_t numbers[] = {
      TAM_OK,
#include "tam_error.def"
  };
#undef TAM_ERROR
#define TAM_ERROR(name, number, wire_name, cause) wire_name "\0"
  static const char names[] = "ok\0"
#include "tam_error.def"
                              "unknown";
#undef TAM_ERROR
  const size_t count = sizeof(numbers) / sizeof(numbers[0]);
  size_t place = 0;
  while (place < count && numbers[place] != error) {
    place++;
  }
  return tam_names_at(names, place);
}

int tam_error_is_fatal(int error) {
  return error <= TAM_ERR_OUT_OF_MEMORY;
}
