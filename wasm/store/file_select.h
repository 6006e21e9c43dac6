// SPDX-License-Identifier: Apache-2.0
// Which files of a revision a dtype needs.
//
// Graphs (*.onnx) are looked for in one folder: onnx/ when it has any, else the
// root, else the folder of the first graph there is. Of the graphs of the dtype
// in it are needed
// * decoder_model_merged, with encoder_model and embed_tokens where they are
//   there, when it is there;
// * else model, when it is there;
// * else all;
// and of each graph all parts of its external data (X.onnx_data, X.onnx_data_1,
// X.onnx.data). Besides, configuration and tokenizer at the root.
#ifndef TAM_STORE_FILE_SELECT_H
#define TAM_STORE_FILE_SELECT_H

#include "store/revision.h"

// All dtypes, as bits: what a name may stand for that no revision limits.
#define TAM_DTYPES_ALL ((1U << TAM_DTYPE_COUNT) - 1)

// Returns the dtypes for which |revision| has a graph in the folder of graphs,
// as bits (1U << tam_dtype); 0 when there is no graph at all.
unsigned tam_file_select_available(const tam_revision *revision);

// Reads |name| as a dtype: what tam_dtype_name gives, or "quantized" for q8.
// Several have commas between them: the first that is available is taken.
// "auto" and nothing are the first of q8, q4, q4f16, int8, uint8, fp16, q2,
// q2f16, q1, q1f16, bnb4 and fp32 that is |available|. Stores it into |*pdtype|
// and returns 0, or INVALID_PARAMS when there is no such dtype, or none of that
// name is available; |*pdtype| is unchanged then.
int tam_file_select_dtype(tam_span name, unsigned available, tam_dtype *pdtype);

// Returns those of them of which a graph in that folder has one of |flags|
// (TAM_REVISION_FILE_*): what is there of a model whose files were asked for
// one by one.
unsigned tam_file_select_flagged(const tam_revision *revision, unsigned flags);

// Marks the files that |dtype|, an available one, needs with
// TAM_REVISION_FILE_CHOSEN. Other marks stay: a model may be wanted in several
// dtypes.
void tam_file_select(tam_revision *revision, tam_dtype dtype);

#endif // TAM_STORE_FILE_SELECT_H
