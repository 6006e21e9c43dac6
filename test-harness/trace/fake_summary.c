// SPDX-License-Identifier: Apache-2.0
#include "fake_summary.h"

static void promise(int kept, const char *text) {
  if (!kept) {
    fake_host_broken(text);
  }
}

double fake_count_classified(const tam_json_node *message) {
  static const char *const lists[] = {"batch", "items"};
  const tam_json_node *status =
      tam_json_get_member(message, TAM_SPAN("status"));
  if (!tam_span_eq(tam_json_get_string(status), TAM_SPAN("classified"))) {
    return 0;
  }
  double count = 0;
  for (size_t i = 0; i < 2; i++) {
    const tam_json_node *item =
        tam_json_get_first(tam_json_get_member(message, tam_span_of(lists[i])));
    for (; item != NULL; item = tam_json_get_next(item)) {
      count++;
    }
  }
  return count > 0 ? count : 1;
}

// The summary of a listing that came to its end, or NULL.
static const tam_json_node *summary_of(const tam_json_node *message) {
  const tam_json_node *result =
      tam_json_get_member(message, TAM_SPAN("result"));
  if (tam_json_get_member(message, TAM_SPAN("code")) != NULL) {
    return NULL;
  }
  return tam_json_get_member(result == NULL ? message : result,
                             TAM_SPAN("meta"));
}

void fake_check_summary(const fake_host *host, const fake_op *op,
                        const tam_json_node *message) {
  const tam_json_node *meta = summary_of(message);
  if (meta == NULL || op->is_unread || host->heap.fail_at != 0) {
    return;
  }
  double filtered =
      tam_json_get_number(tam_json_get_member(meta, TAM_SPAN("filtered")));
  double sum = 0;
  const tam_json_node *count =
      tam_json_get_first(tam_json_get_member(meta, TAM_SPAN("classified")));
  for (; count != NULL; count = tam_json_get_next(count)) {
    sum += tam_json_get_number(count);
  }
  promise(sum == filtered, "the summary counts every candidate");
  promise(op->classified == (op->is_quiet ? 0 : filtered),
          "each candidate is classified once");
}

int fake_is_good_end(const tam_json_node *message) {
  return tam_json_get_member(message, TAM_SPAN("code")) == NULL;
}
