# SPDX-License-Identifier: Apache-2.0
# clang with Debian's wasi-libc and libclang-rt-dev-wasm32. Test programs run
# under Node's WASI.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_C_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
set(CMAKE_SYSROOT /usr)
set(CMAKE_EXECUTABLE_SUFFIX_C .wasm)
# The system's own ar does not index WebAssembly objects.
find_program(CMAKE_AR NAMES llvm-ar llvm-ar-14 REQUIRED)
find_program(CMAKE_RANLIB NAMES llvm-ranlib llvm-ranlib-14 REQUIRED)
set(CMAKE_CROSSCOMPILING_EMULATOR
  node --no-warnings ${CMAKE_CURRENT_LIST_DIR}/../test-harness/unit/run-wasi.js)
# The core gets the 64 KiB of stack that it has in the module; the worlds that
# tests make around it lie on the stack, too.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-z,stack-size=131072")
