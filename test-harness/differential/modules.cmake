# SPDX-License-Identifier: Apache-2.0
# Modules for tests and benchmarks: build/wasm/NAME.wasm is NAME.c, linked with a
# library that ships, which is compiled as it ships.
#
#   add_test_module(NAME LIBRARY [OPTIMIZED] [option of the linker]...)
#
# OPTIMIZED: to the last pass, too, which moves the speed of loops by some
# percent.
function(add_test_module name library)
  cmake_parse_arguments(arg "OPTIMIZED" "" "" ${ARGN})
  add_executable(${name} ${CMAKE_SOURCE_DIR}/test-harness/differential/${name}.c)
  set_target_properties(${name} PROPERTIES SUFFIX .wasm)
  target_link_libraries(${name} PRIVATE ${library})
  target_link_options(${name} PRIVATE
    --no-entry
    -sSTANDALONE_WASM=1
    -sFILESYSTEM=0
    -sSUPPORT_LONGJMP=0
    -sMALLOC=emmalloc
    ${arg_UNPARSED_ARGUMENTS})
  if(arg_OPTIMIZED)
    add_custom_command(TARGET ${name} POST_BUILD
      COMMAND ${WASM_OPT} ${wasm_features} ${wasm_passes}
        $<TARGET_FILE:${name}> -o $<TARGET_FILE:${name}>
      VERBATIM)
  endif()
endfunction()

# For scanner.test.js and the benchmark of the scanners.
add_test_module(scanner_module tam_hub -sALLOW_MEMORY_GROWTH=1)

# For hash.test.js and the benchmark of the hashes.
add_test_module(hash_module tam_store OPTIMIZED)

# For text-stream.test.js.
add_test_module(text_module tam_chat -sALLOW_MEMORY_GROWTH=1)

# For the benchmark of decoding: enough memory for a row of candidates; growing
# needs an import.
add_test_module(decoding_module tam_chat OPTIMIZED -sINITIAL_MEMORY=33554432)
