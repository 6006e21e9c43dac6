# SPDX-License-Identifier: Apache-2.0
# Fetches the upstream release of cJSON, for systems other than Debian.
include(FetchContent)

function(cjson_fetch_release)
  message(STATUS "cJSON: fetching release ${CJSON_RELEASE_VERSION}")
  set(archives https://github.com/DaveGamble/cJSON/archive/refs/tags)
  FetchContent_Declare(cjson_release
    URL ${archives}/v${CJSON_RELEASE_VERSION}.tar.gz
    URL_HASH SHA256=${CJSON_RELEASE_HASH})
  # Populated only: of its own build description nothing is used.
  FetchContent_GetProperties(cjson_release)
  if(NOT cjson_release_POPULATED)
    FetchContent_Populate(cjson_release)
  endif()
  cjson_keep(${cjson_release_SOURCE_DIR} ${CJSON_RELEASE_VERSION})
endfunction()
