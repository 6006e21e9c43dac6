// SPDX-License-Identifier: Apache-2.0
// The operations of the chat on a made-up runtime. The input is a program:
// requests, answers of the runtime, which may fail or be none, texts in pieces,
// time, cancels, failures of memory, stored files, and events of any kind.
// While it runs fake_host.h says what must hold after every event, and
// chat_host.h holds every run of the network to caches of its own, unless the
// host itself has told lies. Afterwards, when nothing is in the way any more,
// the model loads and its answer is the right one.
#include "../unit/panel_world.h"
#include "fuzz_input.h"

// Orders in a run; beyond it the run is not going anywhere.
#define ORDERS_MAX 2000

// Things that are done in one go.
#define RUN_MAX 32

// A message or a file that a step brings along.
#define TEXT_MAX 2048

// Those of commands, but for OUTSIDE, which is about files.
#define FLAGS                                                                  \
  (TAM_COMMAND_FLAG_LISTING | TAM_COMMAND_FLAG_QUIET |                         \
   TAM_COMMAND_FLAG_BROADCAST | TAM_COMMAND_FLAG_MORE |                        \
   TAM_COMMAND_FLAG_JOURNAL)

typedef struct program {
  fuzz_input input;
  chat_host host;
} program;

// ---------------------------------------------------------------------------
// Steps

static const char *const messages[] = {
    LOAD,
    LOAD_WITH(",\"device\":\"webgpu\",\"loadId\":\"x\""),
    LOAD_WITH(",\"dtype\":\"q8\",\"revision\":\"main\""),
    STOP,
    RESET,
    STATE,
    MESSAGE("updateSettings", "\"settings\":{\"top_k\":5}"),
    ASK("\"max_new_tokens\":4"),
    ASK_WITH("\"max_new_tokens\":4", ",\"chatId\":\"a\""),
    ASK_WITH("\"max_new_tokens\":4", ",\"chatId\":\"b\",\"tools\":[{}]"),
    ASK("\"max_new_tokens\":4,\"num_beams\":3,\"num_return_sequences\":2"),
    ASK("\"max_new_tokens\":4,\"do_sample\":true,\"seed\":5,"
        "\"num_return_sequences\":3"),
    ASK("\"max_new_tokens\":4,\"guidance_scale\":1.5,\"output_scores\":true"),
    ASK("\"max_new_tokens\":9,\"stop_strings\":[\"ab\",\"b\"],"
        "\"max_time\":1"),
    ASK("\"max_new_tokens\":9,\"json_mode\":true,\"system_prompt\":\"x\""),
    ASK_WITH("\"max_new_tokens\":4,\"use_cache\":false",
             ",\"overflow\":\"dropOldest\""),
    ASK_WITH("\"max_length\":20", ",\"overflow\":\"middleOut\""),
    "{\"type\":\"generate\",\"id\":\"x\",\"chatId\":\"a\"}",
};

// What a panel says. In a list of its own: the place in the one above is part
// of the format of the corpus.
static const char *const panel_messages[] = {
    PANEL("init", "\"modelId\":\"" CHAT_HOST_MODEL
                  "\",\"dtype\":\"onnx/model_q4.onnx\",\"loadId\":\"x\""),
    PANEL("loadModel",
          "\"modelId\":\"" CHAT_HOST_MODEL "\",\"dtype\":\"quantized\""),
    PANEL("restoreLastState",
          "\"lastLoadedModel\":" LAST ",\"lastChatSessionId\":\"x\""),
    PANEL("restoreLastState", "\"lastLoadedModel\":" LAST ",\"loading\":" LAST),
    PANEL("generate", "\"chatId\":\"c\",\"messageId\":\"m\",\"options\":{"
                      "\"max_new_tokens\":3,\"system_prompt\":\"s\"},"
                      "\"messages\":" HELLO),
    PANEL("sendChatMessage", "\"input\":\"x\",\"options\":{\"num_beams\":2,"
                             "\"max_new_tokens\":3,\"system_prompt\":\"s\"}"),
    BARE("stopGeneration"),
    BARE("interrupt"),
    BARE("reset"),
    BARE("clearCache"),
    BARE("getModelWorkerState"),
    BARE("checkBackgroundReady"),
    PANEL("setEnvConfig", "\"a\":[1]"),
    PANEL("requestMemoryStats", ""),
    PANEL("uiConnected", "\"senderId\":\"a\",\"context\":\"MainUI\""),
    PANEL("uiConnected", "\"senderId\":\"b\",\"context\":\"MainUIPopup\""),
    PANEL("uiDisconnected", "\"senderId\":\"a\""),
    PANEL("uiPong", "\"senderId\":\"a\""),
    PANEL("tabagent:configure",
          "\"unloadAfterIdleMs\":100,\"unloadGraceMs\":0"),
    BARE("tabagent:memoryPressure"),
    BARE("DbWorkerError"),
    "{\"type\":\"init\",\"payload\":[]}",
};

