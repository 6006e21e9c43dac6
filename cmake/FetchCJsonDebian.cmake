# SPDX-License-Identifier: Apache-2.0
# Fetches Debian's source package of cJSON without changing the system: apt
# reads a copy of the machine's own sources in which binary entries became
# source entries, and keeps its state in the build folder.

# Writes source entries for every entry of the machine's own lists into |dir|.
function(cjson_write_apt_sources dir)
  file(GLOB lists /etc/apt/sources.list /etc/apt/sources.list.d/*.list
    /etc/apt/sources.list.d/*.sources)
  foreach(list IN LISTS lists)
    file(READ ${list} text)
    string(REGEX REPLACE "(^|\n)Types:[^\n]*" "\\1Types: deb-src"
      text "${text}")
    string(REGEX REPLACE "(^|\n)deb[ \t]" "\\1deb-src " text "${text}")
    get_filename_component(name ${list} NAME)
    file(WRITE ${dir}/own-${name} "${text}")
  endforeach()
endfunction()

# Unpacks the newest source package into the cache folder. Leaves that folder
# empty when this machine is not a Debian with the pinned upstream version.
function(cjson_fetch_debian)
  find_program(APT_GET apt-get)
  find_program(DPKG_SOURCE dpkg-source)
  if(NOT APT_GET OR NOT DPKG_SOURCE)
    message(STATUS "cJSON: no apt-get and dpkg-source (package dpkg-dev) here")
    return()
  endif()
  set(work ${CMAKE_SOURCE_DIR}/build/cjson-debian)
  file(REMOVE_RECURSE ${work})
  file(MAKE_DIRECTORY ${work}/sources ${work}/package
    ${work}/state/lists/partial ${work}/cache/archives/partial)
  cjson_write_apt_sources(${work}/sources)
  set(apt ${APT_GET} --quiet
    -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=${work}/sources
    -o Dir::State=${work}/state -o Dir::State::status=/var/lib/dpkg/status
    -o Dir::Cache=${work}/cache -o APT::Sandbox::User=root)

  message(STATUS "cJSON: fetching Debian's source package")
  execute_process(COMMAND ${apt} update
    OUTPUT_FILE ${work}/apt.log ERROR_FILE ${work}/apt-errors.log)
  string(REGEX REPLACE "-.*" "" upstream ${CJSON_DEBIAN_VERSION})
  execute_process(COMMAND ${apt} source --download-only cjson
    WORKING_DIRECTORY ${work}/package
    OUTPUT_FILE ${work}/apt.log ERROR_FILE ${work}/apt-errors.log)
  file(GLOB dsc ${work}/package/cjson_${upstream}-*.dsc)
  if(NOT dsc)
    message(STATUS "cJSON: no source package of ${upstream} to be had here")
    return()
  endif()
  execute_process(COMMAND ${DPKG_SOURCE} --extract ${dsc} ${work}/source
    OUTPUT_QUIET ERROR_FILE ${work}/dpkg-errors.log COMMAND_ERROR_IS_FATAL ANY)
  file(STRINGS ${dsc} version REGEX "^Version: ")
  string(REPLACE "Version: " "" version ${version})
  cjson_check(${work}/source ${version})
  cjson_keep(${work}/source ${version})
  file(REMOVE_RECURSE ${work})
endfunction()
