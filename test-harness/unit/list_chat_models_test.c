// SPDX-License-Identifier: Apache-2.0
// The caps of a listing: bodies without end, more errors than are kept, the
// longest names that a hostile Hub can send, and more answers than a panel
// wants to hear of one by one. Each ends in good order and in bounded memory.
// What a listing does otherwise is in trace/.
#include "fake_host.h"

#define HUB_URL "https://hub.test"

// The longest configuration and the longest page; see list_configs.c and
// list_pages.c.
#define CONFIG_BYTES_MAX (4U << 20)
#define PAGE_BYTES_MAX   (256U << 20)

// The last message, and parts of it.
typedef struct last_message {
  char *text;
} last_message;

static void keep_last(void *user_data, const tam_action *action) {
  last_message *last = user_data;
  if (action->kind == TAM_ACTION_MESSAGE) {
    last->text = realloc(last->text, action->first.len + 1);
    memcpy(last->text, action->first.ptr, action->first.len);
    last->text[action->first.len] = '\0';
  }
}

static void host_begin(fake_host *host, last_message *last) {
  memset(host, 0, sizeof(*host));
  last->text = NULL;
  host->on_action = keep_last;
  host->user_data = last;
  CHECK_INT(fake_host_init(host, HUB_URL), 0);
}

static void host_end(fake_host *host, last_message *last) {
  fake_host_finish(host);
  fake_host_free(host);
  free(last->text);
}

static void check_last(const last_message *last, const char *part) {
  check_count++;
  if (last->text == NULL || strstr(last->text, part) == NULL) {
    check_failures++;
    printf("\"%s\" is not in %s\n", part, last->text);
  }
}

static void feed(fake_host *host, tam_event event) {
  CHECK_INT(fake_host_feed(host, &event), 0);
}

static void feed_command(fake_host *host, const char *text, unsigned flags) {
  feed(host, (tam_event){.kind = TAM_EVENT_COMMAND,
                         .op = 1,
                         .flags = flags,
                         .payload = tam_span_of(text)});
}

static void feed_rows(fake_host *host, const char *text) {
  feed(host, (tam_event){.kind = TAM_EVENT_LISTING_DATA,
                         .op = 1,
                         .payload = tam_span_of(text)});
}

// Supplies rows without a configuration, |count| of them.
static void feed_bare_rows(fake_host *host, int count) {
  char row[64];
  feed_rows(host, "[");
  for (int i = 0; i < count; i++) {
    snprintf(row, sizeof(row), "%s{\"id\":\"org/%d\"}", i > 0 ? "," : "", i);
    feed_rows(host, row);
  }
  feed_rows(host, "]");
  feed(host, (tam_event){.kind = TAM_EVENT_LISTING_END, .op = 1});
}

static void feed_head(fake_host *host, uint32_t request, uint32_t status) {
  feed(host, (tam_event){.kind = TAM_EVENT_HTTP_HEAD,
                         .request = request,
                         .status = status});
}

// Feeds |first| and then blanks until the request is aborted; returns how many
// bytes that took.
static size_t feed_endless_body(fake_host *host, const char *first,
                                size_t most) {
  static uint8_t piece[TAM_EVENT_PAYLOAD_MAX];
  uint32_t request = host->requests[0].id;
  memset(piece, ' ', sizeof(piece));
  memcpy(piece, first, strlen(first));
  size_t fed = 0;
  while (host->requests[0].is_live && fed < most) {
    feed(host, (tam_event){.kind = TAM_EVENT_HTTP_DATA,
                           .request = request,
                           .payload = {piece, sizeof(piece)}});
    fed += sizeof(piece);
    memset(piece, ' ', strlen(first));
  }
  return fed;
}

static void test_a_configuration_without_end(void) {
  fake_host host;
  last_message last;
  host_begin(&host, &last);
  feed_command(&host, "{\"action\":\"listChatModels\",\"id\":1}",
               TAM_COMMAND_FLAG_LISTING);
  feed_rows(&host, "[{\"id\":\"org/one\"}]");
  feed(&host, (tam_event){.kind = TAM_EVENT_LISTING_END, .op = 1});
  size_t before = host.heap.live_bytes;
  feed_head(&host, host.requests[0].id, 200);
  size_t fed = feed_endless_body(&host, "{\"a\":", 2 * CONFIG_BYTES_MAX);
  CHECK_INT(fed, CONFIG_BYTES_MAX + TAM_EVENT_PAYLOAD_MAX);
  CHECK(host.heap.peak_bytes < before + 65536);
  check_last(&last, "\"errors\":[{\"modelId\":\"org/one\","
                    "\"code\":\"too_large\",\"message\":\"config.json is "
                    "longer than any configuration\"}]");
  host_end(&host, &last);
}

static void test_a_page_without_end(void) {
  fake_host host;
  last_message last;
  host_begin(&host, &last);
  feed_command(&host,
               "{\"action\":\"listChatModels\",\"id\":1,"
               "\"params\":{\"fetchConfigs\":\"never\"}}",
               0);
  feed_head(&host, host.requests[0].id, 200);
  size_t before = host.heap.live_bytes;
  size_t fed =
      feed_endless_body(&host, "[{\"id\":\"org/one\"},", 2 * PAGE_BYTES_MAX);
  CHECK_INT(fed, PAGE_BYTES_MAX + TAM_EVENT_PAYLOAD_MAX);
  CHECK(host.heap.peak_bytes < before + 65536);
  check_last(&last, "\"listChatModels:done\"");
  check_last(&last, "\"code\":\"too_large\"");
  check_last(&last, "\"partial\":true");
  host_end(&host, &last);
}

