// SPDX-License-Identifier: Apache-2.0
// The ladder of devices: which rung is tried, which dtype is wanted there, what
// is said and kept of those that failed; and the status of a dtype.
#include "chat_world.h"

#include "chat/device_memory.h"

#define MACHINE "\"machine\":\"1.0 browser d\""

typedef struct ladder {
  chat_webgpu webgpu;
  int has_no_f16;
  int threads;
  int threads_fail;
  const char *devices; // that the store knows of
  const char *load;
  const char *dtypes;  // that are wanted, NULL: the load fails before
  const char *end;     // what the terminal message says
  const char *warning; // NULL: none
  const char *patch;   // what the store gets, NULL: nothing
} ladder;

#define FAILED(names) "{" MACHINE ",\"failed\":{" names "}}"

static const ladder ladders[] = {
    {CHAT_WEBGPU_GOOD, 0, 0, 0, NULL, LOAD, "q4f16,q4,fp16,auto",
     "\"executionProvider\":\"webgpu\",\"threads\":1", NULL, NULL},
    {CHAT_WEBGPU_GOOD, 1, 4, 0, NULL, LOAD, "q4,bnb4,auto",
     "\"executionProvider\":\"webgpu\",\"threads\":4", NULL, NULL},
    {CHAT_WEBGPU_NONE, 0, 4, 0, NULL, LOAD, "q8,q4,auto",
     "\"executionProvider\":\"wasm\",\"threads\":4", NULL, NULL},
    {CHAT_WEBGPU_NONE, 0, 3, 0, NULL, LOAD, "q8,q4,auto",
     "\"executionProvider\":\"wasm\",\"threads\":3", NULL, NULL},
    {CHAT_WEBGPU_NONE, 0, 64, 0, NULL, LOAD, "q8,q4,auto", "\"threads\":4",
     NULL, NULL},
    {CHAT_WEBGPU_NONE, 0, 0, 0, NULL, LOAD, "q8,q4,auto", "\"threads\":1", NULL,
     NULL},
    // A dtype that the caller names is that one, on every rung.
    {CHAT_WEBGPU_GOOD, 0, 0, 0, NULL, LOAD_WITH(",\"dtype\":\"q4\""), "q4",
     "\"executionProvider\":\"webgpu\"", NULL, NULL},
    // All the way down.
    {CHAT_WEBGPU_FAILS, 0, 4, 1, NULL, LOAD, "q4f16,q4,fp16,auto",
     "\"executionProvider\":\"wasm\",\"threads\":1",
     "webgpu was not used: Error: no device; "
     "wasm with threads was not used: Error: no device",
     "{" MACHINE ",\"failed\":{\"" CHAT_HOST_MODEL
     " q4 webgpu\":\"Error: no device\",\"" CHAT_HOST_MODEL
     " q4 wasm with threads\":\"Error: no device\",\"" CHAT_HOST_MODEL
     " q4 wasm\":null}}"},
    {CHAT_WEBGPU_FLAT, 0, 4, 0, NULL, LOAD, "q4f16,q4,fp16,auto",
     "\"executionProvider\":\"wasm\",\"threads\":4",
     "webgpu was not used: the device computes no sensible numbers",
     "{" MACHINE ",\"failed\":{\"" CHAT_HOST_MODEL
     " q4 webgpu\":\"the device computes no sensible "
     "numbers\",\"" CHAT_HOST_MODEL " q4 wasm with threads\":null}}"},
    // What failed before is not tried again.
    {CHAT_WEBGPU_GOOD, 0, 0, 0,
     FAILED("\"" CHAT_HOST_MODEL " q4 webgpu\":\"no \\\"x\\\"\""), LOAD,
     "q4f16,q4,fp16,auto", "\"executionProvider\":\"wasm\"",
     "webgpu was not used: it failed before: no \\\"x\\\"", NULL},
    {CHAT_WEBGPU_GOOD, 0, 0, 0,
     FAILED("\"" CHAT_HOST_MODEL " q4f16 webgpu\":\"x\""), LOAD, "q4,bnb4,auto",
     "\"executionProvider\":\"webgpu\"", NULL, NULL},
    {CHAT_WEBGPU_GOOD, 0, 0, 0,
     FAILED("\"" CHAT_HOST_MODEL " q4f16 webgpu\":\"x\",\"" CHAT_HOST_MODEL
            " q4 webgpu\":\"x\""),
     LOAD, "q8,q4,auto", "\"executionProvider\":\"wasm\"",
     "webgpu was not used: it failed before: x", NULL},
    {CHAT_WEBGPU_NONE, 0, 4, 0,
     "{\"machine\":\"1.0 browser \",\"failed\":{\"" CHAT_HOST_MODEL
     " q4 wasm with threads\":\"x\"}}",
     LOAD, "q8,q4,auto", "\"threads\":1",
     "wasm with threads was not used: it failed before: x", NULL},
    // Another model, another dtype, another machine.
    {CHAT_WEBGPU_GOOD, 0, 0, 0,
     FAILED("\"owner/other q4 webgpu\":\"x\",\"" CHAT_HOST_MODEL
            " q8 webgpu\":\"x\""),
     LOAD, "q4f16,q4,fp16,auto", "\"executionProvider\":\"webgpu\"", NULL,
     NULL},
    {CHAT_WEBGPU_GOOD, 0, 0, 0,
     "{\"machine\":\"0.9 browser d\",\"failed\":{\"" CHAT_HOST_MODEL
     " q4 webgpu\":\"x\"}}",
     LOAD, "q4f16,q4,fp16,auto", "\"executionProvider\":\"webgpu\"", NULL,
     NULL},
    {CHAT_WEBGPU_FAILS, 0, 0, 0,
     "{\"machine\":\"0.9 browser d\",\"failed\":{\"a\":\"x\",\"b\":1}}", LOAD,
     "q4f16,q4,fp16,auto", "\"executionProvider\":\"wasm\"",
     "webgpu was not used: Error: no device",
     "{" MACHINE ",\"failed\":{\"a\":null,\"b\":null,\"" CHAT_HOST_MODEL
     " q4 webgpu\":\"Error: no device\",\"" CHAT_HOST_MODEL
     " q4 wasm\":null}}"},
    // Whoever wants a device gets it, and it is good again when it works.
    {CHAT_WEBGPU_GOOD, 0, 0, 0,
     FAILED("\"" CHAT_HOST_MODEL " q4 webgpu\":\"x\""),
     LOAD_WITH(",\"device\":\"webgpu\""), "q4f16,q4,fp16,auto",
     "\"executionProvider\":\"webgpu\"", NULL,
     "{" MACHINE ",\"failed\":{\"" CHAT_HOST_MODEL " q4 webgpu\":null}}"},
    {CHAT_WEBGPU_NONE, 0, 0, 0, NULL, LOAD_WITH(",\"device\":\"webgpu\""), NULL,
     "\"there is no WebGPU here\"", NULL, NULL},
    {CHAT_WEBGPU_GOOD, 0, 4, 0, NULL, LOAD_WITH(",\"device\":\"wasm\""),
     "q8,q4,auto", "\"executionProvider\":\"wasm\",\"threads\":4", NULL, NULL},
    // What the store says makes no sense.
    {CHAT_WEBGPU_GOOD, 0, 0, 0, "[7]", LOAD, "q4f16,q4,fp16,auto",
     "\"executionProvider\":\"webgpu\"", NULL, NULL},
    {CHAT_WEBGPU_GOOD, 0, 0, 0, FAILED("\"" CHAT_HOST_MODEL " q4 webgpu\":7"),
     LOAD, "q4f16,q4,fp16,auto", "\"executionProvider\":\"webgpu\"", NULL,
     NULL},
};

