// SPDX-License-Identifier: Apache-2.0
// The keys under which the store keeps things. A group is the text that the
// keys of one file's content begin with: "<repository>/<path>" for the first
// revision of a model, "<repository>@<commit>/<path>" for later ones.
#ifndef TAM_STORE_STORE_KEY_H
#define TAM_STORE_STORE_KEY_H

#include "store/hub_file.h"

// How the keys begin, and what stands before the number of a chunk.
#define TAM_KEY_REVISION "tabagent:revision/"
#define TAM_KEY_FILE     "tabagent:file/"
#define TAM_KEY_CHUNK    "_chunk_"

// What the key of TabAgent's description of a file ends with.
#define TAM_KEY_MANIFEST ":manifest"

// How the keys of files begin that TabAgent stored under their address.
#define TAM_KEY_ADDRESS "https://huggingface.co/"

// The longest group in bytes.
#define TAM_STORE_GROUP_MAX                                                    \
  (TAM_REPO_ID_MAX + sizeof("@/") - 1 + 40 + TAM_HUB_PATH_MAX)

// Room for any key.
#define TAM_STORE_KEY_MAX (TAM_STORE_GROUP_MAX + 32)

// Each appends a key; errors are those of the buffer.

// "tabagent:revision/<repo>@<commit>": the record of a revision.
void tam_store_key_revision(tam_buf *key, tam_span repo, tam_span commit);

// "tabagent:file/<group>": the record of a file.
void tam_store_key_file(tam_buf *key, tam_span group);

// "<group>_chunk_<chunk>": the bytes of a chunk.
void tam_store_key_chunk(tam_buf *key, tam_span group, uint32_t chunk);

// "<group>:manifest": TabAgent's description of the file.
void tam_store_key_manifest(tam_buf *key, tam_span group);

// Reads the key of a chunk. Returns 1, having stored its group and its number,
// or 0 when it is another key.
int tam_store_key_read_chunk(tam_span key, tam_span *pgroup, double *pchunk);

#endif // TAM_STORE_STORE_KEY_H
