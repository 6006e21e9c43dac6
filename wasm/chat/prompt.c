// SPDX-License-Identifier: Apache-2.0
// A unit is what is dropped together: a message of the user and all up to the
// next one, so that roles still alternate. System messages are in none.
#include "chat/prompt.h"

#include "chat/json_walk.h"
#include "chat/scraped_content.h"
#include "core/json_write.h"

#include <string.h>

#define NO_UNIT SIZE_MAX

typedef struct message {
  tam_span raw;
  tam_span content;    // a part of |raw|, when it is replaced
  size_t rewritten_at; // by that part of |rewritten|
  size_t rewritten_len;
  size_t unit;
} message;

static const char normal_prompt[] =
    "You are a helpful assistant that runs on the user's own computer.\n"
    "Answer a simple question directly. For a question that needs thought, "
    "reason step by step and put the result into <answer></answer>.\n"
    "\n"
    "Question: What is the capital of France?\n"
    "Paris.\n"
    "\n"
    "Question: A train goes 120 km in 1.5 hours. How fast is it?\n"
    "Speed is distance divided by time: 120 km / 1.5 h = 80 km/h.\n"
    "<answer>80 km/h</answer>\n"
    "\n"
    "Be direct and concise. Use lists where they help. When you do not know "
    "something, say so.";

static const char json_prompt[] =
    "Reply with one JSON object and nothing else: no other text, no code "
    "fence. Its members are \"data\", the answer, and \"error\", null or a "
    "text "
    "that says why there is no answer.\n"
    "Success: {\"data\": {\"capital\": \"Paris\"}, \"error\": null}\n"
    "Failure: {\"data\": null, \"error\": \"The text names no city.\"}";

void tam_prompt_init(tam_prompt *prompt, const tam_mem *mem) {
  memset(prompt, 0, sizeof(*prompt));
  tam_buf_init(&prompt->text, mem, TAM_PROMPT_BYTES_MAX);
  tam_buf_init(&prompt->list, mem, TAM_PROMPT_MESSAGES_MAX * sizeof(message));
  tam_buf_init(&prompt->rewritten, mem, TAM_PROMPT_BYTES_MAX);
  tam_buf_init(&prompt->system, mem, TAM_PROMPT_BYTES_MAX);
}

void tam_prompt_free(tam_prompt *prompt) {
  tam_buf_free(&prompt->text);
  tam_buf_free(&prompt->list);
  tam_buf_free(&prompt->rewritten);
  tam_buf_free(&prompt->system);
}

int tam_prompt_feed(tam_prompt *prompt, tam_span piece) {
  tam_buf_append(&prompt->text, piece);
  return prompt->text.error;
}

static size_t message_count(const tam_prompt *prompt) {
  return prompt->list.len / sizeof(message);
}

static const message *message_at(const tam_prompt *prompt, size_t index) {
  return (const message *)(const void *)prompt->list.data + index;
}

// ---------------------------------------------------------------------------
// Reading

static int has_problem(tam_prompt *prompt, const char *problem) {
  prompt->problem = problem;
  prompt->problem_index = message_count(prompt);
  return TAM_ERR_INVALID_PARAMS;
}

static int is_string(tam_span value) {
  return value.len > 0 && value.ptr[0] == '"';
}

static int is_list(tam_span value) {
  return value.len > 0 && value.ptr[0] == '[';
}

static void append_message(tam_prompt *prompt, const message *one) {
  tam_buf_append(&prompt->list, (tam_span){(const uint8_t *)one, sizeof(*one)});
}

// Finds out in which unit a message of |role| is; the first system message is
// noted in |*phas_system|.
static size_t unit_of(tam_prompt *prompt, tam_span role, int *phas_system) {
  if (tam_json_raw_is(role, "system") || tam_json_raw_is(role, "developer")) {
    *phas_system = 1;
    return NO_UNIT;
  }
  if (prompt->units == 0 || tam_json_raw_is(role, "user")) {
    prompt->units++;
  }
  return prompt->units - 1;
}

