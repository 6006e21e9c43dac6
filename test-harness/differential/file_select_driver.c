// SPDX-License-Identifier: Apache-2.0
// Lets JavaScript ask which files of a repository a dtype needs. A question on
// standard input is the name of the dtype and the paths, each with a line feed
// behind it, and ends with NUL. The answer on standard output has a line with
// the dtype that was chosen (or "none"), one with those that are available, and
// one for each file that is wanted, and ends with NUL.
#include "store/file_select.h"

#include <stdio.h>

// More than any question of the tests has.
#define QUESTION_MAX (1U << 20)

#define COMMIT TAM_SPAN("0123456789abcdef0123456789abcdef01234567")

static void print_line(tam_span text) {
  fwrite(text.ptr, 1, text.len, stdout);
  putchar('\n');
}

// Cuts the first line off |*ptext|.
static tam_span cut_line(tam_span *ptext) {
  size_t len = tam_span_find_byte(*ptext, '\n');
  tam_span line = tam_span_head(*ptext, len);
  *ptext = tam_span_from(*ptext, len + 1);
  return line;
}

// Answers for |revision|, whose files are all there.
static void answer_for(tam_revision *revision, tam_span name) {
  unsigned available = tam_file_select_available(revision);
  tam_dtype dtype;
  if (tam_file_select_dtype(name, available, &dtype) == 0) {
    tam_file_select(revision, dtype);
    puts(tam_dtype_name(dtype));
  } else {
    puts("none");
  }
  for (int i = 0; i < TAM_DTYPE_COUNT; i++) {
    if ((available >> i & 1U) != 0) {
      printf("%s ", tam_dtype_name((tam_dtype)i));
    }
  }
  putchar('\n');
  for (uint32_t i = 0; i < revision->count; i++) {
    if ((revision->files[i].flags & TAM_REVISION_FILE_CHOSEN) != 0) {
      print_line(tam_revision_text(revision, revision->files[i].path));
    }
  }
}

static int answer(tam_span question) {
  static const uint8_t digest[TAM_SHA1_SIZE];
  tam_mem mem = tam_mem_default();
  tam_span name = cut_line(&question);
  tam_revision revision;
  int error = tam_revision_init(&revision, TAM_SPAN("owner/name"), COMMIT,
                                TAM_SPAN("main"), &mem);
  while (error == 0 && question.len > 0) {
    tam_tree_file file = {
        cut_line(&question), 1, TAM_TREE_GIT_BLOB, {digest, sizeof(digest)}};
    error = tam_revision_add_file(&revision, &file);
  }
  if (error == 0) {
    answer_for(&revision, name);
  }
  tam_revision_free(&revision);
  putchar('\0');
  return error;
}

int main(void) {
  static uint8_t question[QUESTION_MAX];
  size_t len = 0;
  int error = 0;
  for (int byte = getchar(); byte != EOF && len < QUESTION_MAX && error == 0;
       byte = getchar()) {
    if (byte == '\0') {
      error = answer((tam_span){question, len});
      len = 0;
    } else {
      question[len++] = (uint8_t)byte;
    }
  }
  return len == 0 && error == 0 ? 0 : 1;
}
