// SPDX-License-Identifier: Apache-2.0
// detokenizer -> cleanup -> stop strings -> reasoning -> JSON -> parts. A tag
// that is a token enters at |reasoning|, after all that came before it.
#include "chat/text_stream.h"

#include <string.h>

int tam_text_stream_init(tam_text_stream *stream,
                         const tam_text_stream_setup *setup,
                         const tam_mem *mem) {
  memset(stream, 0, offsetof(tam_text_stream, detok));
  stream->is_cleaned = setup->cleanup;
  stream->is_json = setup->json;
  tam_text_parts_init(&stream->parts, mem, TAM_TEXT_STREAM_MAX);
  tam_text_parts_init(&stream->split, mem, TAM_TEXT_STREAM_MAX);
  tam_buf_init(&stream->queue, mem, SIZE_MAX / 2);
  tam_buf_init(&stream->decoded, mem, TAM_TEXT_STREAM_MAX);
  tam_buf_init(&stream->clean, mem, TAM_TEXT_STREAM_MAX);
  tam_buf_init(&stream->safe, mem, TAM_TEXT_STREAM_MAX);
  tam_buf_init(&stream->json_text, mem, TAM_TEXT_STREAM_MAX);
  tam_detokenizer_init(&stream->detok, mem);
  tam_text_cleanup_init(&stream->cleanup);
  tam_stop_strings_init(&stream->stops, mem);
  tam_reasoning_init(&stream->reasoning, setup->opened, setup->with_tools);
  tam_json_output_init(&stream->json, mem);
  for (size_t i = 0; i < setup->stop_count && stream->error == 0; i++) {
    stream->error = tam_stop_strings_add(&stream->stops, setup->stops[i]);
  }
  return stream->error;
}

void tam_text_stream_free(tam_text_stream *stream) {
  tam_text_parts_free(&stream->parts);
  tam_text_parts_free(&stream->split);
  tam_buf_free(&stream->queue);
  tam_buf_free(&stream->decoded);
  tam_buf_free(&stream->clean);
  tam_buf_free(&stream->safe);
  tam_buf_free(&stream->json_text);
  tam_detokenizer_free(&stream->detok);
  tam_stop_strings_free(&stream->stops);
  tam_json_output_free(&stream->json);
}

int tam_text_stream_push(tam_text_stream *stream, int32_t id, int tag) {
  tam_buf_append_u32(&stream->queue, (uint32_t)(tag > 0 ? -tag : id));
  return stream->queue.error;
}

tam_text_end tam_text_stream_is_done(const tam_text_stream *stream) {
  return stream->done;
}

// ---------------------------------------------------------------------------
// Stages

static void note_error(tam_text_stream *stream, int error) {
  if (stream->error == 0) {
    stream->error = error;
  }
}

static void note_errors(tam_text_stream *stream) {
  note_error(stream, stream->queue.error);
  note_error(stream, stream->decoded.error);
  note_error(stream, stream->clean.error);
  note_error(stream, stream->safe.error);
  note_error(stream, stream->json_text.error);
  note_error(stream, stream->stops.held.error);
  note_error(stream, stream->json.held.error);
  note_error(stream, tam_text_parts_error(&stream->split));
  note_error(stream, tam_text_parts_error(&stream->parts));
}

// Returns what JSON mode lets through of |text|.
static tam_span json_of(tam_text_stream *stream, tam_span text) {
  tam_buf_reset(&stream->json_text);
  if (tam_json_output_push(&stream->json, text, &stream->json_text) >=
      TAM_JSON_OUTPUT_COMPLETE) {
    stream->done = TAM_TEXT_JSON; // before any stop string behind it
  }
  note_error(stream, stream->json_text.error);
  return tam_buf_span(&stream->json_text);
}

// Moves what is split on into the parts. Nothing follows the JSON.
static void pass_split(tam_text_stream *stream) {
  size_t count = tam_text_parts_count(&stream->split);
  for (size_t i = 0; i < count && stream->done != TAM_TEXT_JSON; i++) {
    tam_text_kind kind;
    tam_span text = tam_text_parts_at(&stream->split, i, &kind);
    if (stream->is_json && kind == TAM_TEXT_CONTENT) {
      text = json_of(stream, text);
    }
    tam_text_parts_add(&stream->parts, kind, text);
  }
  note_errors(stream);
  tam_text_parts_reset(&stream->split);
}