// Notes what the order of the download wants; answers it.
static void run_noting(chat_host *host, char *dtypes, size_t size) {
  dtypes[0] = '\0';
  do {
    const char *text = host->order_count > 0 ? host->orders[0].text : "";
    const char *dtype = strstr(text, "\"dtype\":\"");
    if (strstr(text, "\"do\":\"download\"") != NULL && dtype != NULL) {
      dtype += strlen("\"dtype\":\"");
      (void)snprintf(dtypes, size, "%.*s", (int)strcspn(dtype, "\""), dtype);
    }
  } while (chat_host_step(host));
}

static void test_ladder(void) {
  for (size_t i = 0; i < sizeof(ladders) / sizeof(ladders[0]); i++) {
    const ladder *at = &ladders[i];
    char dtypes[64];
    chat_host host;
    memset(&host, 0, sizeof(host));
    CHECK_INT(chat_host_init(&host, CHAT_LLAMA), 0);
    host.webgpu = at->webgpu;
    host.has_no_f16 = at->has_no_f16;
    host.threads = at->threads;
    host.threads_fail = at->threads_fail;
    host.devices = at->devices;
    (void)chat_host_start(&host, at->load, NULL);
    run_noting(&host, dtypes, sizeof(dtypes));
    CHECK(strcmp(dtypes, at->dtypes == NULL ? "" : at->dtypes) == 0);
    expect(host.last, at->end);
    if (at->warning == NULL) {
      expect_not(host.last, "\"warning\"");
    } else {
      expect(host.last, "\"warning\":\"");
      expect(host.last, at->warning);
    }
    if (at->patch == NULL) {
      CHECK(host.patch == NULL);
    } else {
      expect(host.patch, at->patch);
    }
    chat_host_free(&host);
  }
}

