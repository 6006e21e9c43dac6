// SPDX-License-Identifier: Apache-2.0
// A small module that lets JavaScript run the scanners alone: the differential
// tests compare what they accept and extract with JSON.parse, the benchmark
// measures them. Bytes go into module_input; rows and digests come out as JSON
// (module_output), or are only counted.
#include "core/buf.h"
#include "core/json_scan.h"
#include "core/json_write.h"
#include "core/trap.h"
#include "hub/candidates.h"
#include "hub/config_scan.h"
#include "hub/listing_scan.h"
#include "hub/prefilter.h"

#include <emscripten.h>

// Room for the rows of the largest page in the tests.
#define OUTPUT_MAX ((size_t)64 << 20)

// The longest key or string that the bare JSON scan has to keep.
#define JSON_TEXT_MAX 64

// What becomes of the rows of a listing.
enum {
  MODE_ROWS = 0, // all are written to the output
  MODE_COUNT,    // those that pass the prefilter are counted
  MODE_BEST      // the best of them are written to the output in the end
};

static uint8_t input[TAM_EVENT_PAYLOAD_MAX];
static tam_mem mem;
static tam_buf output;
static tam_json_scan json;
static uint8_t json_scratch[JSON_TEXT_MAX * TAM_JSON_ESCAPE_RATIO];
static tam_listing_scan *listing;
static tam_config_scan *config;
static int mode;
static uint32_t row_count;
static uint32_t survivor_count;
static tam_candidates best;

static void write_spans(const char *key, const tam_span *spans, size_t count) {
  tam_json_write_key(&output, key);
  tam_json_write_array_begin(&output);
  for (size_t i = 0; i < count; i++) {
    tam_json_write_string(&output, spans[i]);
  }
  tam_json_write_array_end(&output);
}

static void write_digest(const tam_config_digest *digest) {
  tam_json_write_object_begin(&output);
  tam_json_write_number_member(&output, "present", digest->present);
  tam_json_write_string_member(&output, "modelType", digest->model_type);
  write_spans("architectures", digest->architectures,
              digest->architecture_count);
  tam_json_write_number_member(&output, "autoMap", digest->auto_map);
  tam_json_write_number_member(&output, "isDecoder", digest->is_decoder);
  tam_json_write_string_member(&output, "textModelType",
                               digest->text_model_type);
  tam_json_write_string_member(&output, "textArchitecture",
                               digest->text_architecture);
  tam_json_write_object_end(&output);
}

static void write_row(const tam_listing_row *row) {
  tam_json_write_object_begin(&output);
  tam_json_write_string_member(&output, "id", row->id);
  tam_json_write_string_member(&output, "pipelineTag", row->pipeline_tag);
  tam_json_write_string_member(&output, "libraryName", row->library_name);
  tam_json_write_string_member(&output, "lastModified", row->last_modified);
  tam_json_write_number_member(&output, "downloads", row->downloads);
  tam_json_write_number_member(&output, "likes", row->likes);
  tam_json_write_number_member(&output, "parameters", row->parameters);
  tam_json_write_number_member(&output, "gated", row->gated);
  tam_json_write_number_member(&output, "isDisabled", row->is_disabled);
  tam_json_write_number_member(&output, "hasSiblings", row->has_siblings);
  tam_json_write_number_member(&output, "fileKinds", row->file_kinds);
  write_spans("tags", row->tags, row->tag_count);
  write_spans("onnxFiles", row->onnx_files, row->onnx_file_count);
  tam_json_write_key(&output, "config");
  write_digest(&row->config);
  tam_json_write_object_end(&output);
}

// A record as the benchmark makes it: [id, pipeline tag, downloads, likes].
static void write_record(const tam_listing_row *row) {
  tam_json_write_array_begin(&output);
  tam_json_write_string(&output, row->id);
  tam_json_write_string(&output, row->pipeline_tag);
  tam_json_write_number(&output, row->downloads);
  tam_json_write_number(&output, row->likes);
  tam_json_write_array_end(&output);
}

