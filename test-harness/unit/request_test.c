// SPDX-License-Identifier: Apache-2.0
// A request owns its texts, and queues keep their order.
#include "check.h"

#include "net/request.h"

static void test_texts(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  char url[] = "https://hub.test/a";
  tam_net_request source = {.op = 3,
                            .url = tam_span_of(url),
                            .headers = TAM_SPAN("authorization: secret")};
  tam_request *request = tam_request_new(&source, &mem);
  url[0] = 'X';
  CHECK_SPAN(request->source.url, "https://hub.test/a");
  CHECK_SPAN(request->fetch.action.first, "https://hub.test/a");
  CHECK_SPAN(request->fetch.action.second, "authorization: secret");
  CHECK_INT(request->fetch.action.op, 3);
  tam_request_wipe(request);
  CHECK_INT(request->source.headers.ptr[0], 0);
  CHECK_INT(request->source.url.ptr[0], 0);
  tam_request_del(request, &mem);
  CHECK_INT(heap.live, 0);
  heap.fail_at = heap.allocations + 1;
  CHECK(tam_request_new(&source, &mem) == NULL);
}

static void test_drop_header(void) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_span secret = TAM_SPAN("b: secret\r\n");
  static const char *const blocks[][2] = {
      {"b: secret\r\na: 1\r\n", "a: 1\r\n"},
      {"a: 1\r\nb: secret\r\n", "a: 1\r\n"},
      {"a: 1\r\nb: secret\r\nc: 3\r\n", "a: 1\r\nc: 3\r\n"},
      {"b: secret\r\n", ""},
      {"b: secret, too\r\n", "b: secret, too\r\n"},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
    tam_net_request source = {.url = TAM_SPAN("https://hub.test/a"),
                              .headers = tam_span_of(blocks[i][0])};
    tam_request *request = tam_request_new(&source, &mem);
    const uint8_t *text = request->source.headers.ptr;
    tam_request_drop_header(request, secret);
    tam_span expected = tam_span_of(blocks[i][1]);
    CHECK(tam_span_eq(request->source.headers, expected));
    CHECK(tam_span_eq(request->fetch.action.second, expected));
    CHECK_SPAN(request->fetch.action.first, "https://hub.test/a");
    for (size_t at = expected.len; at < source.headers.len; at++) {
      CHECK_INT(text[at], 0);
    }
    tam_request_del(request, &mem);
  }
  CHECK_INT(heap.live, 0);
}

// Takes all requests out of |queue| and checks that they are |count| elements
// of |requests| in the order of |places|.
static void check_order(tam_request_queue *queue, const tam_request *requests,
                        const int *places, size_t count) {
  for (size_t i = 0; i < count; i++) {
    tam_request *first = tam_request_queue_first(queue);
    CHECK(first == &requests[places[i]]);
    tam_request_dequeue(first);
  }
  CHECK(tam_request_queue_first(queue) == NULL);
}

static void test_queue(void) {
  static const int places[] = {2, 0, 3};
  tam_request requests[4] = {{.id = 0}};
  tam_request_queue queue;
  tam_request_queue_init(&queue);
  CHECK(tam_request_queue_first(&queue) == NULL);
  tam_request_enqueue(&requests[0], &queue);
  tam_request_enqueue(&requests[1], &queue);
  tam_request_enqueue(&requests[2], queue.next);
  tam_request_enqueue(&requests[3], &queue);
  tam_request_dequeue(&requests[1]);
  check_order(&queue, requests, places, 3);
}

static void test_queue_by_due(void) {
  static const double due_ms[] = {30, 10, 40, 20, 10};
  static const int places[] = {1, 4, 3, 0, 2};
  tam_request requests[5] = {{.id = 0}};
  tam_request_queue queue;
  tam_request_queue_init(&queue);
  for (size_t i = 0; i < 5; i++) {
    requests[i].due_ms = due_ms[i];
    tam_request_enqueue_by_due(&requests[i], &queue);
  }
  check_order(&queue, requests, places, 5);
}

int main(void) {
  RUN(test_texts);
  RUN(test_drop_header);
  RUN(test_queue);
  RUN(test_queue_by_due);
  return check_finish();
}
