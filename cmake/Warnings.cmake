# SPDX-License-Identifier: Apache-2.0
# The warnings under which our own code compiles; each one is an error.
add_library(tam_warnings INTERFACE)
target_compile_options(tam_warnings INTERFACE
  -Wall
  -Wextra
  -Wpedantic
  -Wconversion
  -Wshadow
  -Wstrict-prototypes
  -Wmissing-prototypes
  -Wundef
  -Wunused-macros
  -Wcast-qual
  -Wvla
  -Werror)
