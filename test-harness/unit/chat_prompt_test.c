// SPDX-License-Identifier: Apache-2.0
// Chats on their way into the template: forms of input, system prompts, scraped
// pages, what is dropped when it is too long, and failing allocations.
#include "chat/prompt.h"

#include "chat/json_walk.h"

#include "core/names.h"

#include "check.h"

static tam_prompt prompt;

// Reads |text| in pieces of |step| bytes.
static int read(tam_span text, const tam_prompt_setup *setup, size_t step,
                const tam_mem *mem) {
  int error = 0;
  tam_prompt_init(&prompt, mem);
  for (size_t at = 0; at < text.len && error == 0; at += step) {
    tam_span piece = tam_span_head(tam_span_from(text, at), step);
    error = tam_prompt_feed(&prompt, piece);
  }
  return error != 0 ? error : tam_prompt_end(&prompt, setup);
}

static const tam_prompt_setup plain = {.policy = TAM_PROMPT_ERROR};

static tam_span written(const tam_mem *mem) {
  static tam_buf json;
  if (mem == NULL) {
    tam_buf_free(&json);
    return TAM_SPAN_NONE;
  }
  tam_buf_free(&json);
  tam_buf_init(&json, mem, 1 << 24);
  tam_prompt_write(&prompt, &json);
  return tam_buf_span(&json);
}

typedef struct prompt_case {
  tam_prompt_setup setup;
  const char *text;
  const char *messages;
} prompt_case;

#define HI         "{\"role\":\"user\",\"content\":\"hi\"}"
#define PART(text) "{\"type\":\"text\",\"text\":\"" text "\"}"

