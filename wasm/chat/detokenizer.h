// SPDX-License-Identifier: Apache-2.0
// Turns token ids into text as they come. The host decodes windows of ids; what
// is appended is, altogether, what decoding all ids at once gives, for every
// decoder whose text before a token does not depend on what comes after it,
// but for an unfinished character and for blanks that it trims.
//
//     tam_detokenizer_push(detok, id);
//     while (tam_detokenizer_wants(detok, &ids, &count)) {
//       error = tam_detokenizer_take(detok, text_of(ids, count), out);
//     }
//     ...
//     tam_detokenizer_finish(detok); // and the same loop once more
//     tam_detokenizer_end(detok, out);
//
// The host decodes without special tokens and without cleaning up blanks (see
// chat/text_cleanup.h): cleaned text is not the sum of its windows.
#ifndef TAM_CHAT_DETOKENIZER_H
#define TAM_CHAT_DETOKENIZER_H

#include "core/buf.h"

// The longest text of a window in bytes: hundreds of bytes per token.
#define TAM_DETOKENIZER_TEXT_MAX (1U << 24)

typedef struct tam_detokenizer {
  tam_buf ids;        // int32_t: the window, and those behind it
  tam_buf text;       // of the window, as it was last decoded
  size_t decoded;     // ids of the window
  size_t asked;       // ids that the host decodes at present
  size_t emitted;     // bytes of |text| that were handed out
  size_t context;     // last ids of the window that are tried as its successor
  size_t next_rebase; // length of window at which that is tried again
  int finished;       // there are no more ids
} tam_detokenizer;

// Makes |detok| ready for a sequence. |mem| is kept.
void tam_detokenizer_init(tam_detokenizer *detok, const tam_mem *mem);

void tam_detokenizer_free(tam_detokenizer *detok);

// Adds the token |id|, which is not special. Legal at any time.
// Returns 0 or OUT_OF_MEMORY.
int tam_detokenizer_push(tam_detokenizer *detok, int32_t id);

// Returns 1 when |*pcount| ids at |*pids| have to be decoded, valid until the
// next call. Nothing but push is legal before their text is taken.
int tam_detokenizer_wants(tam_detokenizer *detok, const int32_t **pids,
                          size_t *pcount);

// Takes |text|, the UTF-8 of the ids wanted last, and appends what is new and
// certain to |out|. Returns 0, TOO_LARGE or OUT_OF_MEMORY.
int tam_detokenizer_take(tam_detokenizer *detok, tam_span text, tam_buf *out);

// Says that no ids follow until the next push: ids that waited for more, to be
// decoded together, are decoded now.
void tam_detokenizer_finish(tam_detokenizer *detok);

// Appends what was held back. Legal after finish, when nothing is wanted.
void tam_detokenizer_end(tam_detokenizer *detok, tam_buf *out);

#endif // TAM_CHAT_DETOKENIZER_H
