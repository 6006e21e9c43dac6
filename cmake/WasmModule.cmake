# SPDX-License-Identifier: Apache-2.0
# Links tabagent.wasm: a bare module without generated JavaScript. It imports
# nothing and exports what wasm/abi/exports.def lists.

# Renamed in 3.1.25.
if(EMSCRIPTEN_VERSION VERSION_LESS 3.1.25)
  set(stack_setting TOTAL_STACK)
else()
  set(stack_setting STACK_SIZE)
endif()

file(STRINGS wasm/abi/exports.def exports REGEX "^TAM_EXPORT")
list(TRANSFORM exports REPLACE "TAM_EXPORT\\((.*)\\)" "\\1")
list(TRANSFORM exports PREPEND _ OUTPUT_VARIABLE exported_functions)
list(JOIN exported_functions , exported_functions)
set_property(DIRECTORY APPEND PROPERTY
  CMAKE_CONFIGURE_DEPENDS wasm/abi/exports.def)

add_executable(linked wasm/abi/abi.c wasm/abi/heap.c)
set_target_properties(linked PROPERTIES SUFFIX .wasm)
target_link_libraries(linked PRIVATE tam_protocol tam_warnings)
target_compile_options(linked PRIVATE "SHELL:${size_flags}")
target_link_options(linked PRIVATE
  --no-entry
  -sSTANDALONE_WASM=1
  -sEXPORTED_FUNCTIONS=${exported_functions}
  -sFILESYSTEM=0
  -sSUPPORT_LONGJMP=0
  # The module has its own allocator, wasm/abi/heap.c.
  -sMALLOC=none
  # Recursion is bounded (JSON is at most 64 deep), so 64 KiB is plenty.
  -s${stack_setting}=65536
  -sALLOW_MEMORY_GROWTH=1
  # Static data and stack; everything else grows from here.
  -sINITIAL_MEMORY=262144)

# Emscripten exports its own helpers (stackSave, __errno_location, ...) whether
# wanted or not. wasm-metadce keeps what the host reaches and drops the rest.
set(roots memory _initialize ${exports})
list(JOIN roots "\",\"" reached)
set(graph "[{\"name\":\"host\",\"root\":true,\"reaches\":[\"${reached}\"]}")
foreach(root IN LISTS roots)
  string(APPEND graph ",\n{\"name\":\"${root}\",\"export\":\"${root}\"}")
endforeach()
file(WRITE ${CMAKE_BINARY_DIR}/exports.json "${graph}]\n")

find_program(WASM_METADCE wasm-metadce REQUIRED
  HINTS ${EMSCRIPTEN_ROOT_PATH}/../bin)
find_program(WASM_OPT wasm-opt REQUIRED
  HINTS ${EMSCRIPTEN_ROOT_PATH}/../bin)
set(wasm_features --enable-simd --enable-bulk-memory --enable-sign-ext
  --enable-nontrapping-float-to-int --enable-mutable-globals)
# wasm-opt runs once more than emcc lets it: new control flow (rereloop) is
# shorter than the compiler's. Static data begins at 1024, so that an address
# and a small offset cannot overflow (low-memory-unused).
set(wasm_passes --low-memory-unused --flatten --rereloop -Oz -Oz)
add_custom_command(
  OUTPUT tabagent.wasm
  COMMAND ${WASM_METADCE} ${wasm_features} --graph-file exports.json
    $<TARGET_FILE:linked> -o reached.wasm > unused.txt
  COMMAND ${WASM_OPT} ${wasm_features} ${wasm_passes}
    reached.wasm -o tabagent.wasm
  DEPENDS linked
  VERBATIM)
add_custom_target(tabagent ALL DEPENDS tabagent.wasm)