static const prompt_case cases[] = {
    {{.json = 0}, "[" HI "]", "[" HI "]"},
    {{.json = 0}, " [ " HI " , " HI " ] ", "[" HI "," HI "]"},
    {{.json = 0}, "\"hi\"", "[" HI "]"},
    {{.json = 0}, HI, "[" HI "]"},
    // Nothing is decoded, nothing is lost.
    {{.json = 0},
     "[{\"x\": 1.50 ,\"role\":\"user\",\"content\":\"\\u0000\\ud800\\/\"}]",
     "[{\"x\": 1.50 "
     ",\"role\":\"user\",\"content\":\"\\u0000\\ud800\\/\"}]"},
    {{.json = 0},
     "[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{}]},"
     "{\"role\":\"tool\"}," HI "]",
     "[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{}]},"
     "{\"role\":\"tool\"}," HI "]"},
    // Parts.
    {{.json = 0},
     "[{\"role\":\"user\",\"content\": [ " PART("a\\u0000\\\"") " , " PART(
         "") "," PART("b") "] ,\"x\":1}]",
     "[{\"role\":\"user\",\"content\": \"a\\u0000\\\"\\n\\nb\" ,\"x\":1}]"},
    {{.json = 0},
     "{\"role\":\"user\",\"content\":[]}",
     "[{\"role\":\"user\",\"content\":\"\"}]"},
    {{.json = 0},
     "[{\"role\":\"user\",\"content\":[" PART(
         "{\\\"links\\\":[],\\\"content\\\":\\\"c\\\"}") "]}]",
     "[{\"role\":\"user\",\"content\":\"Title: Untitled\\nURL: \\nContent: "
     "c\"}]"},
    // A template that wants nothing but parts.
    {{.system = {(const uint8_t *)"Be kind.", 8}, .with_parts = 1},
     "[{\"role\":\"user\",\"content\":[" PART("a") " , " PART(
         "b") "],\"x\":1},{\"role\":\"assistant\",\"content\":null}," HI "]",
     "[{\"role\":\"system\",\"content\":[" PART(
         "Be kind.") "]},{\"role\":"
                     "\"user\","
                     "\"content\":"
                     "[" PART("a") " , " PART("b") "],"
                                                   "\"x\""
                                                   ":1},{"
                                                   "\"rol"
                                                   "e\":"
                                                   "\"ass"
                                                   "istan"
                                                   "t\","
                                                   "\"con"
                                                   "tent"
                                                   "\":"
                                                   "null}"
                                                   ","
                                                   "{\"ro"
                                                   "le\":"
                                                   "\"use"
                                                   "r\","
                                                   "\"con"
                                                   "tent"
                                                   "\":"
                                                   "[" PART("h"
                                                            "i") "]}]"},
    // A system prompt.
    {{.system = {(const uint8_t *)"Be \"kind\".", 10}, .with_default = 1},
     "\"hi\"",
     "[{\"role\":\"system\",\"content\":\"Be \\\"kind\\\".\"}," HI "]"},
    {{.system = {(const uint8_t *)" \n", 2}, .with_default = 1},
     "\"hi\"",
     "[" HI "]"},
    {{.system = {(const uint8_t *)"Be kind.", 8}, .with_default = 1},
     "[{\"content\":\"x\",\"r\\u006fle\":\"system\"}," HI "]",
     "[{\"content\":\"x\",\"r\\u006fle\":\"system\"}," HI "]"},
    {{.system = {(const uint8_t *)"Be kind.", 8}, .with_default = 1},
     "[{\"role\":\"developer\"}," HI "]",
     "[{\"role\":\"developer\"}," HI "]"},
    // Scraped pages.
    {{.json = 0},
     "[{\"role\":\"user\",\"content\":\"{\\\"title\\\":\\\"T "
     "\\\\\\\"q\\\\\\\"\\\","
     "\\\"url\\\":\\\"http://x\\\",\\\"text\\\":\\\"a\\\\nb\\\\ud800\\\","
     "\\\"wordCount\\\":2}\",\"id\":7}]",
     "[{\"role\":\"user\",\"content\":\"Title: T \\\"q\\\"\\nURL: "
     "http://x\\n"
     "Content: a\\nb\\ud800\",\"id\":7}]"},
    {{.json = 0},
     "[{\"role\":\"user\",\"content\":\" ```json\\n{\\\"method\\\":"
     "\\\"tempTabExecuteScript\\\",\\\"content\\\":\\\"c\\ud83d\\ude00\\\"}"
     "\\n"
     "``` \"}]",
     "[{\"role\":\"user\",\"content\":\"Title: Untitled\\nURL: \\nContent: "
     "c\\ud83d\\ude00\"}]"},
    {{.json = 0},
     "\"{\\\"links\\\":[],\\\"text\\\":\\\"\\\","
     "\\\"content\\\":\\\"c\\\"}\"",
     "[{\"role\":\"user\",\"content\":\"Title: Untitled\\nURL: \\nContent: "
     "c\"}]"},
    // JSON that is no scraper's, and what only looks like JSON.
    {{.json = 0},
     "[{\"role\":\"user\",\"content\":\"{\\\"title\\\":\\\"T\\\"}\"}]",
     "[{\"role\":\"user\",\"content\":\"{\\\"title\\\":\\\"T\\\"}\"}]"},
    {{.json = 0},
     "[{\"role\":\"user\",\"content\":\"{\\\"wordCount\\\":0,\\\"links\\\":"
     "null,"
     "\\\"images\\\":false,\\\"segments\\\":\\\"\\\"}\"}]",
     "[{\"role\":\"user\",\"content\":\"{\\\"wordCount\\\":0,\\\"links\\\":"
     "null,"
     "\\\"images\\\":false,\\\"segments\\\":\\\"\\\"}\"}]"},
    {{.json = 0},
     "\"{\\\"links\\\":[1] and so on}\"",
     "[{\"role\":\"user\",\"content\":\"{\\\"links\\\":[1] and so on}\"}]"},
    {{.json = 0},
     "\"```json\"",
     "[{\"role\":\"user\",\"content\":\"```json\"}]"},
};

