// SPDX-License-Identifier: Apache-2.0
// What the name of a repository file says about it: tokenizer, ONNX graph,
// external data, and the dtype that the suffix stands for.
#ifndef TAM_CORE_MODEL_FILES_H
#define TAM_CORE_MODEL_FILES_H

#include "tam.h"

// Kinds of files, as bits: a repository is described by their union.
// tokenizer.json, vocab.*, merges.txt, *.model, *.spm
#define TAM_FILE_TOKENIZER 0x01U
// *.onnx
#define TAM_FILE_ONNX 0x02U
// *.onnx_data, *.onnx.data, and numbered parts of them: *.onnx_data_1
#define TAM_FILE_ONNX_DATA 0x04U
// config.json at the root
#define TAM_FILE_CONFIG 0x08U

// Returns the kind bit of the file |name| (a path inside a repository; all
// but the root's config.json count in any folder, ASCII case ignored), or 0.
// Called for every file of every row: it looks at the end of the name first.
unsigned tam_file_kind(tam_span name);

// Numbers of the dtypes that the name of an ONNX file can stand for, in the
// order in which they are listed to users.
typedef enum tam_dtype {
  TAM_DTYPE_FP32 = 0,
  TAM_DTYPE_FP16,
  TAM_DTYPE_Q8,
  TAM_DTYPE_INT8,
  TAM_DTYPE_UINT8,
  TAM_DTYPE_Q4,
  TAM_DTYPE_Q4F16,
  TAM_DTYPE_Q2,
  TAM_DTYPE_Q2F16,
  TAM_DTYPE_Q1,
  TAM_DTYPE_Q1F16,
  TAM_DTYPE_BNB4,
  TAM_DTYPE_COUNT
} tam_dtype;

// Returns the name of |dtype|, for example "q4f16".
const char *tam_dtype_name(tam_dtype dtype);

// Returns what stands behind the last '_' in the names of the files of |dtype|,
// for example "q4f16" or "quantized"; empty for fp32, whose files have no
// suffix.
const char *tam_dtype_file_end(tam_dtype dtype);

// Returns the dtype that the name of an ONNX or external-data file stands for:
// what follows the last '_' of "decoder_model_merged_q4f16.onnx". Without a
// known suffix it is fp32.
tam_dtype tam_file_dtype(tam_span name);

// Stores the dtype of each of the |count| ONNX and external-data |files| into
// |dtypes|, and returns the dtypes that have a graph, as bits (1U << dtype).
// Each of these is a variant of the model. It has all files of its dtype: a
// graph and its external data are named alike. External data of a dtype without
// a graph belongs to no variant.
unsigned tam_files_dtypes(const tam_span *files, size_t count, uint8_t *dtypes);

#endif // TAM_CORE_MODEL_FILES_H