// Returns what the content of |one| is in the prompt.
static tam_span content_of(const tam_prompt *prompt, const message *one) {
  tam_span all = tam_buf_span(&prompt->rewritten);
  return one->rewritten_len == 0
             ? one->content
             : tam_span_head(tam_span_from(all, one->rewritten_at),
                             one->rewritten_len);
}

// In JSON mode, adds the sentence about it to the chat's own system prompt.
static void add_json_prompt(tam_prompt *prompt, message *one) {
  tam_buf text;
  tam_buf_init(&text, prompt->text.mem, TAM_PROMPT_BYTES_MAX);
  tam_json_write_string(&text, tam_span_of(json_prompt));
  if (one->rewritten_len == 0) {
    tam_buf_append(&prompt->rewritten, one->content);
  }
  if (prompt->rewritten.error == 0 && text.error == 0) {
    prompt->rewritten.len--; // the quotation mark at the end
    tam_buf_append_text(&prompt->rewritten, "\\n\\n");
    tam_buf_append(&prompt->rewritten, tam_span_from(tam_buf_span(&text), 1));
  } else if (prompt->rewritten.error == 0) {
    prompt->rewritten.error = text.error;
  }
  one->rewritten_len = prompt->rewritten.len - one->rewritten_at;
  tam_buf_free(&text);
}

// A list of texts becomes one text, and what a scraper returned three lines.
// With |keeps_list| a list is only looked at.
static int rewrite_content(tam_prompt *prompt, message *one, int keeps_list,
                           tam_buf *scratch) {
  tam_buf joined;
  tam_span text = one->content;
  int error = 0;
  tam_buf_init(&joined, prompt->text.mem, TAM_PROMPT_BYTES_MAX);
  if (is_list(text)) {
    error = tam_content_parts_join(text, &joined, &prompt->flaw);
    text = keeps_list ? TAM_SPAN_NONE : tam_buf_span(&joined);
  }
  if (error != 0) {
    prompt->has_flaw = 1;
    error = has_problem(prompt, "is not text: nothing else is read");
  } else if (joined.error != 0) {
    error = joined.error;
  } else if (is_string(text) &&
             !tam_scraped_content_rewrite(text, scratch, &prompt->rewritten)) {
    tam_buf_append(&prompt->rewritten, tam_buf_span(&joined));
  }
  one->rewritten_len = prompt->rewritten.len - one->rewritten_at;
  tam_buf_free(&joined);
  return error;
}

static int add_message(tam_prompt *prompt, tam_span raw, tam_buf *scratch,
                       int *phas_system) {
  if (raw.len == 0 || raw.ptr[0] != '{') {
    return has_problem(prompt, "is not an object");
  }
  tam_span role = tam_json_walk_member(raw, "role");
  if (!is_string(role)) {
    return has_problem(prompt, "has no role");
  }
  int had_system = *phas_system;
  message one = {raw, tam_json_walk_member(raw, "content"),
                 prompt->rewritten.len, 0, unit_of(prompt, role, phas_system)};
  int is_json = prompt->is_json && *phas_system && !had_system;
  int error =
      rewrite_content(prompt, &one, prompt->with_parts && !is_json, scratch);
  if (is_json && is_string(content_of(prompt, &one))) {
    add_json_prompt(prompt, &one);
  }
  append_message(prompt, &one);
  return error != 0            ? error
         : scratch->error != 0 ? scratch->error
                               : prompt->list.error;
}

// What a user says, as a string of JSON, becomes a message: it is put into
// |rewritten| like the content of one that was filtered.
static int add_user_text(tam_prompt *prompt, tam_span text, tam_buf *scratch) {
  static const uint8_t raw[] = "{\"role\":\"user\",\"content\":\"\"}";
  tam_span whole = {raw, sizeof(raw) - 1};
  message one = {whole, {raw + whole.len - 3, 2}, 0, 0, 0};
  prompt->units = 1;
  if (!tam_scraped_content_rewrite(text, scratch, &prompt->rewritten)) {
    tam_buf_append(&prompt->rewritten, text);
  }
  one.rewritten_len = prompt->rewritten.len;
  append_message(prompt, &one);
  return scratch->error != 0 ? scratch->error : prompt->list.error;
}