// A hundred errors are kept in words, all are counted.
static void test_many_errors(void) {
  fake_host host;
  last_message last;
  host_begin(&host, &last);
  feed_command(&host, "{\"action\":\"listChatModels\",\"id\":1}",
               TAM_COMMAND_FLAG_LISTING);
  feed_bare_rows(&host, 150);
  for (size_t i = 1; i <= 150; i++) {
    uint32_t request = fake_host_request(&host, i)->id;
    feed_head(&host, request, 403);
    feed(&host, (tam_event){.kind = TAM_EVENT_HTTP_END, .request = request});
  }
  check_last(&last, "\"errorCount\":150,");
  check_last(&last, "{\"modelId\":\"org/99\",\"code\"");
  CHECK(strstr(last.text, "{\"modelId\":\"org/100\",\"code\"") == NULL);
  host_end(&host, &last);
}

// Answers the oldest request under way.
static void answer_oldest(fake_host *host) {
  size_t order = 1;
  while (!host->requests[order - 1].is_live) {
    order++;
  }
  uint32_t request = host->requests[order - 1].id;
  feed_head(host, request, 200);
  feed(host, (tam_event){.kind = TAM_EVENT_HTTP_DATA,
                         .request = request,
                         .payload = TAM_SPAN("{\"model_type\":\"llama\"}")});
  feed(host, (tam_event){.kind = TAM_EVENT_HTTP_END, .request = request});
}

// Five hundred requests, one at a time, that take 1 to 500 ms in some order:
// the percentiles are nearest ranks.
static void test_many_durations(void) {
  fake_host host;
  last_message last;
  host_begin(&host, &last);
  feed_command(&host,
               "{\"action\":\"listChatModels\",\"id\":1,"
               "\"params\":{\"maxCandidates\":500,\"concurrency\":1}}",
               TAM_COMMAND_FLAG_LISTING | TAM_COMMAND_FLAG_QUIET);
  feed_bare_rows(&host, 500);
  for (int i = 0; i < 500; i++) {
    host.now_ms += 1 + i * 207 % 500;
    answer_oldest(&host);
  }
  check_last(&last, "\"configFetchMs\":{\"count\":500,\"p50\":250,"
                    "\"p95\":475,\"max\":500}");
  host_end(&host, &last);
}

// Five hundred answers, one every 7 ms, and timers in between: the host counts
// the messages of every second.
static void test_many_answers(void) {
  fake_host host;
  last_message last;
  host_begin(&host, &last);
  feed_command(&host,
               "{\"action\":\"listChatModels\",\"id\":1,"
               "\"params\":{\"maxCandidates\":500}}",
               TAM_COMMAND_FLAG_LISTING);
  feed_bare_rows(&host, 500);
  while (tam_manager_busy(host.manager) > 0) {
    double wait = tam_manager_deadline(host.manager, host.now_ms);
    if (wait >= 0 && wait < 7) {
      host.now_ms += wait;
      feed(&host, (tam_event){.kind = TAM_EVENT_TIMER});
      continue;
    }
    host.now_ms += 7;
    answer_oldest(&host);
  }
  check_last(&last, "\"gen\":500,");
  CHECK(host.ops[0].messages > 20);
  host_end(&host, &last);
}

// The longest names, every character of which needs an escape of six.
static void append_control_characters(char *text, size_t count) {
  for (size_t i = 0; i < count; i++) {
    strcat(text, "\\u0001");
  }
}

static void write_hostile_row(char *text, int number) {
  char name[128 * 6 + 1] = "";
  append_control_characters(name, 128);
  size_t len = (size_t)sprintf(
      text,
      "%s{\"id\":\"%096d/%096d\",\"config\":{\"model_type\":\"%s\","
      "\"architectures\":[",
      number > 0 ? "," : "", 1, number, name);
  for (int i = 0; i < 4; i++) {
    len += (size_t)sprintf(text + len, "%s\"%s\"", i > 0 ? "," : "", name);
  }
  sprintf(text + len, "]}}");
}

static void test_the_longest_names(void) {
  fake_host host;
  last_message last;
  static char row[8192];
  host_begin(&host, &last);
  feed_command(&host,
               "{\"action\":\"listChatModels\",\"id\":1,"
               "\"params\":{\"maxCandidates\":5000}}",
               TAM_COMMAND_FLAG_LISTING);
  feed_rows(&host, "[");
  for (int i = 0; i < 5000; i++) {
    write_hostile_row(row, i);
    feed_rows(&host, row);
  }
  feed_rows(&host, "]");
  feed(&host, (tam_event){.kind = TAM_EVENT_LISTING_END, .op = 1});
  check_last(&last, "\"listChatModels:done\"");
  check_last(&last, "\"filtered\":5000");
  host_end(&host, &last);
}

int main(void) {
  RUN(test_a_configuration_without_end);
  RUN(test_a_page_without_end);
  RUN(test_many_errors);
  RUN(test_many_durations);
  RUN(test_many_answers);
  RUN(test_the_longest_names);
  return check_finish();
}
