// SPDX-License-Identifier: Apache-2.0
// The config digest: which members count, what the odd ones do, and that it
// does not matter how the document is cut.
#include "hub/config_scan.h"
#include "scan_pieces.h"

// A digest in a short form: its parts in a fixed order, absent ones left out.
typedef struct digest_text {
  char text[1024];
} digest_text;

static void put(digest_text *out, const char *name, tam_span value) {
  size_t len = strlen(out->text);
  if (value.len > 0) {
    snprintf(out->text + len, sizeof(out->text) - len, "%s=%.*s ", name,
             (int)value.len, (const char *)value.ptr);
  }
}

static void put_flag(digest_text *out, const char *name, int value) {
  put(out, name, value ? TAM_SPAN("1") : TAM_SPAN_NONE);
}

static digest_text text_of(const tam_config_digest *digest) {
  digest_text out = {""};
  put_flag(&out, "present", digest->present);
  put(&out, "type", digest->model_type);
  for (size_t i = 0; i < digest->architecture_count; i++) {
    put(&out, "arch", digest->architectures[i]);
  }
  put_flag(&out, "map", (digest->auto_map & TAM_AUTO_MAP_PRESENT) != 0);
  put_flag(&out, "causal", (digest->auto_map & TAM_AUTO_MAP_CAUSAL_LM) != 0);
  put_flag(&out, "seq2seq", (digest->auto_map & TAM_AUTO_MAP_SEQ2SEQ) != 0);
  put_flag(&out, "decoder", digest->is_decoder);
  put(&out, "text", digest->text_model_type);
  put(&out, "textarch", digest->text_architecture);
  return out;
}

static int feed(void *scan, tam_span piece) {
  return tam_config_scan_feed(scan, piece);
}

static void check_cut(tam_config_scan *scan, tam_span text, size_t first,
                      size_t step, const char *expected) {
  tam_config_digest digest;
  tam_config_scan_reset(scan);
  CHECK_INT(feed_pieces(feed, scan, text, first, step), 0);
  CHECK_INT(tam_config_scan_end(scan, &digest), 0);
  digest_text got = text_of(&digest);
  CHECK(strcmp(got.text, expected) == 0);
  CHECK(tam_config_scan_offset(scan) == (double)text.len);
}

// |json| gives |expected|, however it is cut, walked over or not.
static void check_digest(const char *json, const char *expected) {
  tam_mem mem = tam_mem_default();
  tam_config_scan *scan;
  tam_span text = tam_span_of(json);
  tam_span wide = padded(text);
  CHECK_INT(tam_config_scan_new(&scan, &mem), 0);
  for (size_t first = 1; first <= text.len; first++) {
    check_cut(scan, text, first, text.len, expected);
    check_cut(scan, wide, first, wide.len, expected);
  }
  check_cut(scan, text, 1, 1, expected);
  tam_config_scan_del(scan);
  free((void *)(uintptr_t)wide.ptr);
}

static void test_members_that_count(void) {
  check_digest(
      "{\"model_type\":\"llama\",\"architectures\":[\"LlamaForCausalLM\"]"
      ",\"vocab_size\":32000,\"rope\":{\"a\":[1,{}]}}",
      "present=1 type=llama arch=LlamaForCausalLM ");
  check_digest("{\"is_decoder\":true,\"is_encoder_decoder\":true}",
               "present=1 decoder=1 ");
  check_digest("{}", "present=1 ");
}

static void test_auto_map(void) {
  check_digest("{\"auto_map\":{\"AutoConfig\":\"a.B\","
               "\"AutoModelForCausalLM\":\"a.C\"}}",
               "present=1 map=1 causal=1 ");
  check_digest("{\"auto_map\":{\"AutoModelForSeq2SeqLM\":[null,{}]}}",
               "present=1 map=1 seq2seq=1 ");
  check_digest("{\"auto_map\":{}}", "present=1 map=1 ");
  check_digest("{\"auto_map\":\"AutoModelForCausalLM\"}", "present=1 ");
}

static void test_text_config(void) {
  check_digest("{\"model_type\":\"gemma3\",\"text_config\":{\"model_type\":"
               "\"gemma3_text\",\"architectures\":[\"A\",\"B\"],\"x\":[]}}",
               "present=1 type=gemma3 text=gemma3_text textarch=A ");
  check_digest("{\"text_config\":{\"text_config\":{\"model_type\":\"no\"}}}",
               "present=1 ");
  check_digest("{\"text_config\":[{\"model_type\":\"no\"}]}", "present=1 ");
}

static void test_architectures_as_a_single_name(void) {
  check_digest("{\"architectures\":\"BertModel\"}",
               "present=1 arch=BertModel ");
}

static void test_architectures_of_wrong_kinds_are_left_out(void) {
  check_digest("{\"architectures\":[null,\"\",[\"X\"],{\"Y\":1},7,\"Z\"]}",
               "present=1 arch=Z ");
}

static void test_architectures_beyond_the_cap_are_left_out(void) {
  check_digest("{\"architectures\":[\"A\",\"B\",\"C\",\"D\",\"E\"]}",
               "present=1 arch=A arch=B arch=C arch=D ");
}

