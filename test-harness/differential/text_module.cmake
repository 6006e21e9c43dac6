# SPDX-License-Identifier: Apache-2.0
# Links build/wasm/text_module.wasm from the libraries that ship, for
# text-stream.test.js.
add_executable(text_module
  ${CMAKE_SOURCE_DIR}/test-harness/differential/text_module.c)
set_target_properties(text_module PROPERTIES SUFFIX .wasm)
target_link_libraries(text_module PRIVATE tam_chat)
target_link_options(text_module PRIVATE
  --no-entry
  -sSTANDALONE_WASM=1
  -sFILESYSTEM=0
  -sSUPPORT_LONGJMP=0
  -sMALLOC=emmalloc
  -sALLOW_MEMORY_GROWTH=1)