static void test_cases(void) {
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (size_t step = 1; step < 200; step++) {
      check_heap heap = {0};
      tam_mem mem = check_heap_mem(&heap);
      CHECK_INT(read(tam_span_of(cases[i].text), &cases[i].setup, step, &mem),
                0);
      tam_span text = written(&mem);
      if (!tam_span_eq(text, tam_span_of(cases[i].messages))) {
        printf("%s:\n%.*s\n", cases[i].text, (int)text.len,
               (const char *)text.ptr);
        CHECK(0);
      }
      CHECK_INT(tam_prompt_fit(&prompt, 5, 5), 0);
      written(NULL);
      tam_prompt_free(&prompt);
      CHECK_INT(heap.live, 0);
    }
  }
}

// What is no text is named by its place and its type.
static void test_parts_that_are_no_text(void) {
  static const struct {
    const char *part;
    const char *type;
  } parts[] = {
      {"{\"type\":\"image_url\",\"image_url\":{\"url\":\"x\"}}",
       "\"image_url\""},
      {"{\"type\":\"image\",\"text\":\"a\"}", "\"image\""},
      {"{\"type\":\"text\",\"text\":5}", "\"text\""},
      {"{\"type\":7,\"text\":\"a\"}", "7"},
      {"{}", ""},
      {"{\"text\":\"a\"}", ""},
      {"\"a\"", ""},
      {"7", ""},
      {"null", ""},
      {"[\"a\"]", ""},
  };
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    check_heap heap = {0};
    tam_mem mem = check_heap_mem(&heap);
    char text[256];
    snprintf(text, sizeof(text),
             "[" HI ",{\"role\":\"user\",\"content\":[" PART("a") ",%s," PART(
                 "b") "]}]",
             parts[i].part);
    CHECK_INT(read(tam_span_of(text), &plain, 1000, &mem),
              TAM_ERR_INVALID_PARAMS);
    CHECK_INT(prompt.problem_index, 1);
    CHECK_INT(prompt.has_flaw, 1);
    CHECK_INT(prompt.flaw.index, 1);
    CHECK(tam_span_eq(prompt.flaw.type, tam_span_of(parts[i].type)));
    tam_prompt_free(&prompt);
    CHECK_INT(heap.live, 0);
  }
}

static void test_own_system_prompts(void) {
  tam_mem mem = tam_mem_default();
  tam_prompt_setup setup = {
      .system = TAM_SPAN("Be kind."), .with_default = 1, .json = 1};
  CHECK_INT(read(TAM_SPAN("\"hi\""), &setup, 9, &mem), 0);
  CHECK(tam_span_starts_with(
      written(&mem), TAM_SPAN("[{\"role\":\"system\",\"content\":\"Be kind."
                              "\\u000a\\u000aReply with one JSON object")));
  tam_prompt_free(&prompt);
  setup.system = TAM_SPAN(" ");
  CHECK_INT(read(TAM_SPAN("\"hi\""), &setup, 9, &mem), 0);
  CHECK(tam_span_starts_with(
      written(&mem), TAM_SPAN("[{\"role\":\"system\",\"content\":\"Reply with "
                              "one JSON object")));
  tam_prompt_free(&prompt);
  setup = (tam_prompt_setup){.with_default = 1};
  CHECK_INT(read(TAM_SPAN("\"hi\""), &setup, 9, &mem), 0);
  CHECK(tam_span_starts_with(
      written(&mem),
      TAM_SPAN("[{\"role\":\"system\",\"content\":\"You are a helpful")));
  tam_prompt_free(&prompt);
  written(NULL);
}

