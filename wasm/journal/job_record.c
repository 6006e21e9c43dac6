// SPDX-License-Identifier: Apache-2.0
#include "journal/job_record.h"

#include "core/answer.h"
#include "core/json_scan.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "core/names.h"
#include "store/record.h"

#include <string.h>

#define VERSION 1

// What can hold a secret, wherever it stands in a request.
static const char secrets[] = "hfToken\0"
                              "token\0"
                              "accessToken\0"
                              "authorization\0";

// ---------------------------------------------------------------------------
// Records

void tam_job_record_write(const tam_job_record *job, tam_buf *bytes) {
  tam_record_begin(bytes, TAM_RECORD_JOB, VERSION);
  tam_record_put_u8(bytes, (uint8_t)job->kind);
  tam_record_put_u64(bytes, job->order);
  tam_record_put_u8(bytes, job->is_paused != 0);
  tam_record_put_u8(bytes, job->attempts);
  tam_record_put_u32(bytes, job->seq);
  tam_record_put_text(bytes, job->id);
  tam_record_put_text(bytes, job->request);
  tam_record_put_text(bytes, job->head);
  tam_record_put_text(bytes, job->last);
  tam_record_end(bytes);
}

int tam_job_record_read(tam_job_record *job, tam_span bytes) {
  tam_record_reader reader;
  (void)tam_record_open(&reader, bytes, TAM_RECORD_JOB, VERSION);
  uint8_t kind = tam_record_get_u8(&reader);
  job->kind = (tam_job_kind)kind;
  job->order = tam_record_get_u64(&reader);
  job->is_paused = tam_record_get_u8(&reader);
  job->attempts = tam_record_get_u8(&reader);
  job->seq = tam_record_get_u32(&reader);
  job->id = tam_record_get_text(&reader, TAM_CALLER_ID_MAX);
  job->request = tam_record_get_text(&reader, bytes.len);
  job->head = tam_record_get_text(&reader, bytes.len);
  job->last = tam_record_get_text(&reader, bytes.len);
  int error = tam_record_close(&reader);
  return error == 0 && kind >= TAM_JOB_KIND_COUNT ? TAM_ERR_UNEXPECTED_SHAPE
                                                  : error;
}

int tam_job_record_take_last(tam_span *last, uint32_t *flags, tam_span *text) {
  uint32_t head[2];
  if (last->len < sizeof(head)) {
    return 0;
  }
  tam_text_copy((uint8_t *)head, tam_span_head(*last, sizeof(head)));
  tam_span rest = tam_span_from(*last, sizeof(head));
  *flags = head[0];
  *text = tam_span_head(rest, head[1]);
  *last = tam_span_from(rest, text->len);
  return text->len == head[1];
}

// Whether |text| is a JSON document that begins with one of |first|.
static int is_json(tam_json_scan *scan, tam_span text, const char *first) {
  if (text.len == 0 ||
      tam_span_find_byte(tam_span_of(first), text.ptr[0]) == strlen(first)) {
    return 0;
  }
  int token;
  tam_json_scan_reset(scan);
  tam_json_scan_input(scan, text);
  while ((token = tam_json_scan_next(scan)) > 0) {
  }
  return token == 0 && tam_json_scan_end(scan) == 0;
}

int tam_job_record_check(const tam_job_record *job, const tam_mem *mem) {
  uint8_t scratch[TAM_JSON_ESCAPE_RATIO]; // the texts do not matter
  tam_json_scan *scan = tam_mem_calloc(mem, 1, sizeof(*scan));
  tam_span last = job->last;
  tam_span text;
  uint32_t flags;
  if (scan == NULL) {
    return TAM_ERR_OUT_OF_MEMORY;
  }
  tam_json_scan_init(scan, scratch, sizeof(scratch));
  int is_good = is_json(scan, job->id, "\"-0123456789") &&
                is_json(scan, job->request, "{");
  while (is_good && last.len > 0) {
    is_good = tam_job_record_take_last(&last, &flags, &text) &&
              is_json(scan, text, "{") &&
              (last.len == 0 ? flags == TAM_MESSAGE_FLAG_TERMINAL
                             : flags == 0 || flags == TAM_JOB_FLAGS_FOR_ALL);
  }
  tam_mem_free(mem, scan);
  return is_good ? 0 : TAM_ERR_INVALID_ARGUMENT;
}

void tam_said_record_write(uint64_t order, uint32_t seq, tam_span rest,
                           tam_buf *bytes) {
  tam_record_begin(bytes, TAM_RECORD_SAID, VERSION);
  tam_record_put_u64(bytes, order);
  tam_record_put_u32(bytes, seq);
  tam_record_put_text(bytes, rest);
  tam_record_end(bytes);
}

int tam_said_record_read(uint64_t *order, uint32_t *seq, tam_span *rest,
                         tam_span bytes) {
  tam_record_reader reader;
  (void)tam_record_open(&reader, bytes, TAM_RECORD_SAID, VERSION);
  *order = tam_record_get_u64(&reader);
  *seq = tam_record_get_u32(&reader);
  *rest = tam_record_get_text(&reader, bytes.len);
  return tam_record_close(&reader);
}

// ---------------------------------------------------------------------------
// Requests

static void write_key(tam_buf *json, tam_span key) {
  tam_json_write_string(json, key);
  tam_buf_append_byte(json, ':');
}

// Writes what |token| stands for. Returns 1 when it was the last one.
static void write_token(tam_json_scan *scan, int token, size_t max,
                        tam_buf *json) {
  tam_span text = TAM_SPAN_NONE;
  switch (token) {
  case TAM_JSON_KEY:
    (void)tam_json_scan_text(scan, max, &text);
    write_key(json, text);
    if (tam_names_find(secrets, text) >= 0) {
      tam_json_write_null(json);
      tam_json_scan_skip(scan);
    }
    break;
  case TAM_JSON_STRING:
    (void)tam_json_scan_text(scan, max, &text);
    tam_json_write_string(json, text);
    break;
  case TAM_JSON_NUMBER:
    (void)tam_json_scan_text(scan, max, &text);
    tam_json_write_raw(json, text);
    break;
  case TAM_JSON_OBJECT:
    tam_json_write_object_begin(json);
    break;
  case TAM_JSON_OBJECT_END:
    tam_json_write_object_end(json);
    break;
  case TAM_JSON_ARRAY:
    tam_json_write_array_begin(json);
    break;
  case TAM_JSON_ARRAY_END:
    tam_json_write_array_end(json);
    break;
  case TAM_JSON_NULL:
    tam_json_write_null(json);
    break;
  default:
    tam_json_write_bool(json, token == TAM_JSON_TRUE);
    break;
  }
}

void tam_job_write_request(tam_span text, tam_buf *json, const tam_mem *mem) {
  size_t scratch_size = text.len * TAM_JSON_ESCAPE_RATIO;
  tam_json_scan *scan = tam_mem_calloc(mem, 1, sizeof(*scan));
  uint8_t *scratch = tam_mem_malloc(mem, scratch_size);
  if (scan == NULL || scratch == NULL) {
    json->error = TAM_ERR_OUT_OF_MEMORY;
  } else {
    tam_json_scan_init(scan, scratch, scratch_size);
    tam_json_scan_input(scan, text);
    int token;
    while ((token = tam_json_scan_next(scan)) > 0) {
      write_token(scan, token, text.len, json);
    }
  }
  if (scratch != NULL) {
    tam_mem_wipe(scratch, scratch_size); // a secret may be in it
    tam_mem_free(mem, scratch);
  }
  tam_mem_free(mem, scan);
}