static const char *const chats[] = {
    HELLO,
    "[" USER("hello") "," ASSISTANT("hi") "," USER("and") "]",
    "[" USER("hello") "," ASSISTANT("other") "," USER("and") "]",
    "\"just a text\"",
    "[]",
    "[{\"role\":\"user\"",
};

static void step_start(program *run) {
  size_t kind =
      take_byte(&run->input) % (sizeof(messages) / sizeof(messages[0]));
  size_t chat = take_byte(&run->input) % (sizeof(chats) / sizeof(chats[0]) + 1);
  (void)chat_host_start(&run->host, messages[kind],
                        chat == 0 ? NULL : chats[chat - 1]);
}

// A message of any kind; its text may follow in pieces.
static void step_command(program *run) {
  char text[TEXT_MAX + 1];
  unsigned flags = take_byte(&run->input);
  tam_span message = take_text(&run->input, TEXT_MAX);
  tam_text_copy((uint8_t *)text, message);
  text[message.len] = '\0';
  (void)chat_host_command(&run->host, text, flags & FLAGS);
}

// The next piece of the message that was sent last.
static void step_piece(program *run) {
  uint8_t copy[TEXT_MAX];
  unsigned flags = take_byte(&run->input);
  tam_span text = take_text(&run->input, TEXT_MAX);
  tam_text_copy(copy, text);
  tam_event event = {.kind = TAM_EVENT_COMMAND,
                     .op = run->host.last_op,
                     .flags = flags & FLAGS,
                     .payload = {copy, text.len}};
  if (run->host.last_op != 0) {
    (void)fake_host_feed(&run->host.host, &event);
  }
}

static void step_panel(program *run) {
  size_t kind = take_byte(&run->input) %
                (sizeof(panel_messages) / sizeof(panel_messages[0]));
  (void)chat_host_command(&run->host, panel_messages[kind],
                          TAM_COMMAND_FLAG_BROADCAST);
}

static void step_timer(program *run) {
  fake_host *host = &run->host.host;
  double wait = tam_manager_deadline(host->manager, host->now_ms);
  tam_event event = {.kind = TAM_EVENT_TIMER};
  if (wait >= 0) {
    host->now_ms += wait;
    (void)fake_host_feed(host, &event);
  }
}

static void step_text(program *run) {
  uint32_t op = take_byte(&run->input) + 1;
  tam_span text = take_text(&run->input, TEXT_MAX);
  (void)chat_host_text(&run->host, op, (const char *)text.ptr, text.len);
}

static void step_text_end(program *run) {
  (void)chat_host_text(&run->host, take_byte(&run->input) + 1, NULL, 0);
}

static void step_one(program *run) {
  (void)chat_host_step(&run->host);
}

static void step_many(program *run) {
  for (unsigned left = take_byte(&run->input) % RUN_MAX; left > 0; left--) {
    (void)chat_host_step(&run->host);
  }
}

static void step_failure(program *run) {
  static const char *const words[] = {"Error: broken", "out_of_memory: x",
                                      "device_lost: x", "cancelled: x", ""};
  unsigned kind = take_byte(&run->input);
  run->host.fail_words = words[kind % 5];
  run->host.fail_all = (kind & 8) != 0;
  run->host.fail_order = (kind & 16) != 0 ? 0 : run->host.done + 1 + kind / 32;
}

// From the lie on, the engine cannot know what is so.
static void step_lie(program *run) {
  unsigned kind = take_byte(&run->input);
  run->host.is_hostile = 1;
  run->host.lie = (chat_lie)(kind % CHAT_LIE_COUNT);
  run->host.lie_order = run->host.done + 1 + kind / 32;
}

static void step_cancel(program *run) {
  chat_host_cancel(&run->host, take_byte(&run->input) + 1);
}

static void step_knobs(program *run) {
  unsigned knobs = take_byte(&run->input);
  run->host.piece = take_byte(&run->input) * 4;
  run->host.seed = take_byte(&run->input);
  run->host.is_late = (knobs & 1) != 0;
  run->host.latency_ms = (double)(knobs >> 4) * 50;
}

static void step_script(program *run) {
  static int32_t tokens[TEXT_MAX];
  tam_span text = take_text(&run->input, TEXT_MAX);
  for (size_t i = 0; i < text.len; i++) {
    tokens[i] = text.ptr[i] == 0xff   ? CHAT_THINK
                : text.ptr[i] == 0xfe ? CHAT_THINK_END
                                      : text.ptr[i];
  }
  run->host.script = tokens;
  run->host.script_len = text.len;
}

