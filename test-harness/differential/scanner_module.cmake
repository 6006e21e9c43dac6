# SPDX-License-Identifier: Apache-2.0
# Links build/wasm/scanner_module.wasm from the libraries that ship, compiled
# as they ship, for scanner.test.js and the benchmark of the scanners.
add_executable(scanner_module
  ${CMAKE_SOURCE_DIR}/test-harness/differential/scanner_module.c)
set_target_properties(scanner_module PROPERTIES SUFFIX .wasm)
target_link_libraries(scanner_module PRIVATE tam_hub)
target_link_options(scanner_module PRIVATE
  --no-entry
  -sSTANDALONE_WASM=1
  -sFILESYSTEM=0
  -sSUPPORT_LONGJMP=0
  -sMALLOC=emmalloc
  -sALLOW_MEMORY_GROWTH=1)
