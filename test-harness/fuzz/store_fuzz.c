// SPDX-License-Identifier: Apache-2.0
// The operations of the store, on a storage and a Hub in memory. The input is a
// program: commands, answers in some order, faults of both, damage to what is
// stored, time, cancels, failures of memory, and events of any kind. While it
// runs fake_host.h says what must hold after every event. Afterwards, when
// nothing is in the way any more, a download must succeed and the right bytes
// must be served, whatever is stored, unless the host itself has told lies.
#include "../unit/store_model.h"
#include "fuzz_input.h"

// Orders in a run; beyond it the run is not going anywhere.
#define ORDERS_MAX 5000

// Things that are done in one go.
#define RUN_MAX 32

// A message that a step brings along.
#define TEXT_MAX 2048

static const char *const commits[] = {
    "1111111111111111111111111111111111111111",
    "2222222222222222222222222222222222222222",
};

typedef struct program {
  fuzz_input input;
  store_host host;
  hub_fault fault; // of the next request for a file
} program;

// ---------------------------------------------------------------------------
// Steps

static void step_start(program *run) {
  static const char *const messages[] = {
      PLAN,
      DOWNLOAD,
      VERIFY,
      LOOK,
      DELETE,
      CHECK_UPDATE,
      UPDATE,
      ROLLBACK,
      PIN,
      UNPIN,
      MODELS,
      STORAGE,
      FETCH(GRAPH),
      FETCH("config.json"),
      FETCH("none.json"),
      FETCH_WITH(GRAPH, ",\"range\":\"bytes=100-\""),
      FETCH_WITH(GRAPH, ",\"onlyCached\":true"),
      FETCH_WITH(GRAPH, ",\"method\":\"HEAD\",\"hfToken\":\"hf_x\""),
      MESSAGE("download", MODEL_MEMBER ",\"dtype\":\"fp32\",\"priority\":1"),
      MESSAGE("download", MODEL_MEMBER ",\"dtype\":\"q8\""),
      MESSAGE("deleteModel", MODEL_MEMBER ",\"dtype\":\"q4\""),
      MESSAGE("plan", MODEL_MEMBER ",\"revision\":\"" STORE_HOST_COMMIT "\""),
      "{\"type\":\"download\",\"id\":\"x\"," MODEL_MEMBER "}",
      "{\"type\":\"plan\",\"id\":\"x\",\"modelId\":7}",
      OPEN(GRAPH),
      OPEN_WITH(GRAPH, ",\"verify\":false"),
      OPEN_WITH("config.json", ",\"repair\":false"),
  };
  size_t kind =
      take_byte(&run->input) % (sizeof(messages) / sizeof(messages[0]));
  (void)store_host_start(&run->host, messages[kind]);
}

static void step_command(program *run) {
  char text[TEXT_MAX];
  tam_span message =
      tam_span_head(take_text(&run->input, SIZE_MAX), sizeof(text) - 1);
  tam_text_copy((uint8_t *)text, message);
  text[message.len] = '\0';
  run->host.is_hostile = 1; // the message may be none
  (void)store_host_start(&run->host, text);
}

static void step_one(program *run) {
  (void)store_host_step(&run->host);
}

static void step_many(program *run) {
  for (unsigned left = take_byte(&run->input) % RUN_MAX; left > 0; left--) {
    (void)store_host_step(&run->host);
  }
}

static void step_fault(program *run) {
  run->fault = (hub_fault)(take_byte(&run->input) % HUB_FAULT_COUNT);
}

static void step_api_fault(program *run) {
  run->host.api_fault = (hub_fault)(take_byte(&run->input) % HUB_FAULT_COUNT);
}

static void step_storage_fault(program *run) {
  static const char *const words[] = {"QuotaExceededError: full",
                                      "ClosedError: gone", "x"};
  unsigned kind = take_byte(&run->input);
  run->host.fail_words = words[kind % 3];
  run->host.fail_all = (kind & 4) != 0;
  run->host.fail_order =
      (kind & 8) != 0 ? 0 : run->host.storage_orders + 1 + (kind >> 4);
}

// Does something to an entry of the storage.
static void step_damage(program *run) {
  store_host *host = &run->host;
  unsigned place = take_byte(&run->input);
  unsigned kind = take_byte(&run->input);
  unsigned at = take_short(&run->input);
  if (host->entry_count == 0) {
    return;
  }
  stored_entry *entry = &host->entries[place % host->entry_count];
  stored_entry *other = &host->entries[at % host->entry_count];
  uint8_t *bytes = entry->bytes;
  size_t size = entry->size;
  switch (kind % 6) {
  case 0:
    if (size > 0) {
      bytes[at % size] ^= (uint8_t)(1U << (kind >> 5));
    }
    break;
  case 1:
    entry->size = size > 0 ? at % size : 0;
    break;
  case 2:
    store_host_delete(host, entry->store, entry->key);
    break;
  case 3: // another entry's contents
    entry->bytes = other->bytes;
    entry->size = other->size;
    other->bytes = bytes;
    other->size = size;
    break;
  case 4:
    entry->is_content = !entry->is_content;
    break;
  default:
    store_host_put(host, "files",
                   (kind & 8) != 0 ? STORE_HOST_MODEL "/x_chunk_99999999999"
                                   : "tabagent:revision/" STORE_HOST_MODEL "@",
                   TAM_SPAN("?"), (kind & 16) != 0);
  }
}

