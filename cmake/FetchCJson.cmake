# SPDX-License-Identifier: Apache-2.0
# Brings the source of cJSON and sets CJSON_DIR. In this order:
#
#   1. -DCJSON_SOURCE_DIR=... (or the environment variable), a folder with
#      cJSON.c and cJSON.h;
#   2. the copy that an earlier build left in build/cjson;
#   3. Debian's source package, which carries the security patches that the
#      upstream release of the same number lacks;
#   4. the upstream release in which those patches are included.
#
# Whatever comes in is checked against the versions and hashes below.
set(CJSON_SOURCE_DIR "$ENV{CJSON_SOURCE_DIR}" CACHE PATH
  "Folder with cJSON.c and cJSON.h, instead of fetching them")

# Debian 12 with patches applied. The shipped module is built from this one.
set(CJSON_DEBIAN_VERSION 1.7.15-1+deb12u4)
set(CJSON_DEBIAN_HASH_C
  5c5ab83a24eecfebc25b6aa4d47dbdb5f23d1baec92de75fec5f0528dbe255a7)
set(CJSON_DEBIAN_HASH_H
  c25b54ebc98e814eb7b3eeaf12ce899806f87ff5a275b20a3b77dbb3968e5d0b)

set(CJSON_RELEASE_VERSION 1.7.19)
set(CJSON_RELEASE_HASH
  7fa616e3046edfa7a28a32d5f9eacfd23f92900fe1f8ccd988c1662f30454562)

# Sets |out| to "1.7.15" as the header in |dir| says.
function(cjson_read_version out dir)
  file(STRINGS ${dir}/cJSON.h lines
    REGEX "^#define CJSON_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
  string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
  string(REPLACE ";" "." version "${numbers}")
  set(${out} ${version} PARENT_SCOPE)
endfunction()

# Sets |out| to whether |dir| holds exactly the pinned files.
function(cjson_is_pinned out dir)
  file(SHA256 ${dir}/cJSON.c hash_c)
  file(SHA256 ${dir}/cJSON.h hash_h)
  if(hash_c STREQUAL CJSON_DEBIAN_HASH_C
     AND hash_h STREQUAL CJSON_DEBIAN_HASH_H)
    set(${out} TRUE PARENT_SCOPE)
  else()
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Sets |out| to whether |debian_version| adds patches to the pinned package.
function(cjson_is_newer_patch_level out debian_version)
  string(REGEX REPLACE "-.*" "-" upstream ${CJSON_DEBIAN_VERSION})
  string(FIND "${debian_version}" ${upstream} position)
  set(status 1)
  if(position EQUAL 0)
    execute_process(RESULT_VARIABLE status COMMAND
      dpkg --compare-versions ${debian_version} gt ${CJSON_DEBIAN_VERSION})
  endif()
  if(status EQUAL 0)
    set(${out} TRUE PARENT_SCOPE)
  else()
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Stops unless |dir| holds the pinned files, or those of a |debian_version| ("":
# of none) that only adds patches to them.
function(cjson_check dir debian_version)
  cjson_is_pinned(pinned ${dir})
  if(pinned)
    return()
  endif()
  cjson_read_version(version ${dir})
  cjson_is_newer_patch_level(newer "${debian_version}")
  if(newer)
    message(WARNING "cJSON ${debian_version} is newer than the pinned "
      "${CJSON_DEBIAN_VERSION}: review its patches and pin its hashes in "
      "cmake/FetchCJson.cmake. Until then dist/ cannot be proven equal.")
    return()
  endif()
  message(FATAL_ERROR "The cJSON in ${dir} (version ${version}) is not the "
    "pinned ${CJSON_DEBIAN_VERSION}: its SHA-256 differs.")
endfunction()

# Copies the two files to the cache folder that all builds share.
function(cjson_keep from version)
  file(COPY ${from}/cJSON.c ${from}/cJSON.h DESTINATION ${CJSON_CACHE_DIR})
  file(WRITE ${CJSON_CACHE_DIR}/version.txt "${version}\n")
endfunction()

set(CJSON_CACHE_DIR ${CMAKE_SOURCE_DIR}/build/cjson)

if(CJSON_SOURCE_DIR)
  get_filename_component(CJSON_DIR ${CJSON_SOURCE_DIR} ABSOLUTE)
  cjson_check(${CJSON_DIR} "")
else()
  set(CJSON_DIR ${CJSON_CACHE_DIR})
  # Two presets may be configured at the same time.
  file(LOCK ${CMAKE_SOURCE_DIR}/build/cjson.lock)
  if(NOT EXISTS ${CJSON_DIR}/version.txt)
    include(FetchCJsonDebian)
    cjson_fetch_debian()
  endif()
  if(NOT EXISTS ${CJSON_DIR}/version.txt)
    include(FetchCJsonRelease)
    cjson_fetch_release()
  endif()
  file(LOCK ${CMAKE_SOURCE_DIR}/build/cjson.lock RELEASE)
  file(STRINGS ${CJSON_DIR}/version.txt version)
  if(NOT version STREQUAL CJSON_RELEASE_VERSION)
    cjson_check(${CJSON_DIR} ${version})
  endif()
endif()

cjson_read_version(version ${CJSON_DIR})
message(STATUS "cJSON ${version} from ${CJSON_DIR}")