static void step_memory(program *run) {
  check_heap *heap = &run->host.host.heap;
  unsigned kind = take_byte(&run->input);
  heap->fail_at = heap->allocations + 1 + kind / 2;
  heap->fail_after = (int)(kind & 1);
}

static void step_wait(program *run) {
  run->host.host.now_ms += 10.0 * take_short(&run->input);
}

static void step_file(program *run) {
  chat_host *host = &run->host;
  const chat_file *file =
      &host->files[take_byte(&run->input) % host->file_count];
  char path[sizeof(file->path)];
  tam_span bytes = take_text(&run->input, TEXT_MAX);
  memcpy(path, file->path, sizeof(path));
  if (host->thing_count == 0 && host->order_count == 0) {
    chat_host_set_file(host, path, bytes);
    host->is_hostile = 1; // the tests' splices are those of whole graphs
  }
}

// An event of any kind, about an order that waits for its answer or has had it.
static void step_anything(program *run) {
  chat_host *host = &run->host;
  unsigned kind = take_byte(&run->input);
  unsigned place = take_byte(&run->input);
  tam_event event = {.kind = (tam_event_kind)kind};
  event.op = take_byte(&run->input);
  event.status = take_short(&run->input);
  tam_span text = take_text(&run->input, TEXT_MAX);
  uint8_t copy[TEXT_MAX];
  tam_text_copy(copy, text);
  event.payload = (tam_span){copy, text.len};
  if (host->order_count > 0) {
    event.request = host->orders[place % host->order_count].request;
  } else if (host->thing_count > 0) {
    event.request = host->things[place % host->thing_count].request;
  }
  if (event.kind != TAM_EVENT_COMMAND) {
    host->is_hostile = 1;
    (void)fake_host_feed(&host->host, &event);
  }
}

// The order is part of the format of the corpus: new steps go to the end.
static void (*const steps[])(program *) = {
    step_start,    step_one,     step_many,   step_failure,  step_lie,
    step_cancel,   step_knobs,   step_script, step_memory,   step_wait,
    step_anything, step_command, step_text,   step_text_end, step_file,
    step_panel,    step_piece,   step_timer,
};

// ---------------------------------------------------------------------------

// Takes everything out of the way.
static void clear(chat_host *host) {
  host->host.heap.fail_after = 0;
  host->host.heap.fail_at = 0;
  host->fail_order = 0;
  host->lie = CHAT_LIE_NONE;
  host->is_late = 0;
  host->piece = 0;
  host->script = NULL;
  host->has_no_template = 0;
  if (host->host.command_of != 0) {
    chat_host_cancel(host, host->host.command_of);
  }
  // Nobody finds that the model is not needed.
  (void)chat_host_command(
      host,
      PANEL("tabagent:configure",
            "\"unloadAfterIdleMs\":null,\"unloadGraceMs\":null"),
      0);
  for (uint32_t op = 1; op <= host->last_op; op++) {
    (void)chat_host_text(host, op, NULL, 0); // what else would it wait for
  }
}

static void require(const chat_host *host, const char *part) {
  if (strstr(host->last, part) == NULL) {
    fprintf(stderr, "%s\n", host->last);
    fake_host_broken(part);
  }
}

// Whatever has happened, a fresh load works; what it gives depends on nothing
// that was before.
static void check_end(program *run) {
  chat_host *host = &run->host;
  clear(host);
  chat_host_run(host);
  (void)chat_host_do(host, RESET, NULL);
  require(host, "\"reset:done\"");
  if (host->thing_count != 0) {
    fake_host_broken("a reset releases everything");
  }
  chat_host_put_files(host);
  host->is_hostile = 0;
  (void)chat_host_do(host, LOAD, NULL);
  require(host, LOADED);
  int before = check_failures;
  check_greedy(host, chat_host_do(host, ASK("\"max_new_tokens\":3"), HELLO),
               HELLO, 3);
  if (check_failures != before) {
    fake_host_broken("an answer is right");
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  program run;
  memset(&run, 0, sizeof(run));
  run.input = (fuzz_input){data, size};
  unsigned kind = take_byte(&run.input);
  CHECK_INT(chat_host_init(&run.host, (chat_kind)(kind % CHAT_KIND_COUNT)), 0);
  run.host.webgpu = (chat_webgpu)(kind / 8 % 4);
  run.host.has_no_template = kind / 32 == 7;
  while (run.input.left > 0 && run.host.done < ORDERS_MAX) {
    steps[take_byte(&run.input) % (sizeof(steps) / sizeof(steps[0]))](&run);
  }
  check_end(&run);
  chat_host_free(&run.host);
  return 0;
}