// In JSON mode a chat that has its own system prompt hears of it, too.
static void test_json_behind_own_system(void) {
  static const char start[] =
      "[{\"role\":\"system\",\"content\":\"Be \\u0000kind.\\n\\nReply with "
      "one JSON object";
  static const char end[] = "\",\"name\":\"x\"},{\"role\":\"system\","
                            "\"content\":\"y\"}," HI "]";
  tam_mem mem = tam_mem_default();
  tam_prompt_setup setup = {
      .system = TAM_SPAN("unused"), .with_default = 1, .json = 1};
  for (size_t step = 1; step < 60; step++) {
    CHECK_INT(
        read(TAM_SPAN("[{\"role\":\"system\",\"content\":\"Be \\u0000kind."
                      "\",\"name\":\"x\"},{\"role\":\"system\","
                      "\"content\":\"y\"}," HI "]"),
             &setup, step, &mem),
        0);
    CHECK(tam_span_starts_with(written(&mem), TAM_SPAN(start)));
    CHECK(tam_span_ends_with(written(&mem), TAM_SPAN(end)));
    CHECK_INT(tam_json_check(written(&mem)), 0);
    tam_prompt_free(&prompt);
  }
  // What is no text is left alone.
  CHECK_INT(read(TAM_SPAN("[{\"role\":\"system\",\"content\":5}," HI "]"),
                 &setup, 9, &mem),
            0);
  CHECK_SPAN(written(&mem), "[{\"role\":\"system\",\"content\":5}," HI "]");
  tam_prompt_free(&prompt);
  CHECK_INT(read(TAM_SPAN("[{\"role\":\"system\",\"content\":[" PART(
                     "Be") "," PART("kind.") "]}," HI "]"),
                 &setup, 9, &mem),
            0);
  CHECK(tam_span_starts_with(
      written(&mem),
      TAM_SPAN("[{\"role\":\"system\",\"content\":\"Be\\nkind.\\n"
               "\\nReply with one JSON object")));
  tam_prompt_free(&prompt);
  // Where lists are wanted, only this one becomes another.
  setup.with_parts = 1;
  CHECK_INT(
      read(TAM_SPAN("[{\"role\":\"system\",\"content\":[" PART("Be") "," PART(
               "kind.") "]},{\"role\":\"user\","
                        "\"content\":[" PART("a") "," PART("b") "]}]"),
           &setup, 9, &mem),
      0);
  CHECK(tam_span_starts_with(
      written(&mem),
      TAM_SPAN("[{\"role\":\"system\",\"content\":[{\"type\":\"text\","
               "\"text\":\"Be\\nkind.\\n\\nReply with one JSON object")));
  CHECK(tam_span_ends_with(
      written(&mem), TAM_SPAN("\"}]},{\"role\":\"user\",\"content\":[" PART(
                         "a") "," PART("b") "]}]")));
  tam_prompt_free(&prompt);
  written(NULL);
}

static void test_errors(void) {
  static const struct {
    const char *text;
    int error;
    size_t index;
  } bad[] = {
      {"", TAM_ERR_JSON_TRUNCATED, 0},
      {"[", TAM_ERR_JSON_TRUNCATED, 0},
      {"[" HI "]]", TAM_ERR_JSON_SYNTAX, 0},
      {"\"\xff\"", TAM_ERR_JSON_UTF8, 0},
      {"7", TAM_ERR_INVALID_PARAMS, 0},
      {"[]", TAM_ERR_INVALID_PARAMS, 0},
      {"{}", TAM_ERR_INVALID_PARAMS, 0},
      {"[" HI ",7]", TAM_ERR_INVALID_PARAMS, 1},
      {"[" HI "," HI ",{\"role\":3}]", TAM_ERR_INVALID_PARAMS, 2},
      {"[{\"role\":\"system\",\"content\":\"x\"}]", TAM_ERR_INVALID_PARAMS, 1},
      {"{\"role\":\"system\",\"content\":\"x\"}", TAM_ERR_INVALID_PARAMS, 1},
  };
  tam_mem mem = tam_mem_default();
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    CHECK_INT(read(tam_span_of(bad[i].text), &plain, 3, &mem), bad[i].error);
    if (bad[i].error == TAM_ERR_INVALID_PARAMS) {
      CHECK(prompt.problem != NULL);
      CHECK_INT(prompt.problem_index, bad[i].index);
    }
    tam_prompt_free(&prompt);
  }
}

