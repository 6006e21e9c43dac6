// SPDX-License-Identifier: Apache-2.0
// From the tokens of an answer to what is shown of it: windows of ids that the
// host decodes, blanks cleaned up, stop strings, reasoning and content apart,
// JSON only. What comes of it are parts (chat/text_parts.h); joined, they are
// what decoding all tokens at once gives, without the tags and cut at the stop
// string.
//
//     tam_text_stream_push(stream, id, tag);
//     while (tam_text_stream_wants(stream, &ids, &count)) {
//       error = tam_text_stream_take(stream, text_of(ids, count));
//     }
//     deliver(stream->parts), tam_text_parts_reset(&stream->parts);
//     if (tam_text_stream_is_done(stream)) { stop generating }
//     ...
//     tam_text_stream_finish(stream); // and the same loop once more
//     error = tam_text_stream_end(stream);
//     deliver(stream->parts);
#ifndef TAM_CHAT_TEXT_STREAM_H
#define TAM_CHAT_TEXT_STREAM_H

#include "chat/detokenizer.h"
#include "chat/json_output.h"
#include "chat/reasoning.h"
#include "chat/stop_strings.h"
#include "chat/text_cleanup.h"
#include "chat/text_parts.h"

// The longest text of an answer that has not been taken yet, in bytes.
#define TAM_TEXT_STREAM_MAX (1U << 24)

typedef enum tam_text_end {
  TAM_TEXT_GOES_ON = 0,
  TAM_TEXT_STOP_STRING, // one was found
  TAM_TEXT_JSON         // the JSON is complete, or cannot go on
} tam_text_end;

typedef struct tam_text_stream_setup {
  int cleanup;    // clean_up_tokenization_spaces of the tokenizer (true by
                  // default)
  int with_tools; // the prompt has tools
  int opened;     // tam_reasoning_opened_by of the prompt
  int json;       // JSON mode: the content is one JSON document
  const tam_span *stops;
  size_t stop_count;
} tam_text_stream_setup;

typedef struct tam_text_stream {
  tam_text_parts parts; // the caller takes and resets them
  int is_cleaned;
  int is_json;
  int is_finished;
  tam_text_end done;
  int error;       // sticky
  tam_buf queue;   // int32_t: an id, or a tag below 0
  size_t taken;    // entries of it that are gone
  tam_buf decoded; // on the way through the stages
  tam_buf clean;
  tam_buf safe;
  tam_buf json_text;
  tam_text_parts split;
  tam_detokenizer detok;
  tam_text_cleanup cleanup;
  tam_stop_strings stops;
  tam_reasoning reasoning;
  tam_json_output json;
} tam_text_stream;

// Makes |stream| ready for an answer. |setup| is not needed afterwards, |mem|
// is kept. Errors: TOO_LARGE (stop strings), OUT_OF_MEMORY; then |stream| must
// still be freed.
int tam_text_stream_init(tam_text_stream *stream,
                         const tam_text_stream_setup *setup,
                         const tam_mem *mem);

void tam_text_stream_free(tam_text_stream *stream);

// Adds a token: the |id| of one that is text, with |tag| 0; of a special one
// only its |tag|, tam_reasoning_tag_of its text (special tokens that are no tag
// are not pushed). Legal at any time before finish. Errors: OUT_OF_MEMORY.
int tam_text_stream_push(tam_text_stream *stream, int32_t id, int tag);

// As tam_detokenizer_wants; 0 also after an error.
int tam_text_stream_wants(tam_text_stream *stream, const int32_t **pids,
                          size_t *pcount);

// Takes |text|, the UTF-8 of the ids wanted last. Errors: TOO_LARGE,
// OUT_OF_MEMORY.
int tam_text_stream_take(tam_text_stream *stream, tam_span text);

// Returns why the answer is over before its tokens end.
tam_text_end tam_text_stream_is_done(const tam_text_stream *stream);

// Says that no tokens follow: ask once more what is wanted.
void tam_text_stream_finish(tam_text_stream *stream);

// Adds what was held back to the parts. Legal once, when nothing is wanted
// after finish. Returns 0 or the sticky error.
int tam_text_stream_end(tam_text_stream *stream);

#endif // TAM_CHAT_TEXT_STREAM_H
