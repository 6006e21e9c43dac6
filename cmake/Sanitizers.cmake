# SPDX-License-Identifier: Apache-2.0
# Sanitizers stop at the first finding: a test that goes on after undefined
# behaviour proves nothing.
if(TAM_SANITIZE OR TAM_FUZZ)
  set(sanitizers address,undefined)
  if(TAM_FUZZ)
    set(sanitizers ${sanitizers},fuzzer-no-link)
  endif()
  add_compile_options(
    -fsanitize=${sanitizers}
    -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all)
endif()