static void test_caps(void) {
  tam_mem mem = tam_mem_default();
  size_t len = TAM_PROMPT_BYTES_MAX + 1;
  uint8_t *text = malloc(len);
  memset(text, 'x', len);
  text[0] = '"';
  text[len - 2] = '"';
  CHECK_INT(read((tam_span){text, len}, &plain, 65536, &mem),
            TAM_ERR_TOO_LARGE);
  tam_prompt_free(&prompt);
  CHECK_INT(read((tam_span){text, len - 1}, &plain, 65536, &mem), 0);
  tam_prompt_free(&prompt);

  static const char one[] = "{\"role\":\"user\"},";
  size_t one_len = sizeof(one) - 1;
  len = 1;
  text[0] = '[';
  for (size_t i = 0; i <= TAM_PROMPT_MESSAGES_MAX; i++, len += one_len) {
    memcpy(text + len, one, one_len);
  }
  text[len - 1] = ']';
  CHECK_INT(read((tam_span){text, len}, &plain, 65536, &mem),
            TAM_ERR_TOO_LARGE);
  tam_prompt_free(&prompt);
  free(text);
}

// ---------------------------------------------------------------------------
// Too long. Here a message is a letter, capitals are the user's; its tokens are
// 10 for each, and the letters that are left are looked at.

#define TOKENS_EACH 10

static void read_letters(const char *letters, tam_prompt_policy policy,
                         const tam_mem *mem) {
  tam_buf text;
  tam_prompt_setup setup = {.policy = policy};
  tam_buf_init(&text, mem, 1 << 20);
  tam_buf_append_byte(&text, '[');
  for (const char *at = letters; *at != 0; at++) {
    tam_buf_append_text(&text, at == letters ? "" : ",");
    tam_buf_append_text(&text, "{\"role\":\"");
    tam_buf_append_text(&text, *at == 's'   ? "system"
                               : *at == 't' ? "tool"
                               : *at >= 'a' ? "assistant"
                                            : "user");
    tam_buf_append_text(&text, "\",\"content\":\"");
    tam_buf_append_byte(&text, (uint8_t)*at);
    tam_buf_append_text(&text, "\"}");
  }
  tam_buf_append_byte(&text, ']');
  CHECK_INT(read(tam_buf_span(&text), &setup, 1000, mem), 0);
  tam_buf_free(&text);
}

// Stores the letters that are written into |out|.
static size_t letters_left(const tam_mem *mem, char *out) {
  static const char mark[] = "\"content\":\"";
  tam_span json = written(mem);
  size_t count = 0;
  for (size_t at = 0; at + sizeof(mark) <= json.len; at++) {
    tam_span rest = tam_span_from(json, at);
    if (tam_span_starts_with(rest, TAM_SPAN(mark))) {
      out[count++] = (char)rest.ptr[sizeof(mark) - 1];
    }
  }
  out[count] = 0;
  return count;
}

// Fits |letters| into room for |room| messages. Returns the last answer.
static int fit(const char *letters, tam_prompt_policy policy, size_t room,
               char *left, size_t *prounds) {
  tam_mem mem = tam_mem_default();
  int result;
  read_letters(letters, policy, &mem);
  *prounds = 0;
  do {
    size_t count = letters_left(&mem, left);
    CHECK_INT(tam_prompt_dropped(&prompt), strlen(letters) - count);
    result = tam_prompt_fit(&prompt, count * TOKENS_EACH, room * TOKENS_EACH);
    ++*prounds;
  } while (result > 0 && *prounds < 100);
  tam_prompt_free(&prompt);
  written(NULL);
  return result;
}

typedef struct fit_case {
  const char *letters;
  tam_prompt_policy policy;
  size_t room;
  int result;
  const char *left;
} fit_case;

#define OVERFLOW TAM_ERR_CONTEXT_OVERFLOW

