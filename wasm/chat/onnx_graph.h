// SPDX-License-Identifier: Apache-2.0
// Makes a small graph of a stored .onnx file without copying a weight. The file
// (a protobuf ModelProto) is read by ranges, and the data of large initialisers
// is passed over unread. What comes of it is a list of edits that replace this
// data by a reference to the place where it lies: "external data" in the very
// same file.
//
//   tam_onnx_graph_new(&graph, size, name, mem);
//   while ((result = tam_onnx_graph_wants(graph, &from, &to)) > 0) {
//     tam_onnx_graph_feed(graph, <bytes from..to of the file>);
//   }
//
// Initialisers of subgraphs (If, Loop, Scan) are treated as well. Everything
// else stays as it is: data in typed fields, constants of nodes, initialisers
// that are external already, and whatever a later version of ONNX adds.
#ifndef TAM_CHAT_ONNX_GRAPH_H
#define TAM_CHAT_ONNX_GRAPH_H

#include "core/buf.h"
#include "core/span.h"

// The least raw data, in bytes, that becomes external. Exporters use the same
// limit. A runtime reads shorter data (shapes, axes) while it loads the graph,
// and a reference would not be much shorter.
#define TAM_ONNX_RAW_MIN 1024

// The most bytes that are wanted at once: what one event can carry.
#define TAM_ONNX_WINDOW_MAX TAM_EVENT_PAYLOAD_MAX

// The longest name of a file with external data, so that a reference is
// shorter than the data it replaces. Twice what file systems allow.
#define TAM_ONNX_LOCATION_MAX 512

// The most files with external data. The largest models have some ten.
#define TAM_ONNX_FILES_MAX 128

// The most edits, of 32 bytes each: two or three for an initialiser. Models of
// 100 layers have some 5,000 initialisers.
#define TAM_ONNX_EDITS_MAX 65536

// The deepest nesting of messages. A graph takes three for each subgraph that
// it is in; exporters nest two or three graphs.
#define TAM_ONNX_DEPTH_MAX 48

// The largest graph in bytes: runtimes parse no longer message.
#define TAM_ONNX_SIZE_MAX INT32_MAX

typedef struct tam_onnx_graph tam_onnx_graph;

// Creates a scanner of a file of |size| bytes. |location| is the name under
// which the runtime will find this file, beside the graph; it is copied. It
// should begin with "#": the checker of ONNX, which sees initialisers of
// subgraphs, looks for other names in a file system, which a browser has not;
// and no file of a repository is mistaken for it. |mem| is kept. Errors:
// OUT_OF_MEMORY; INVALID_ARGUMENT when |location| is no such name (see
// tam_onnx_location_check).
int tam_onnx_graph_new(tam_onnx_graph **pself, uint64_t size, tam_span location,
                       const tam_mem *mem);
void tam_onnx_graph_del(tam_onnx_graph *self);

// Says which bytes of the file come next: |*pfrom| to |*pto|, exclusive, at
// most TAM_ONNX_WINDOW_MAX. Returns 1, or 0 when the scan is done and nothing
// is wanted, or the sticky error:
// * MALFORMED_GRAPH: the file is no ONNX, or ends early; or it names a file
//   that tam_onnx_location_check refuses;
// * GRAPH_TOO_LARGE: what would be left is longer than TAM_ONNX_SIZE_MAX, or a
//   cap of this file is exceeded;
// * OUT_OF_MEMORY.
int tam_onnx_graph_wants(const tam_onnx_graph *self, uint64_t *pfrom,
                         uint64_t *pto);

// Reads |data|, which begins where the wanted bytes do; fewer than wanted are
// welcome, the rest is wanted next. |data| is not needed afterwards. Returns 0
// or the sticky error; INVALID_ARGUMENT, and nothing happens, when there are
// more bytes than wanted.
int tam_onnx_graph_feed(tam_onnx_graph *self, tam_span data);

// The rest may be called when the scan is done.

// Writes the small graph as a recipe: |bytes| gets what is inserted, and
// |pieces| a JSON array of three numbers for each piece, [from, to, count,
// ...]: the bytes |from| to |to| of the file, and then the next |count| of
// |bytes|. Errors show in the buffers.
void tam_onnx_graph_write(const tam_onnx_graph *self, tam_buf *pieces,
                          tam_buf *bytes);

// Returns the name of the external file |place|, counted from 0, or an empty
// span when there are not so many. These are the files that the graph named
// before, each once, without "./" before the name. Valid until |self| is
// deleted.
tam_span tam_onnx_graph_get_file(const tam_onnx_graph *self, size_t place);

// Returns 0 when |location| can name a file beside the graph or in a folder
// there, else INVALID_ARGUMENT: it must not be empty, longer than
// TAM_ONNX_LOCATION_MAX, absolute or with a step up, and has no characters that
// mean something to a system or to the runtime.
int tam_onnx_location_check(tam_span location);

#endif // TAM_CHAT_ONNX_GRAPH_H