static int on_row(void *user_data, const tam_listing_row *row) {
  const tam_prefilter prefilter = {1, -1};
  (void)user_data;
  row_count++;
  if (mode == MODE_ROWS) {
    write_row(row);
    return 0;
  }
  if (tam_prefilter_apply(&prefilter, row) != TAM_DROP_NONE) {
    return 0;
  }
  survivor_count++;
  return mode == MODE_BEST ? tam_candidates_offer(&best, row, row_count) : 0;
}

// Creates what the other functions use. Returns 0 or an error.
EMSCRIPTEN_KEEPALIVE int module_init(void) {
  mem = tam_mem_default();
  tam_buf_init(&output, &mem, OUTPUT_MAX);
  tam_json_scan_init(&json, json_scratch, sizeof(json_scratch));
  int error = tam_listing_scan_new(&listing, on_row, NULL, &mem);
  return error != 0 ? error : tam_config_scan_new(&config, &mem);
}

// Returns where the next piece (at most TAM_EVENT_PAYLOAD_MAX bytes) goes.
EMSCRIPTEN_KEEPALIVE uint8_t *module_input(void) {
  return input;
}

EMSCRIPTEN_KEEPALIVE const uint8_t *module_output(void) {
  return output.data;
}

EMSCRIPTEN_KEEPALIVE size_t module_output_len(void) {
  TAM_ASSERT(output.error == 0);
  return output.len;
}

static void output_begin(void) {
  tam_buf_reset(&output);
}

static tam_span piece(size_t len) {
  return (tam_span){input, len};
}

// ---------------------------------------------------------------------------
// Bare JSON: accepted or not

EMSCRIPTEN_KEEPALIVE void module_json_reset(void) {
  tam_json_scan_reset(&json);
}

EMSCRIPTEN_KEEPALIVE int module_json_feed(size_t len) {
  int token;
  tam_json_scan_input(&json, piece(len));
  while ((token = tam_json_scan_next(&json)) > 0) {
  }
  return token;
}

EMSCRIPTEN_KEEPALIVE int module_json_end(void) {
  return tam_json_scan_end(&json);
}

// ---------------------------------------------------------------------------
// Listings

// Begins a listing whose rows are treated as |new_mode| says; |best_max| is
// the number of rows that MODE_BEST keeps.
EMSCRIPTEN_KEEPALIVE int module_listing_begin(int new_mode, size_t best_max) {
  mode = new_mode;
  row_count = 0;
  survivor_count = 0;
  output_begin();
  tam_json_write_array_begin(&output);
  tam_listing_scan_reset(listing);
  return mode == MODE_BEST ? tam_candidates_init(&best, best_max, &mem) : 0;
}

// The next page of the listing begins.
EMSCRIPTEN_KEEPALIVE void module_listing_next_page(void) {
  tam_listing_scan_reset(listing);
}

EMSCRIPTEN_KEEPALIVE int module_listing_feed(size_t len) {
  return tam_listing_scan_feed(listing, piece(len));
}

EMSCRIPTEN_KEEPALIVE int module_listing_end_page(void) {
  return tam_listing_scan_end(listing);
}

// The listing is complete: returns the number of rows that passed the
// prefilter (MODE_ROWS: of all rows).
EMSCRIPTEN_KEEPALIVE uint32_t module_listing_end(void) {
  if (mode == MODE_BEST) {
    tam_candidates_sort(&best);
    for (size_t i = 0; i < best.count; i++) {
      write_record(&best.items[i]->row);
    }
    tam_candidates_free(&best);
  }
  tam_json_write_array_end(&output);
  return mode == MODE_ROWS ? row_count : survivor_count;
}

EMSCRIPTEN_KEEPALIVE double module_listing_offset(void) {
  return tam_listing_scan_offset(listing);
}

// ---------------------------------------------------------------------------
// Configurations

EMSCRIPTEN_KEEPALIVE void module_config_reset(void) {
  tam_config_scan_reset(config);
}

EMSCRIPTEN_KEEPALIVE int module_config_feed(size_t len) {
  return tam_config_scan_feed(config, piece(len));
}

// The document is complete; with |with_output| its digest is written.
EMSCRIPTEN_KEEPALIVE int module_config_end(int with_output) {
  tam_config_digest digest;
  int error = tam_config_scan_end(config, &digest);
  if (error == 0 && with_output) {
    output_begin();
    write_digest(&digest);
  }
  return error;
}
