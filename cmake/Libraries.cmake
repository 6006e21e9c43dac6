# SPDX-License-Identifier: Apache-2.0
# One library per folder of wasm/. Each links only to what is below it, so
# dependence runs one way: protocol -> journal -> hub, store, chat, account -> net
# -> core. What the product can do (hub, store, ...) stands side by side and knows
# nothing of each other; journal writes down what they do. (wasm/abi goes into the
# module itself, see WasmModule.cmake.)

# cJSON, of which only the parser is used. Numbers are read, memory is given and
# words are compared by our own code; the depth limit suits requests and a small stack.
add_library(cjson STATIC ${CJSON_DIR}/cJSON.c)
target_include_directories(cjson SYSTEM PUBLIC ${CJSON_DIR})
target_compile_definitions(cjson
  PUBLIC CJSON_HIDE_SYMBOLS CJSON_NESTING_LIMIT=64
  PRIVATE
    strtod=tam_json_tree_strtod
    strncmp=tam_json_tree_strncmp
    malloc=tam_json_tree_malloc
    realloc=tam_json_tree_realloc
    free=tam_json_tree_release)
target_compile_options(cjson PRIVATE
  -w -fvisibility=hidden -ffunction-sections)

# emcc's -Oz forbids inlining altogether, even of functions with one caller,
# which makes the module slower and larger. The negative threshold leaves it to
# those; what is hot and called from many places says TAM_INLINE. The other two
# let branches share what they end with, and keep values from being computed
# early in many places. All are options of LLVM itself, which another version
# may not know.
set(size_flags)
if(EMSCRIPTEN)
  include(CheckCSourceCompiles)
  set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
  set(size_flags -finline-functions)
  foreach(option inline-threshold=-40 sink-common-insts enable-pre=false)
    string(MAKE_C_IDENTIFIER "LLVM_HAS_${option}" known)
    set(CMAKE_REQUIRED_FLAGS "-mllvm -${option}")
    check_c_source_compiles("int nothing;" ${known})
    unset(CMAKE_REQUIRED_FLAGS)
    if(${known})
      string(APPEND size_flags " -mllvm -${option}")
      add_link_options(-Wl,-mllvm,-${option})
    endif()
  endforeach()
endif()
target_compile_options(cjson PRIVATE "SHELL:${size_flags}")

# What every row of a listing goes through is compiled for speed instead: a
# listing takes a sixth less time for nine KiB.
set(hot_files
  chat/float_math
  core/json_scan core/json_skip core/model_files core/repo_id core/span
  hub/candidates hub/config_fast hub/config_scan hub/list_pages
  hub/listing_build hub/listing_fast hub/prefilter hub/seen_ids)
list(TRANSFORM hot_files REPLACE "(.+)" "${CMAKE_SOURCE_DIR}/wasm/\\1.c")

# Sets how |sources| are optimised where size counts.
function(tam_choose_speed sources)
  if(EMSCRIPTEN)
    set_source_files_properties(${sources}
      PROPERTIES COMPILE_FLAGS "${size_flags}")
    set_source_files_properties(${hot_files}
      PROPERTIES COMPILE_FLAGS "-O2 -finline-functions")
  endif()
endfunction()

# tam_add_library(<folder> [<library below it>...])
function(tam_add_library folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/wasm/${folder}/*.c)
  tam_choose_speed("${sources}")
  add_library(tam_${folder} STATIC ${sources})
  target_include_directories(tam_${folder} PUBLIC
    ${CMAKE_SOURCE_DIR}/wasm ${CMAKE_SOURCE_DIR}/wasm/include)
  target_link_libraries(tam_${folder} PUBLIC ${ARGN} PRIVATE tam_warnings)
endfunction()

tam_add_library(core)
target_link_libraries(tam_core PRIVATE cjson)
tam_add_library(net tam_core)
tam_add_library(hub tam_net)
tam_add_library(store tam_net)
tam_add_library(chat tam_net)
tam_add_library(account tam_net)
tam_add_library(journal tam_store tam_chat)
tam_add_library(protocol tam_hub tam_journal tam_account)