static const fit_case fits[] = {
    {"AbCdE", TAM_PROMPT_ERROR, 5, 0, "AbCdE"},
    {"AbCdE", TAM_PROMPT_ERROR, 4, OVERFLOW, "AbCdE"},
    {"AbCdE", TAM_PROMPT_DROP_OLDEST, 5, 0, "AbCdE"},
    {"AbCdE", TAM_PROMPT_DROP_OLDEST, 4, 0, "CdE"},
    {"AbCdE", TAM_PROMPT_DROP_OLDEST, 2, 0, "E"},
    {"AbCdE", TAM_PROMPT_DROP_OLDEST, 0, OVERFLOW, "E"},
    {"sAbCdE", TAM_PROMPT_DROP_OLDEST, 4, 0, "sCdE"},
    {"sAbCdE", TAM_PROMPT_DROP_OLDEST, 1, OVERFLOW, "sE"},
    {"sAbtbCdEf", TAM_PROMPT_DROP_OLDEST, 6, 0, "sCdEf"},
    {"abCdE", TAM_PROMPT_DROP_OLDEST, 3, 0, "CdE"},
    {"AsBsC", TAM_PROMPT_DROP_OLDEST, 3, 0, "ssC"},
    {"A", TAM_PROMPT_DROP_OLDEST, 0, OVERFLOW, "A"},
    {"AbCdEfGhI", TAM_PROMPT_MIDDLE_OUT, 7, 0, "AbCdGhI"},
    {"AbCdEfGhI", TAM_PROMPT_MIDDLE_OUT, 6, 0, "AbGhI"},
    {"AbCdEfGhI", TAM_PROMPT_MIDDLE_OUT, 3, 0, "AbI"},
    {"AbCdEfGhI", TAM_PROMPT_MIDDLE_OUT, 1, 0, "I"},
    {"AbCdEfGhI", TAM_PROMPT_MIDDLE_OUT, 0, OVERFLOW, "I"},
    {"AbC", TAM_PROMPT_MIDDLE_OUT, 2, 0, "C"},
    {"sAbC", TAM_PROMPT_MIDDLE_OUT, 2, 0, "sC"},
};

static void test_fitting(void) {
  for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
    char left[100];
    size_t rounds;
    CHECK_INT(fit(fits[i].letters, fits[i].policy, fits[i].room, left, &rounds),
              fits[i].result);
    if (strcmp(left, fits[i].left) != 0) {
      printf("%s in %zu: %s\n", fits[i].letters, fits[i].room, left);
      CHECK(0);
    }
  }
}

// However long the chat is: the least possible is dropped, in few rounds.
static void test_fitting_long_chats(void) {
  enum { TURNS = 500 };
  static char letters[TURNS + 1];
  static char left[TURNS + 1];
  memset(letters, 'A', TURNS);
  for (size_t room = 1; room < TURNS; room += 7) {
    for (int policy = TAM_PROMPT_DROP_OLDEST; policy <= TAM_PROMPT_MIDDLE_OUT;
         policy++) {
      size_t rounds;
      CHECK_INT(fit(letters, (tam_prompt_policy)policy, room, left, &rounds),
                0);
      CHECK_INT(strlen(left), room);
      CHECK(rounds <= 5);
    }
  }
}

// The longest chat there may be, of messages of every length: the template is
// run a few times, whatever has to go. Tokens are as many as bytes of text by
// three, and five for each message.
static void test_few_rounds(void) {
  enum { MESSAGES = 16000 };
  static const size_t rooms[] = {300, 4000, 100000, 400000, 700000};
  tam_mem mem = tam_mem_default();
  for (size_t i = 0; i < 10; i++) {
    tam_buf text;
    uint32_t random = 7;
    tam_prompt_setup setup = {.policy = i < 5 ? TAM_PROMPT_DROP_OLDEST
                                              : TAM_PROMPT_MIDDLE_OUT};
    tam_buf_init(&text, &mem, TAM_PROMPT_BYTES_MAX);
    for (size_t j = 0; j < MESSAGES; j++) {
      random = random * 1664525U + 1013904223U;
      tam_buf_append_text(&text, j == 0 ? "[" : ",");
      tam_buf_append_text(
          &text, j % 2 == 0 ? "{\"role\":\"user\",\"content\":\""
                            : "{\"role\":\"assistant\",\"content\":\"");
      for (uint32_t k = random >> 24; k > 0; k--) {
        tam_buf_append_byte(&text, 'x');
      }
      tam_buf_append_text(&text, "\"}");
    }
    tam_buf_append_byte(&text, ']');
    CHECK_INT(read(tam_buf_span(&text), &setup, 65536, &mem), 0);
    int rounds = 0;
    int result;
    size_t tokens;
    do {
      tam_span json = written(&mem);
      tokens = 0;
      for (size_t at = 0; at < json.len; at++) {
        tokens += json.ptr[at] == '{' ? 5 * 3 : json.ptr[at] == 'x';
      }
      tokens /= 3;
      result = tam_prompt_fit(&prompt, tokens, rooms[i % 5]);
      rounds++;
    } while (result > 0);
    CHECK_INT(result, 0);
    CHECK(tokens <= rooms[i % 5] && tokens + 200 > rooms[i % 5]);
    CHECK(rounds <= 6);
    tam_prompt_free(&prompt);
    tam_buf_free(&text);
  }
  written(NULL);
}

