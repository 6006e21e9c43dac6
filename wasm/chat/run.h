// SPDX-License-Identifier: Apache-2.0
// Passes of tokens through the sessions of a model: the orders for them, and
// what comes back.
#ifndef TAM_CHAT_RUN_H
#define TAM_CHAT_RUN_H

#include "chat/model.h"
#include "chat/phase.h"

// A pass of tokens through the model, on top of a cache.
typedef struct tam_run {
  tam_chat_model *model;
  uint32_t cache;
  const int32_t *tokens; // |rows| * |count|, row by row; they must stay
  size_t rows;
  size_t count;     // tokens of each row
  size_t past;      // tokens of each row that the cache holds
  size_t source;    // tokens that the encoder has read, 0: there is none
  int is_encoder;   // they go through the encoder, not the decoder
  int takes_logits; // of the last token of each row
  size_t place;     // of the session that runs
} tam_run;

// Begins the pass |run|, which is copied. Returns WAIT or an error.
int tam_run_start(tam_chat_op *op, const tam_run *run);

// A session has ended: orders the next one. Returns WAIT, NEXT when the pass is
// over, or an error.
int tam_run_next(tam_chat_op *op);

// Finds the row of logits in a report: |*pcount| numbers, valid as long as the
// report. Errors: UNEXPECTED_SHAPE, OUT_OF_MEMORY.
int tam_run_logits(tam_chat_op *op, const tam_runtime_report *report,
                   float **plogits, size_t *pcount);

// Order an empty cache for one row; that a cache keeps its first |length|
// tokens only; that its rows become copies of |rows|. Return WAIT or an error.
int tam_run_order_cache(tam_chat_op *op, const tam_chat_model *model);
int tam_run_order_cut(tam_chat_op *op, const tam_chat_model *model,
                      uint32_t cache, size_t length);
int tam_run_order_gather(tam_chat_op *op, const tam_chat_model *model,
                         uint32_t cache, const uint32_t *rows, size_t count);

// Returns 1 when every part of the model's cache can be cut, and when it can
// have several rows.
int tam_run_can_cut(const tam_chat_model *model);
int tam_run_can_gather(const tam_chat_model *model);

// Returns 1 when the decoder takes one token at a time.
int tam_run_is_single(const tam_chat_model *model);

#endif // TAM_CHAT_RUN_H