static int add_messages(tam_prompt *prompt, tam_buf *scratch,
                        int *phas_system) {
  tam_json_walk walk;
  tam_span key;
  tam_span value;
  tam_span text = tam_span_trim(tam_buf_span(&prompt->text));
  if (text.ptr[0] == '"') {
    return add_user_text(prompt, text, scratch);
  }
  if (!is_list(text)) {
    return add_message(prompt, text, scratch, phas_system);
  }
  int error = 0;
  tam_json_walk_begin(&walk, text);
  while (error == 0 && tam_json_walk_next(&walk, &key, &value)) {
    error = add_message(prompt, value, scratch, phas_system);
  }
  return error;
}

static void write_system_text(tam_span text, int with_parts, tam_buf *json) {
  tam_json_write_key(json, "content");
  if (!with_parts) {
    tam_json_write_string(json, text);
    return;
  }
  tam_json_write_array_begin(json);
  tam_json_write_object_begin(json);
  tam_json_write_name_member(json, "type", "text");
  tam_json_write_string_member(json, "text", text);
  tam_json_write_object_end(json);
  tam_json_write_array_end(json);
}

// The system prompt of the settings, and behind it that of JSON mode.
static void add_system(tam_prompt *prompt, const tam_prompt_setup *setup) {
  tam_buf text;
  tam_buf_init(&text, prompt->text.mem, TAM_PROMPT_BYTES_MAX);
  tam_buf_append(&text, setup->system);
  if (tam_span_trim(setup->system).len == 0) {
    tam_buf_reset(&text);
  }
  if (setup->json) {
    tam_buf_append_text(&text, text.len > 0 ? "\n\n" : "");
    tam_buf_append_text(&text, json_prompt);
  } else if (setup->system.len == 0 && setup->with_default) {
    tam_buf_append_text(&text, normal_prompt);
  }
  if (text.len > 0) {
    tam_json_write_object_begin(&prompt->system);
    tam_json_write_name_member(&prompt->system, "role", "system");
    write_system_text(tam_buf_span(&text), setup->with_parts, &prompt->system);
    tam_json_write_object_end(&prompt->system);
  }
  if (prompt->system.error == 0) {
    prompt->system.error = text.error;
  }
  tam_buf_free(&text);
}

int tam_prompt_end(tam_prompt *prompt, const tam_prompt_setup *setup) {
  tam_buf scratch;
  int has_system = 0;
  int error = tam_json_check(tam_buf_span(&prompt->text));
  if (error != 0) {
    return error;
  }
  prompt->policy = setup->policy;
  prompt->is_json = setup->json;
  prompt->with_parts = setup->with_parts;
  tam_buf_init(&scratch, prompt->text.mem, TAM_PROMPT_BYTES_MAX);
  error = add_messages(prompt, &scratch, &has_system);
  tam_buf_free(&scratch);
  if (error == 0 && prompt->units == 0) {
    error = has_problem(prompt, "is missing: only the system has spoken");
  }
  if (!has_system) {
    add_system(prompt, setup);
  }
  prompt->enough = prompt->units; // as many are never dropped: not known
  if (error == 0) {
    error = prompt->rewritten.error;
  }
  return error != 0 ? error : prompt->system.error;
}

// ---------------------------------------------------------------------------
// Writing

// Returns 1 when |unit| is among those that are dropped.
static int is_dropped(const tam_prompt *prompt, size_t unit) {
  size_t count = prompt->dropped;
  if (unit == NO_UNIT || count == 0 || unit + 1 == prompt->units) {
    return 0;
  }
  if (prompt->policy == TAM_PROMPT_DROP_OLDEST || count + 1 == prompt->units) {
    return unit < count;
  }
  // Of the turns between the first and the last one those in the middle.
  size_t inner = prompt->units - 2;
  size_t start = 1 + (inner - count) / 2;
  return unit >= start && unit < start + count;
}