// Passes on what the stop strings have let through.
static void pass_safe(tam_text_stream *stream) {
  tam_reasoning_push(&stream->reasoning, tam_buf_span(&stream->safe),
                     &stream->split);
  note_errors(stream);
  tam_buf_reset(&stream->safe);
  pass_split(stream);
}

static void pass_clean(tam_text_stream *stream, tam_span text) {
  if (tam_stop_strings_push(&stream->stops, text, &stream->safe) == 1 &&
      stream->done == TAM_TEXT_GOES_ON) {
    stream->done = TAM_TEXT_STOP_STRING;
  }
  pass_safe(stream);
}

static void pass_decoded(tam_text_stream *stream) {
  tam_span text = tam_buf_span(&stream->decoded);
  if (stream->is_cleaned) {
    tam_text_cleanup_push(&stream->cleanup, text, &stream->clean);
    text = tam_buf_span(&stream->clean);
  }
  note_errors(stream);
  pass_clean(stream, text);
  tam_buf_reset(&stream->decoded);
  tam_buf_reset(&stream->clean);
}

// Passes on what the stages before |reasoning| hold back.
static void flush(tam_text_stream *stream) {
  if (stream->done == TAM_TEXT_STOP_STRING) {
    return;
  }
  tam_detokenizer_end(&stream->detok, &stream->decoded);
  pass_decoded(stream);
  tam_text_cleanup_end(&stream->cleanup, &stream->clean);
  pass_clean(stream, tam_buf_span(&stream->clean));
  tam_buf_reset(&stream->clean);
  if (stream->done != TAM_TEXT_STOP_STRING) {
    tam_stop_strings_end(&stream->stops, &stream->safe);
    pass_safe(stream);
  }
}

// ---------------------------------------------------------------------------
// Tokens

// Returns the next entry of the queue, or 0 and no |*phas|.
static int32_t queue_head(const tam_text_stream *stream, int *phas) {
  const int32_t *entries = (const int32_t *)(const void *)stream->queue.data;
  *phas = stream->taken < stream->queue.len / sizeof(int32_t);
  return *phas ? entries[stream->taken] : 0;
}

// Hands ids over up to the next tag. Returns it, or 0.
static int feed_detokenizer(tam_text_stream *stream) {
  int has;
  int32_t entry = queue_head(stream, &has);
  while (has && entry >= 0) {
    note_error(stream, tam_detokenizer_push(&stream->detok, entry));
    stream->taken++;
    entry = queue_head(stream, &has);
  }
  if (!has) {
    tam_buf_reset(&stream->queue);
    stream->taken = 0;
  }
  return -entry;
}

static void take_tag(tam_text_stream *stream, int tag) {
  flush(stream);
  tam_reasoning_push_tag(&stream->reasoning, tag, &stream->split);
  note_errors(stream);
  pass_split(stream);
  stream->taken++;
}

int tam_text_stream_wants(tam_text_stream *stream, const int32_t **pids,
                          size_t *pcount) {
  note_errors(stream);
  while (stream->error == 0 && stream->done == TAM_TEXT_GOES_ON) {
    int tag = feed_detokenizer(stream);
    if (tag > 0 || stream->is_finished) {
      tam_detokenizer_finish(&stream->detok);
    }
    if (stream->error == 0 &&
        tam_detokenizer_wants(&stream->detok, pids, pcount)) {
      return 1;
    }
    if (tag == 0) {
      return 0;
    }
    take_tag(stream, tag);
  }
  return 0;
}

int tam_text_stream_take(tam_text_stream *stream, tam_span text) {
  note_error(stream,
             tam_detokenizer_take(&stream->detok, text, &stream->decoded));
  pass_decoded(stream);
  return stream->error;
}

void tam_text_stream_finish(tam_text_stream *stream) {
  stream->is_finished = 1;
}

int tam_text_stream_end(tam_text_stream *stream) {
  flush(stream);
  tam_reasoning_end(&stream->reasoning, &stream->split);
  note_errors(stream);
  pass_split(stream);
  if (stream->is_json) {
    tam_buf_reset(&stream->json_text);
    tam_json_output_end(&stream->json, &stream->json_text);
    tam_text_parts_add(&stream->parts, TAM_TEXT_CONTENT,
                       tam_buf_span(&stream->json_text));
  }
  note_errors(stream);
  return stream->error;
}