// Counts that do not follow from what is written: it still ends.
static void test_wavering_counts(void) {
  tam_mem mem = tam_mem_default();
  uint32_t random = 1;
  for (int i = 0; i < 1000; i++) {
    int rounds = 0;
    int result;
    read_letters("AbCdEfGhIjKlMnOpQrStU",
                 i % 2 == 0 ? TAM_PROMPT_DROP_OLDEST : TAM_PROMPT_MIDDLE_OUT,
                 &mem);
    do {
      random = random * 1664525U + 1013904223U;
      result = tam_prompt_fit(&prompt, random >> 31, 0);
      rounds++;
    } while (result > 0 && rounds < 100);
    CHECK(result == 0 || result == OVERFLOW);
    tam_prompt_free(&prompt);
  }
}

static void test_policy_names(void) {
  CHECK_INT(tam_names_find(TAM_PROMPT_POLICIES, TAM_SPAN("error")),
            TAM_PROMPT_ERROR);
  CHECK_INT(tam_names_find(TAM_PROMPT_POLICIES, TAM_SPAN("dropOldest")),
            TAM_PROMPT_DROP_OLDEST);
  CHECK_INT(tam_names_find(TAM_PROMPT_POLICIES, TAM_SPAN("middleOut")),
            TAM_PROMPT_MIDDLE_OUT);
  CHECK_INT(tam_names_find(TAM_PROMPT_POLICIES, TAM_SPAN("other")), -1);
}

static void test_failing_allocations(void) {
  static const char *const texts[] = {
      "[" HI ",{\"role\":\"user\",\"content\":\"{\\\"links\\\":1}\"}]",
      "\"{\\\"links\\\":1}\"", "\"hi\"",
      "{\"role\":\"user\",\"content\":[" PART("a") "," PART("b") "]}"};
  tam_prompt_setup setup = {.with_default = 1};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    int error = TAM_ERR_OUT_OF_MEMORY;
    for (size_t fail_at = 1; error != 0; fail_at++) {
      check_heap heap = {0};
      tam_mem mem = check_heap_mem(&heap);
      heap.fail_at = fail_at;
      error = read(tam_span_of(texts[i]), &setup, 10, &mem);
      CHECK(error == 0 || error == TAM_ERR_OUT_OF_MEMORY);
      CHECK((error != 0) == (heap.allocations >= fail_at));
      CHECK(fail_at < 100);
      tam_prompt_free(&prompt);
      CHECK_INT(heap.live, 0);
    }
  }
}

int main(void) {
  RUN(test_cases);
  RUN(test_parts_that_are_no_text);
  RUN(test_own_system_prompts);
  RUN(test_json_behind_own_system);
  RUN(test_errors);
  RUN(test_caps);
  RUN(test_fitting);
  RUN(test_fitting_long_chats);
  RUN(test_few_rounds);
  RUN(test_wavering_counts);
  RUN(test_policy_names);
  RUN(test_failing_allocations);
  return check_finish();
}