// What is asked of the memory itself.
static void test_memory(void) {
  tam_mem mem = tam_mem_default();
  tam_json_node *memory = NULL;
  tam_device_case what = {TAM_SPAN("m"), TAM_SPAN("a/b"), TAM_SPAN("q4")};
  CHECK(tam_device_memory_find(NULL, &what, TAM_RUNG_WEBGPU) == NULL);
  CHECK_INT(tam_json_tree_parse(
                &memory,
                TAM_SPAN("{\"machine\":\"m\",\"failed\":{\"a/b q4 wasm\":\"w\","
                         "\"a/b q4 webgpu\":\"g\"}}"),
                &mem),
            0);
  CHECK(strcmp(tam_device_memory_find(memory, &what, TAM_RUNG_WASM), "w") == 0);
  CHECK(strcmp(tam_device_memory_find(memory, &what, TAM_RUNG_WEBGPU), "g") ==
        0);
  CHECK(tam_device_memory_find(memory, &what, TAM_RUNG_THREADS) == NULL);
  tam_json_tree_free(memory, &mem);
}

// So many failures that the oldest would not be found: all are forgotten.
static void test_too_many_failures(void) {
  char devices[8192];
  size_t len = (size_t)snprintf(devices, sizeof(devices),
                                "{" MACHINE ",\"failed\":{\"a\":\"x\"");
  for (int i = 1; i < TAM_DEVICE_MEMORY_MAX; i++) {
    len += (size_t)snprintf(devices + len, sizeof(devices) - len,
                            ",\"b%d\":\"x\"", i);
  }
  (void)snprintf(devices + len, sizeof(devices) - len, "}}");
  chat_host host;
  memset(&host, 0, sizeof(host));
  CHECK_INT(chat_host_init(&host, CHAT_LLAMA), 0);
  host.webgpu = CHAT_WEBGPU_FAILS;
  host.devices = devices;
  expect(chat_host_do(&host, LOAD, NULL), LOADED);
  expect(host.patch, "\"a\":null,");
  expect(host.patch, "\"b63\":null,\"" CHAT_HOST_MODEL " q4 webgpu\":\"Error");
  chat_host_free(&host);
}

