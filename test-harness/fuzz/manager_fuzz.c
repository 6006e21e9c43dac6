// SPDX-License-Identifier: Apache-2.0
// The whole event interface. The input is a program of events: commands,
// answers whole or in pieces, time, cancels, failures of memory. Some carry
// their text along, as the seeds made from the traces do; others write a page,
// a configuration or a refusal of their own, so that mutations reach the deep
// states, too. fake_host.h says what must hold after every event.
#include "fake_host.h"
#include "fuzz_input.h"

// Texts that a step writes itself.
#define TEXT_MAX 8192

// The files of a row.
#define SIBLINGS                                                               \
  ",\"siblings\":[{\"rfilename\":\"vocab.txt\"},"                              \
  "{\"rfilename\":\"onnx/model_q4.onnx\"}]"

// Requests in a run; beyond it the run is not going anywhere.
#define REQUESTS_MAX 2000

typedef struct program {
  fuzz_input input;
  fake_host host;
} program;

// ---------------------------------------------------------------------------
// Reading the input

// Names a request by its place, the oldest one under way by 0.
static uint32_t take_request(program *run) {
  unsigned order = take_byte(&run->input);
  for (size_t i = 1; order == 0 && i <= run->host.request_count; i++) {
    if (fake_host_request(&run->host, i)->is_live) {
      order = (unsigned)i;
    }
  }
  const fake_request *request = fake_host_request(&run->host, order);
  return request == NULL ? order : request->id;
}

// ---------------------------------------------------------------------------
// Steps that carry their text

static void feed(program *run, tam_event event) {
  (void)fake_host_feed(&run->host, &event);
}

static void step_timer(program *run) {
  double wait = tam_manager_deadline(run->host.manager, run->host.now_ms);
  run->host.now_ms += wait > 0 ? wait : 0;
  feed(run, (tam_event){.kind = TAM_EVENT_TIMER});
}

static void step_wait(program *run) {
  unsigned low = take_short(&run->input);
  run->host.now_ms += low + 65536.0 * take_short(&run->input);
}

static void step_command(program *run) {
  tam_event event = {.kind = TAM_EVENT_COMMAND};
  event.op = take_byte(&run->input);
  event.flags = take_byte(&run->input);
  event.payload = take_text(&run->input, SIZE_MAX);
  feed(run, event);
}

static void step_rows(program *run) {
  tam_event event = {.kind = TAM_EVENT_LISTING_DATA};
  event.op = take_byte(&run->input);
  event.payload = take_text(&run->input, SIZE_MAX);
  feed(run, event);
}

static void step_rows_end(program *run) {
  feed(run, (tam_event){.kind = TAM_EVENT_LISTING_END,
                        .op = take_byte(&run->input)});
}

static void step_cancel(program *run) {
  feed(run,
       (tam_event){.kind = TAM_EVENT_CANCEL, .op = take_byte(&run->input)});
}

static void step_head(program *run) {
  tam_event event = {.kind = TAM_EVENT_HTTP_HEAD};
  event.request = take_request(run);
  event.status = take_short(&run->input);
  event.payload = take_text(&run->input, SIZE_MAX);
  feed(run, event);
}

static void step_data(program *run) {
  tam_event event = {.kind = TAM_EVENT_HTTP_DATA};
  event.request = take_request(run);
  event.payload = take_text(&run->input, SIZE_MAX);
  feed(run, event);
}

static void step_end(program *run) {
  feed(run,
       (tam_event){.kind = TAM_EVENT_HTTP_END, .request = take_request(run)});
}

static void step_fail(program *run) {
  tam_event event = {.kind = TAM_EVENT_HTTP_FAIL};
  event.request = take_request(run);
  event.payload = take_text(&run->input, SIZE_MAX);
  feed(run, event);
}

// ---------------------------------------------------------------------------
// Steps that write their own

static tam_event head_of(uint32_t request, uint32_t status,
                         const char *headers) {
  tam_event event = {.kind = TAM_EVENT_HTTP_HEAD,
                     .request = request,
                     .status = status,
                     .payload = tam_span_of(headers)};
  return event;
}

