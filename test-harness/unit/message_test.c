// SPDX-License-Identifier: Apache-2.0
// The envelope of a request: both styles, every name, ids of every kind.
#include "protocol/message.h"

#include "check.h"

typedef struct wanted {
  const char *text;
  int error;
  tam_request_name name;
  int is_type_style;
  const char *id;
  int params_are_nested;
} wanted;

static const wanted cases[] = {
    {"{\"action\":\"listChatModels\",\"id\":\"x\",\"params\":{}}", 0,
     TAM_REQUEST_LIST_CHAT_MODELS, 0, "\"x\"", 1},
    {"{\"type\":\"listChatModels\",\"id\":17}", 0, TAM_REQUEST_LIST_CHAT_MODELS,
     1, "17", 0},
    {"{\"action\":\"cancelLoad\"}", 0, TAM_REQUEST_CANCEL_LIST_CHAT_MODELS, 0,
     "null", 0},
    {"{\"action\":\"cancelLoadChatModels\",\"id\":null}", 0,
     TAM_REQUEST_CANCEL_LIST_CHAT_MODELS, 0, "null", 0},
    {"{\"type\":\"cancelListChatModels\",\"id\":1.5}", 0,
     TAM_REQUEST_CANCEL_LIST_CHAT_MODELS, 1, "1.5", 0},
    // A number comes back as it was written.
    {"{\"id\":{},\"x\":[{\"id\":2}],\"id\":1,\"action\":\"listChatModels\","
     "\"id\":0.7231945830912345}",
     0, TAM_REQUEST_LIST_CHAT_MODELS, 0, "0.7231945830912345", 0},
    {"{\"action\":\"listChatModels\",\"id\":-12345678901234567890e+5}", 0,
     TAM_REQUEST_LIST_CHAT_MODELS, 0, "-12345678901234567890e+5", 0},
    {"{\"action\":\"x\",\"id\":1.0000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000001}",
     TAM_ERR_MALFORMED_MESSAGE, 0, 0, "", 0},
    {"{\"action\":\"ListChatModels\",\"id\":\"\"}", 0, TAM_REQUEST_UNKNOWN, 0,
     "\"\"", 0},
    // With both, the newer name counts.
    {"{\"type\":\"x\",\"action\":\"listChatModels\"}", 0,
     TAM_REQUEST_LIST_CHAT_MODELS, 0, "null", 0},
    {"{\"action\":\"listChatModels\",\"id\":\"a\\\"\\u00e4\\n\"}", 0,
     TAM_REQUEST_LIST_CHAT_MODELS, 0, "\"a\\\"\xc3\xa4\\u000a\"", 0},
    {"{\"action\":null}", TAM_ERR_MALFORMED_MESSAGE, 0, 0, "null", 0},
    {"{\"id\":1}", TAM_ERR_MALFORMED_MESSAGE, 0, 1, "1", 0},
    {"{\"action\":\"x\",\"id\":true}", TAM_ERR_MALFORMED_MESSAGE, 0, 0, "", 0},
    {"\"listChatModels\"", TAM_ERR_MALFORMED_MESSAGE, 0, 0, "", 0},
    {"", TAM_ERR_JSON_TRUNCATED, 0, 0, "", 0},
    {"{\"action\":}", TAM_ERR_JSON_SYNTAX, 0, 0, "", 0},
};

static void check_case(const wanted *expected) {
  check_heap heap = {0};
  tam_mem mem = check_heap_mem(&heap);
  tam_message message;
  const char *why = "";
  CHECK_INT(
      tam_message_parse(&message, tam_span_of(expected->text), &why, &mem),
      expected->error);
  CHECK(tam_span_eq(tam_buf_span(&message.id), tam_span_of(expected->id)));
  if (expected->error == 0) {
    CHECK_INT(message.name, expected->name);
    CHECK_INT(message.envelope.is_type_style, expected->is_type_style);
    CHECK_INT(message.params_are_nested, expected->params_are_nested);
  } else {
    CHECK(why[0] != '\0');
  }
  tam_message_free(&message, &mem);
  CHECK_INT(heap.live, 0);
}

static void test_envelopes(void) {
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    check_case(&cases[i]);
  }
}

// An id comes back in every message: it has a cap.
static void test_long_ids(void) {
  static const struct {
    size_t len;
    int error;
  } ids[] = {{510, 0}, {511, TAM_ERR_MALFORMED_MESSAGE}};
  for (size_t i = 0; i < 2; i++) {
    char text[600] = "{\"action\":\"x\",\"id\":\"";
    size_t at = strlen(text);
    memset(text + at, 'i', ids[i].len);
    strcpy(text + at + ids[i].len, "\"}");
    tam_mem mem = tam_mem_default();
    tam_message message;
    const char *why = "";
    CHECK_INT(tam_message_parse(&message, tam_span_of(text), &why, &mem),
              ids[i].error);
    tam_message_free(&message, &mem);
  }
}

static void test_memory_may_be_short(void) {
  int error = TAM_ERR_OUT_OF_MEMORY;
  for (size_t i = 1; error != 0; i++) {
    check_heap heap = {.fail_at = i, .fail_after = 1};
    tam_mem mem = check_heap_mem(&heap);
    tam_message message;
    const char *why = "";
    error = tam_message_parse(&message, tam_span_of(cases[0].text), &why, &mem);
    CHECK(error == 0 || error == TAM_ERR_OUT_OF_MEMORY);
    tam_message_free(&message, &mem);
    CHECK_INT(heap.live, 0);
  }
}

int main(void) {
  RUN(test_envelopes);
  RUN(test_long_ids);
  RUN(test_memory_may_be_short);
  return check_finish();
}