#define STATUS(failed)                                                         \
  "\"action\":\"noteLoad\",\"params\":{\"modelId\":\"" CHAT_HOST_MODEL         \
  "\",\"dtype\":\"q4\",\"failed\":" failed "}"

// A load that fails says so in the store before it ends; one that succeeds
// takes it back. What has nothing to do with the model is not its failure.
static void test_status(void) {
  chat_host host;
  memset(&host, 0, sizeof(host));
  CHECK_INT(chat_host_init(&host, CHAT_LLAMA), 0);
  host.fail_text = "\"do\":\"tokenizer\"";
  host.fail_words = "Error: it is broken";
  const char *last = chat_host_do(&host, LOAD, NULL);
  expect(last, CODE("runtime_failed"));
  expect(last, "\"stage\":\"tokenizer\"");
  expect(last, "it is broken");
  expect(host.status, STATUS("true"));
  CHECK_INT(host.thing_count, 0);
  host.fail_text = NULL;
  expect(chat_host_do(&host, LOAD, NULL), LOADED);
  expect(host.status, STATUS("false"));
  chat_host_free(&host);
}

static void test_no_status(void) {
  static const char *const loads[] = {
      MESSAGE("load", "\"modelId\":5"),
      LOAD, // of which nobody has found out the dtype
      LOAD_WITH(",\"dtype\":\"auto\""),
  };
  for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
    chat_host host;
    memset(&host, 0, sizeof(host));
    CHECK_INT(chat_host_init(&host, CHAT_LLAMA), 0);
    host.fail_text = "\"do\":\"download\"";
    host.fail_words = "offline: no network";
    expect(chat_host_do(&host, loads[i], NULL), "\"load:error\"");
    CHECK(host.status == NULL);
    chat_host_free(&host);
  }
}

// Begins a load that fails, up to where that is to be noted.
static uint32_t load_until_noted(chat_host *host) {
  memset(host, 0, sizeof(*host));
  CHECK_INT(chat_host_init(host, CHAT_LLAMA), 0);
  host->fail_text = "\"do\":\"tokenizer\"";
  host->fail_words = "Error: it is broken";
  uint32_t op = chat_host_start(host, LOAD, NULL);
  while (host->order_count > 0 &&
         strstr(host->orders[0].text, "noteLoad") == NULL) {
    (void)chat_host_step(host);
  }
  return op;
}

// The store does not answer, or fails: the load ends with its own error.
static void test_status_lost(void) {
  chat_host host;
  uint32_t op = load_until_noted(&host);
  CHECK_INT(host.order_count, 1);
  CHECK(chat_host_end_of(&host, op) == NULL);
  host.host.now_ms += 9999;
  tam_event timer = {.kind = TAM_EVENT_TIMER};
  CHECK_INT(fake_host_feed(&host.host, &timer), 0);
  CHECK(chat_host_end_of(&host, op) == NULL);
  host.host.now_ms += 1;
  CHECK_INT(fake_host_feed(&host.host, &timer), 0);
  expect(chat_host_end_of(&host, op), "it is broken");
  host.fail_text = NULL;
  expect(chat_host_do(&host, LOAD, NULL), LOADED);
  chat_host_free(&host);
}

static void test_cancel_while_noting(void) {
  chat_host host;
  uint32_t op = load_until_noted(&host);
  chat_host_cancel(&host, op);
  expect(chat_host_end_of(&host, op), CODE("cancelled"));
  CHECK_INT(host.thing_count, 0);
  chat_host_free(&host);
}

int main(void) {
  RUN(test_ladder);
  RUN(test_memory);
  RUN(test_too_many_failures);
  RUN(test_status);
  RUN(test_no_status);
  RUN(test_status_lost);
  RUN(test_cancel_while_noting);
  return check_finish();
}