static void feed_body(program *run, uint32_t request, tam_span body,
                      size_t piece) {
  for (size_t at = 0; at < body.len; at += piece) {
    tam_span part = tam_span_head(tam_span_from(body, at), piece);
    feed(run, (tam_event){.kind = TAM_EVENT_HTTP_DATA,
                          .request = request,
                          .payload = part});
  }
  feed(run, (tam_event){.kind = TAM_EVENT_HTTP_END, .request = request});
}

// Starts a listing with one of several sets of parameters.
static void step_start(program *run) {
  static const char *const params[] = {
      "",
      ",\"params\":{\"maxListing\":5,\"pageSize\":2}",
      ",\"params\":{\"maxCandidates\":2,\"concurrency\":1}",
      ",\"params\":{\"fetchConfigs\":\"all\",\"concurrency\":3}",
      ",\"params\":{\"fetchConfigs\":\"never\",\"requireOnnx\":false}",
      ",\"params\":{\"hfToken\":\"hf_x\",\"debug\":true,\"timeoutMs\":50}",
      ",\"params\":{\"cursor\":\"abc=\",\"query\":{\"search\":\"q\"}}",
      ",\"params\":{\"maxListing\":0}",
  };
  char text[256];
  unsigned op = take_byte(&run->input);
  unsigned kind = take_byte(&run->input);
  snprintf(text, sizeof(text), "{\"%s\":\"listChatModels\",\"id\":%u%s}",
           (kind & 8) != 0 ? "type" : "action", op, params[kind & 7]);
  feed(run, (tam_event){.kind = TAM_EVENT_COMMAND,
                        .op = op,
                        .flags = (uint32_t)(kind >> 4) & 3,
                        .payload = tam_span_of(text)});
}

// Writes a page of |count| rows that begin with number |first|; the bits of
// |kind| say what they carry.
static size_t write_page(char *text, unsigned first, unsigned count,
                         unsigned kind) {
  static const char *const members[] = {
      ",\"config\":{\"architectures\":[\"LlamaForCausalLM\"]}",
      ",\"gated\":\"auto\"",
      ",\"pipeline_tag\":\"text-generation\",\"downloads\":10",
      SIBLINGS,
      ",\"tags\":[\"onnx\",\"license:mit\"],\"likes\":1.5e3",
  };
  size_t len = (size_t)snprintf(text, TEXT_MAX, "[");
  for (unsigned i = 0; i < count && len + 512 < TEXT_MAX; i++) {
    len += (size_t)snprintf(text + len, TEXT_MAX - len, "%s{\"id\":\"org/%u\"",
                            i > 0 ? "," : "", first + i);
    for (unsigned k = 0; k < 5; k++) {
      if ((kind >> k & 1) != 0 && (first + i) % (k + 2) != 0) {
        len += (size_t)snprintf(text + len, TEXT_MAX - len, "%s", members[k]);
      }
    }
    len += (size_t)snprintf(text + len, TEXT_MAX - len, "}");
  }
  return len + (size_t)snprintf(text + len, TEXT_MAX - len, "]");
}

// Answers a request with a page, the last one or with a link.
static void step_page(program *run) {
  static char text[TEXT_MAX];
  uint32_t request = take_request(run);
  unsigned first = take_byte(&run->input);
  unsigned count = take_byte(&run->input) % 32;
  unsigned kind = take_byte(&run->input);
  unsigned piece = take_byte(&run->input);
  const char *link =
      (kind & 32) != 0 ? "link: </api/models?cursor=n>; rel=\"next\"\r\n" : "";
  size_t len = write_page(text, first, count, kind);
  len -= (kind & 64) != 0 ? len / 3 : 0; // cut off
  feed(run, head_of(request, 200, link));
  feed_body(run, request, (tam_span){(const uint8_t *)text, len},
            piece == 0 ? TEXT_MAX : piece);
}