static void write_message(const tam_prompt *prompt, const message *one,
                          tam_buf *json) {
  tam_span content = content_of(prompt, one);
  int is_wrapped = prompt->with_parts && is_string(content);
  if (one->rewritten_len == 0 && !is_wrapped) {
    tam_json_write_raw(json, one->raw);
    return;
  }
  size_t before = (size_t)(one->content.ptr - one->raw.ptr);
  tam_json_write_raw(json, tam_span_head(one->raw, before));
  if (is_wrapped) {
    tam_content_parts_wrap(content, json);
  } else {
    tam_buf_append(json, content);
  }
  tam_buf_append(json, tam_span_from(one->raw, before + one->content.len));
}

void tam_prompt_write(const tam_prompt *prompt, tam_buf *json) {
  tam_json_write_array_begin(json);
  if (prompt->system.len > 0) {
    tam_json_write_raw(json, tam_buf_span(&prompt->system));
  }
  for (size_t i = 0; i < message_count(prompt); i++) {
    if (!is_dropped(prompt, message_at(prompt, i)->unit)) {
      write_message(prompt, message_at(prompt, i), json);
    }
  }
  tam_json_write_array_end(json);
}

tam_span tam_prompt_last_text(const tam_prompt *prompt) {
  const message *last = message_at(prompt, message_count(prompt) - 1);
  tam_span text = content_of(prompt, last);
  return is_string(text) ? text : TAM_SPAN_NONE;
}

size_t tam_prompt_messages(const tam_prompt *prompt) {
  return message_count(prompt) + (prompt->system.len > 0);
}

size_t tam_prompt_dropped(const tam_prompt *prompt) {
  size_t count = 0;
  for (size_t i = 0; i < message_count(prompt); i++) {
    count += (size_t)is_dropped(prompt, message_at(prompt, i)->unit);
  }
  return count;
}

// ---------------------------------------------------------------------------
// Fitting. The least number of units whose loss is enough lies between
// |too_few| and |enough|; every round narrows that by at least one. Tokens are
// nearly as many as the bytes say; should that not hold, halving helps.

// Guesses by bytes that may go wrong before it is halved.
#define GUESSES_MAX 6

// Returns the bytes of what is written when |dropped| units are.
static double bytes_left(tam_prompt *prompt, size_t dropped) {
  double bytes = (double)prompt->system.len;
  prompt->dropped = dropped;
  for (size_t i = 0; i < message_count(prompt); i++) {
    const message *one = message_at(prompt, i);
    if (!is_dropped(prompt, one->unit)) {
      bytes +=
          (double)(one->rewritten_len > 0 ? one->rewritten_len : one->raw.len);
    }
  }
  return bytes;
}

// Returns the first number of units above |too_few|, and below |enough|, that
// by its bytes leaves at most |limit| tokens, when those that are dropped now
// leave |tokens|.
static size_t guess(tam_prompt *prompt, size_t tokens, size_t limit) {
  double most =
      bytes_left(prompt, prompt->dropped) * (double)limit / (double)tokens;
  size_t low = prompt->too_few + 1;
  size_t high = prompt->enough - 1;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (bytes_left(prompt, middle) <= most) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

int tam_prompt_fit(tam_prompt *prompt, size_t tokens, size_t limit) {
  size_t count = prompt->dropped;
  if (tokens > limit) {
    if (prompt->policy == TAM_PROMPT_ERROR || count + 1 >= prompt->units) {
      return TAM_ERR_CONTEXT_OVERFLOW;
    }
    prompt->too_few = count;
    if (prompt->enough <= count) { // it fitted before: the template wavers
      prompt->enough = prompt->units;
    }
  } else {
    prompt->enough = count;
    if (count == 0 || count == prompt->too_few + 1) {
      return 0;
    }
  }
  size_t gap = prompt->enough - prompt->too_few;
  if (gap == 1) {
    prompt->dropped = prompt->enough;
  } else if (prompt->rounds++ < GUESSES_MAX && tokens > 0) {
    prompt->dropped = guess(prompt, tokens, limit);
  } else {
    prompt->dropped = prompt->too_few + gap / 2;
  }
  return 1;
}
