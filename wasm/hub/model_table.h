// SPDX-License-Identifier: Apache-2.0
// Packs the final list of models for the host: rows of numbers and string
// numbers, then the strings, each of them once or nearly so. A list of
// thousands of models crosses into JavaScript several times faster than as JSON
// text.
//
// Layout, in little-endian 32-bit words:
//
//   header    row_count, word_count, string_count, blob_len
//   words     word_count words: the rows, one after the other
//   offsets   string_count words: where each string ends in the blob
//   blob      blob_len bytes of UTF-8
//
// A string is a word: 0 is "absent", n is the n-th string. A number is a
// double in two words, low word first; -1 is "absent". A row is the fields of
// TAM_MODEL_FIELDS in their order, then four lists, each led by its length:
// tags, architectures, why (strings), and variants, each of which is a
// tam_dtype, the number of its files, and the files (strings).
#ifndef TAM_HUB_MODEL_TABLE_H
#define TAM_HUB_MODEL_TABLE_H

#include "core/buf.h"
#include "hub/candidates.h"

// TAM_MODEL_FIELD(name, words): the fixed part of a row.
#define TAM_MODEL_FIELDS                                                       \
  TAM_MODEL_FIELD(ID, 1)                                                       \
  TAM_MODEL_FIELD(PIPELINE_TAG, 1)                                             \
  TAM_MODEL_FIELD(MODEL_TYPE, 1)                                               \
  TAM_MODEL_FIELD(LICENSE, 1)                                                  \
  TAM_MODEL_FIELD(CLASSIFICATION, 1)                                           \
  TAM_MODEL_FIELD(CONFIDENCE, 1)                                               \
  TAM_MODEL_FIELD(FETCH_STATUS, 1)                                             \
  TAM_MODEL_FIELD(FETCH_STATUS_CODE, 1)                                        \
  TAM_MODEL_FIELD(FETCH_MESSAGE, 1)                                            \
  TAM_MODEL_FIELD(GATED, 1)                                                    \
  TAM_MODEL_FIELD(LAST_MODIFIED, 2)                                            \
  TAM_MODEL_FIELD(PARAMETERS, 2)                                               \
  TAM_MODEL_FIELD(DOWNLOADS, 2)                                                \
  TAM_MODEL_FIELD(LIKES, 2)

// The words of the fixed part.
enum {
#define TAM_MODEL_FIELD(name, words) +(words)
  TAM_MODEL_ROW_WORDS = 0 TAM_MODEL_FIELDS
#undef TAM_MODEL_FIELD
};

// The header's words.
#define TAM_MODEL_TABLE_HEADER_WORDS 4

// Packs |set|, which must be sorted and judged, into |table|. Errors:
// OUT_OF_MEMORY, TOO_LARGE (the table would exceed |table|'s cap).
int tam_model_table_pack(const tam_candidates *set, tam_buf *table,
                         const tam_mem *mem);

// Returns the license named by a row's tags ("license:mit" gives "mit"), or
// the empty span.
tam_span tam_row_license(const tam_listing_row *row);

#endif // TAM_HUB_MODEL_TABLE_H
