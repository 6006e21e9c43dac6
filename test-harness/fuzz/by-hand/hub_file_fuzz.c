// SPDX-License-Identifier: Apache-2.0
// Any bytes as a URL, and any three lines as a file: no read outside of them,
// and what is read or written comes back as it was.
#include "core/trap.h"
#include "store/hub_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t endpoint_text[] = "https://hub.test";
static const tam_span endpoint = {endpoint_text, sizeof(endpoint_text) - 1};

// Reads |url| from a copy of exactly its size, into a text of exactly the size
// that is asked for, so that the sanitizer sees every overrun.
static int parse(tam_hub_file *file, uint8_t *text, tam_span url) {
  uint8_t *copy = malloc(url.len > 0 ? url.len : 1);
  if (copy == NULL) {
    abort();
  }
  if (url.len > 0) {
    memcpy(copy, url.ptr, url.len);
  }
  int result =
      tam_hub_file_parse(file, text, endpoint, (tam_span){copy, url.len});
  free(copy);
  return result;
}

static int is_within(tam_span part, const uint8_t *text) {
  return part.ptr >= text && part.len <= TAM_HUB_FILE_TEXT_MAX &&
         part.ptr + part.len <= text + TAM_HUB_FILE_TEXT_MAX;
}

static int has_no(tam_span url, const char *denied) {
  for (; *denied != '\0'; denied++) {
    if (tam_span_find_byte(url, (uint8_t)*denied) < url.len) {
      return 0;
    }
  }
  return 1;
}

// What can name a file has a URL that means it.
static void check_file(const tam_hub_file *file) {
  size_t max = endpoint.len + TAM_HUB_FILE_URL_MAX;
  uint8_t *space = malloc(max);
  uint8_t *text = malloc(TAM_HUB_FILE_TEXT_MAX);
  if (space == NULL || text == NULL) {
    abort();
  }
  tam_buf url;
  tam_hub_file again;
  tam_buf_init_fixed(&url, space, max);
  TAM_ASSERT(tam_hub_file_append_url(&url, endpoint, file) == 0);
  TAM_ASSERT(tam_span_is_visible_ascii(tam_buf_span(&url)));
  TAM_ASSERT(has_no(tam_buf_span(&url), "?#\\@"));
  TAM_ASSERT(parse(&again, text, tam_buf_span(&url)) == 1);
  TAM_ASSERT(tam_span_eq(again.repo, file->repo));
  TAM_ASSERT(tam_span_eq(again.revision, file->revision));
  TAM_ASSERT(tam_span_eq(again.path, file->path));
  free(text);
  free(space);
}

static void check_url(tam_span url) {
  uint8_t *text = malloc(TAM_HUB_FILE_TEXT_MAX);
  if (text == NULL) {
    abort();
  }
  tam_hub_file file;
  int result = parse(&file, text, url);
  TAM_ASSERT(result == 0 || result == 1 || result == TAM_ERR_TOO_LARGE ||
             result == TAM_ERR_INVALID_ARGUMENT);
  if (result == 1) {
    TAM_ASSERT(is_within(file.repo, text) && is_within(file.revision, text) &&
               is_within(file.path, text));
    TAM_ASSERT(tam_hub_file_check(&file) == 0);
    check_file(&file);
  }
  free(text);
}

static tam_span cut_line(tam_span *prest) {
  size_t end = tam_span_find_byte(*prest, '\n');
  tam_span line = tam_span_head(*prest, end);
  *prest = tam_span_from(*prest, end + 1);
  return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tam_span input = {data, size};
  check_url(input);
  tam_hub_file file;
  file.repo = cut_line(&input);
  file.revision = cut_line(&input);
  file.path = input;
  if (tam_hub_file_check(&file) == 0) {
    check_file(&file);
  }
  return 0;
}
