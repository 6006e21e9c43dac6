// SPDX-License-Identifier: Apache-2.0
// Lets JavaScript ask which files URLs on https://hub.test mean: URLs that end
// with NUL on standard input, answers on standard output. An answer is the
// result of tam_hub_file_parse; when that is 1, repository, revision, path and
// the URL that is written for them follow. Each is on a line of its own, and
// NUL is at the end.
#include "store/hub_file.h"

#include <stdio.h>

// More than any URL of the tests has.
#define URL_MAX (1U << 16)

#define ENDPOINT TAM_SPAN("https://hub.test")

static void print_line(tam_span text) {
  putchar('\n');
  fwrite(text.ptr, 1, text.len, stdout);
}

static void answer(tam_span url) {
  static uint8_t text[TAM_HUB_FILE_TEXT_MAX];
  static uint8_t space[64 + TAM_HUB_FILE_URL_MAX];
  tam_hub_file file;
  tam_buf again;
  int result = tam_hub_file_parse(&file, text, ENDPOINT, url);
  printf("%d", result);
  if (result == 1) {
    print_line(file.repo);
    print_line(file.revision);
    print_line(file.path);
    tam_buf_init_fixed(&again, space, sizeof(space));
    tam_hub_file_append_url(&again, ENDPOINT, &file);
    print_line(tam_buf_span(&again));
  }
  putchar('\0');
}

int main(void) {
  static uint8_t url[URL_MAX];
  size_t len = 0;
  for (int byte = getchar(); byte != EOF && len < URL_MAX; byte = getchar()) {
    if (byte == '\0') {
      answer((tam_span){url, len});
      len = 0;
    } else {
      url[len++] = (uint8_t)byte;
    }
  }
  return len == 0 ? 0 : 1;
}