static void test_the_last_of_equal_keys_wins(void) {
  check_digest("{\"model_type\":\"a\",\"model_type\":\"b\"}",
               "present=1 type=b ");
  check_digest("{\"model_type\":\"a\",\"model_type\":null}", "present=1 ");
  check_digest("{\"architectures\":[\"A\",\"B\"],\"architectures\":[\"C\"]}",
               "present=1 arch=C ");
  check_digest("{\"text_config\":{\"model_type\":\"a\"},\"text_config\":{}}",
               "present=1 ");
  check_digest("{\"auto_map\":{\"AutoModelForCausalLM\":1},\"auto_map\":null}",
               "present=1 ");
  check_digest("{\"is_decoder\":true,\"is_decoder\":\"true\"}", "present=1 ");
}

static void test_escapes_in_keys_and_names(void) {
  check_digest("{\"model\\u005ftype\":\"ll\\u0061ma\\n\"}",
               "present=1 type=llama\n ");
}

static void test_names_longer_than_the_cap_are_absent(void) {
  char json[TAM_CONFIG_NAME_MAX + 64];
  char expected[TAM_CONFIG_NAME_MAX + 64];
  char name[TAM_CONFIG_NAME_MAX + 2];
  memset(name, 'x', sizeof(name));
  name[TAM_CONFIG_NAME_MAX] = 0;
  snprintf(json, sizeof(json), "{\"model_type\":\"%s\"}", name);
  snprintf(expected, sizeof(expected), "present=1 type=%s ", name);
  check_digest(json, expected);
  name[TAM_CONFIG_NAME_MAX] = 'x';
  name[TAM_CONFIG_NAME_MAX + 1] = 0;
  snprintf(json, sizeof(json), "{\"model_type\":\"%s\"}", name);
  check_digest(json, "present=1 ");
}

static void test_pretty_printed(void) {
  check_digest(
      "\xef\xbb\xbf{\r\n  \"model_type\" : \"t5\" ,\n\t\"architectures\""
      ": [\n    \"T5Model\"\n  ]\n}\n",
      "present=1 type=t5 arch=T5Model ");
}

static void check_error(tam_span text, int error, double offset) {
  tam_mem mem = tam_mem_default();
  tam_config_scan *scan;
  tam_config_digest digest;
  CHECK_INT(tam_config_scan_new(&scan, &mem), 0);
  for (size_t first = 1; first <= text.len; first++) {
    tam_config_scan_reset(scan);
    feed_pieces(feed, scan, text, first, 1);
    CHECK_INT(tam_config_scan_end(scan, &digest), error);
    CHECK(tam_config_scan_offset(scan) == offset);
  }
  tam_config_scan_del(scan);
}

static void test_errors(void) {
  check_error(TAM_SPAN("{\"a\":NaN}"), TAM_ERR_JSON_SYNTAX, 5);
  check_error(TAM_SPAN("{\"a\":\"\xff\"}"), TAM_ERR_JSON_UTF8, 6);
  check_error(TAM_SPAN("{\"a\":1"), TAM_ERR_JSON_TRUNCATED, 6);
  check_error(TAM_SPAN("[{\"model_type\":\"x\"}]"), TAM_ERR_UNEXPECTED_SHAPE,
              20);
  check_error(TAM_SPAN("12"), TAM_ERR_UNEXPECTED_SHAPE, 2);
  check_error(TAM_SPAN("version https://git-lfs.github.com/spec/v1\n"),
              TAM_ERR_JSON_SYNTAX, 0);
}

static void test_members_behind_the_end(void) {
  tam_span text = padded(TAM_SPAN("{\"a\":1},\"model_type\":\"x\",\"b\":1}"));
  check_error(text, TAM_ERR_JSON_SYNTAX, 7);
  free((void *)(uintptr_t)text.ptr);
}

static void test_failed_allocation(void) {
  check_heap heap = {.fail_at = 1};
  tam_mem mem = check_heap_mem(&heap);
  tam_config_scan *scan = NULL;
  CHECK_INT(tam_config_scan_new(&scan, &mem), TAM_ERR_OUT_OF_MEMORY);
  CHECK_INT(heap.live, 0);
  CHECK_INT(tam_config_scan_new(&scan, &mem), 0);
  CHECK_INT(tam_config_scan_feed(scan, TAM_SPAN("{\"model_type\":\"x\"}")), 0);
  tam_config_scan_del(scan);
  CHECK_INT(heap.live, 0);
  CHECK_INT(heap.allocations, 2); // the failed one and the scanner
}

int main(void) {
  RUN(test_members_that_count);
  RUN(test_auto_map);
  RUN(test_text_config);
  RUN(test_architectures_as_a_single_name);
  RUN(test_architectures_of_wrong_kinds_are_left_out);
  RUN(test_architectures_beyond_the_cap_are_left_out);
  RUN(test_the_last_of_equal_keys_wins);
  RUN(test_escapes_in_keys_and_names);
  RUN(test_names_longer_than_the_cap_are_absent);
  RUN(test_pretty_printed);
  RUN(test_errors);
  RUN(test_members_behind_the_end);
  RUN(test_failed_allocation);
  return check_finish();
}