static void step_supply(program *run) {
  static char text[TEXT_MAX];
  uint32_t op = take_byte(&run->input);
  unsigned first = take_byte(&run->input);
  unsigned count = take_byte(&run->input) % 32;
  size_t len = write_page(text, first, count, take_byte(&run->input));
  feed(run, (tam_event){.kind = TAM_EVENT_LISTING_DATA,
                        .op = op,
                        .payload = {(const uint8_t *)text, len}});
}

// Answers a request with a configuration.
static void step_config(program *run) {
  static const char *const configs[] = {
      "{\"model_type\":\"llama\",\"architectures\":[\"LlamaForCausalLM\"]}",
      "{\"model_type\":\"bert\"}",
      "{\"text_config\":{\"model_type\":\"qwen2\"}}",
      "{\"auto_map\":{\"AutoModelForCausalLM\":\"x.y\"}}",
      "{\"model_type\":",
      "[]",
      "{\"a\":NaN}",
      "",
  };
  uint32_t request = take_request(run);
  unsigned kind = take_byte(&run->input);
  feed(run, head_of(request, 200, ""));
  feed_body(run, request, tam_span_of(configs[kind & 7]), (kind >> 3) + 1);
}

// Answers a request with a refusal.
static void step_refuse(program *run) {
  static const struct {
    uint32_t status;
    const char *headers;
  } answers[] = {
      {429, "ratelimit: \"api\";r=0;t=30\r\n"},
      {429, ""},
      {429, "retry-after: 7\r\n"},
      {404, "x-error-code: EntryNotFound\r\n"},
      {404, "x-error-code: RepoNotFound\r\n"},
      {401, "x-error-code: GatedRepo\r\n"},
      {401, ""},
      {403, "x-error-code: GatedRepo\r\n"},
      {500, ""},
      {503, "retry-after: 2\r\n"},
      {504, ""},
      {400, ""},
      {204, ""},
      {200, "ratelimit: \"api\";r=1;t=300\r\n"},
      {200, "ratelimit: \"resolvers\";r=0;t=1\r\n"},
      {200, "link: <https://evil.test/api/models?cursor=1>; rel=next\r\n"},
  };
  uint32_t request = take_request(run);
  unsigned kind = take_byte(&run->input);
  feed(run,
       head_of(request, answers[kind & 15].status, answers[kind & 15].headers));
  if ((kind & 16) != 0) {
    feed(run, (tam_event){.kind = TAM_EVENT_HTTP_END, .request = request});
  }
}

// Lets an allocation fail, or all of them, or none from here on.
static void step_memory(program *run) {
  check_heap *heap = &run->host.heap;
  unsigned kind = take_byte(&run->input);
  heap->fail_after = (kind & 1) != 0;
  heap->fail_at = heap->allocations + 1 + (kind >> 2);
  if ((kind & 2) != 0) {
    // 0 would claim that nothing has failed so far.
    heap->fail_after = 0;
    heap->fail_at = SIZE_MAX;
  }
}

// An event of any kind.
static void step_anything(program *run) {
  tam_event event = {.kind = (tam_event_kind)take_byte(&run->input)};
  event.op = take_byte(&run->input);
  event.request = take_byte(&run->input);
  event.status = take_short(&run->input);
  event.flags = take_byte(&run->input);
  event.payload = take_text(&run->input, SIZE_MAX);
  feed(run, event);
}

// The order is part of the format of the seeds: new steps go to the end.
static void (*const steps[])(program *) = {
    step_timer,  step_wait,     step_command, step_rows,   step_rows_end,
    step_cancel, step_head,     step_data,    step_end,    step_fail,
    step_start,  step_page,     step_supply,  step_config, step_refuse,
    step_memory, step_anything,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  program run = {.input = {data, size}};
  if (fake_host_init(&run.host, "https://hub.test") == 0) {
    while (run.input.left > 0 && run.host.request_count < REQUESTS_MAX) {
      steps[take_byte(&run.input) % (sizeof(steps) / sizeof(steps[0]))](&run);
    }
    fake_host_finish(&run.host);
  }
  fake_host_free(&run.host);
  return 0;
}
