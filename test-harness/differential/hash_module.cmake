# SPDX-License-Identifier: Apache-2.0
# Links build/wasm/hash_module.wasm from the libraries that ship, compiled as
# they ship (to the last pass, which moves the speed of loops by some percent),
# for hash.test.js and the benchmark of the hashes.
add_executable(hash_module
  ${CMAKE_SOURCE_DIR}/test-harness/differential/hash_module.c)
set_target_properties(hash_module PROPERTIES SUFFIX .wasm)
target_link_libraries(hash_module PRIVATE tam_store)
target_link_options(hash_module PRIVATE
  --no-entry
  -sSTANDALONE_WASM=1
  -sFILESYSTEM=0
  -sSUPPORT_LONGJMP=0
  -sMALLOC=emmalloc)
add_custom_command(TARGET hash_module POST_BUILD
  COMMAND ${WASM_OPT} ${wasm_features} ${wasm_passes}
    $<TARGET_FILE:hash_module> -o $<TARGET_FILE:hash_module>
  VERBATIM)