static void step_cancel(program *run) {
  tam_event event = {.kind = TAM_EVENT_CANCEL, .op = take_byte(&run->input)};
  (void)fake_host_feed(&run->host.host, &event);
}

static void step_pull(program *run) {
  tam_event event = {.kind = TAM_EVENT_PULL, .op = take_byte(&run->input)};
  (void)fake_host_feed(&run->host.host, &event);
}

static void step_knobs(program *run) {
  run->host.piece = take_short(&run->input);
  run->host.piece += run->host.piece > 0 ? 63 : 0;
  run->host.order = take_byte(&run->input);
  run->host.tree_page = take_byte(&run->input) % 5;
  run->host.latency_ms = take_byte(&run->input);
}

static void step_memory(program *run) {
  check_heap *heap = &run->host.host.heap;
  unsigned kind = take_byte(&run->input);
  heap->fail_after = (kind & 1) != 0 && (kind & 2) == 0;
  heap->fail_at =
      (kind & 2) != 0 ? SIZE_MAX : heap->allocations + 1 + (kind >> 2);
}

static void step_offline(program *run) {
  run->host.is_offline = take_byte(&run->input) & 1;
}

static void step_commit(program *run) {
  store_host *host = &run->host;
  unsigned seed = take_byte(&run->input);
  if (host->commit_count < STORE_HOST_COMMITS_MAX) {
    store_host_add_commit(host, commits[host->commit_count - 1]);
    store_host_add_file(host, (seed & 1) != 0 ? "config.json" : GRAPH,
                        300 + seed, seed, (seed & 2) != 0);
  }
}

static void step_wait(program *run) {
  run->host.host.now_ms += 10.0 * take_short(&run->input);
}

static void step_quota(program *run) {
  run->host.quota = (double)take_short(&run->input) - 1;
}

// An event of any kind, about a request that waits for its answer.
static void step_anything(program *run) {
  tam_event event = {.kind = (tam_event_kind)take_byte(&run->input)};
  size_t place = take_byte(&run->input);
  event.op = take_byte(&run->input);
  event.status = take_short(&run->input);
  event.payload = take_text(&run->input, SIZE_MAX);
  if (run->host.order_count > 0) {
    event.request = run->host.orders[place % run->host.order_count].request;
  }
  if (event.kind != TAM_EVENT_COMMAND) {
    run->host.is_hostile = 1;
    (void)fake_host_feed(&run->host.host, &event);
  }
}

// The order is part of the format of the corpus: new steps go to the end.
static void (*const steps[])(program *) = {
    step_start,         step_one,     step_many,   step_fault, step_api_fault,
    step_storage_fault, step_damage,  step_cancel, step_pull,  step_knobs,
    step_memory,        step_offline, step_commit, step_wait,  step_quota,
    step_anything,      step_command,
};

// ---------------------------------------------------------------------------

static hub_fault next_fault(store_host *host, const char *url, unsigned nth) {
  program *run = (program *)(void *)((uint8_t *)host - offsetof(program, host));
  hub_fault fault = run->fault;
  (void)url;
  (void)nth;
  run->fault = HUB_FAULT_NONE;
  return fault;
}

static void require(const store_host *host, int kept, const char *promise) {
  if (!kept) {
    fprintf(stderr, "%s\n", host->last);
    fake_host_broken(promise);
  }
}

// Takes everything out of the way.
static void clear(store_host *host) {
  host->host.heap.fail_after = 0;
  host->host.heap.fail_at = SIZE_MAX;
  host->api_fault = HUB_FAULT_NONE;
  host->fault = NULL;
  host->fail_order = 0;
  host->is_offline = 0;
  host->piece = 0;
  host->quota = 1e12;
}

static void check_end(program *run) {
  store_host *host = &run->host;
  clear(host);
  store_host_run(host);
  require(host, tam_manager_busy(host->host.manager) == 0,
          "operations come to their end");
  if (host->is_hostile) {
    return;
  }
  require(host, strstr(store_host_do(host, DOWNLOAD), ":done\"") != NULL,
          "what is stored does not keep a download from succeeding");
  const hub_file *file = hub_file_of(host, GRAPH);
  require(host, strstr(store_host_do(host, FETCH(GRAPH)), "\"file\"") != NULL,
          "what was downloaded is served");
  (void)file;
  for (size_t i = 0; i < host->commit_count; i++) {
    file = store_host_find_file(&host->commits[i], GRAPH);
    if (host->served_len == file->size &&
        memcmp(host->served, file->bytes, file->size) == 0) {
      return;
    }
  }
  fake_host_broken("what is served is the file of some commit");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static program run; // it is large
  memset(&run, 0, sizeof(run));
  run.input = (fuzz_input){data, size};
  int is_large = take_byte(&run.input) == 1; // in two chunks: that takes long
  model_begin(&run.host, is_large ? MIB + 100 : 1000);
  if (is_large) {
    use_small_chunks(&run.host);
  }
  run.host.fault = next_fault;
  while (run.input.left > 0 &&
         run.host.storage_orders + run.host.fetches < ORDERS_MAX) {
    steps[take_byte(&run.input) % (sizeof(steps) / sizeof(steps[0]))](&run);
  }
  check_end(&run);
  store_host_free(&run.host);
  return 0;
}
