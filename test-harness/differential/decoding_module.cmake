# SPDX-License-Identifier: Apache-2.0
# Links build/wasm/decoding_module.wasm from the libraries that ship, compiled as
# they ship (to the last pass, which moves the speed of loops by some percent),
# for the benchmark of decoding.
add_executable(decoding_module
  ${CMAKE_SOURCE_DIR}/test-harness/differential/decoding_module.c)
set_target_properties(decoding_module PROPERTIES SUFFIX .wasm)
target_link_libraries(decoding_module PRIVATE tam_chat)
target_link_options(decoding_module PRIVATE
  --no-entry
  -sSTANDALONE_WASM=1
  -sFILESYSTEM=0
  -sSUPPORT_LONGJMP=0
  -sMALLOC=emmalloc
  # Enough for a row of candidates; growing needs an import.
  -sINITIAL_MEMORY=33554432)
add_custom_command(TARGET decoding_module POST_BUILD
  COMMAND ${WASM_OPT} ${wasm_features} ${wasm_passes}
    $<TARGET_FILE:decoding_module> -o $<TARGET_FILE:decoding_module>
  VERBATIM)
