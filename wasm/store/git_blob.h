// SPDX-License-Identifier: Apache-2.0
// Git's name of a file's content, which the Hub gives for files outside of LFS:
// the SHA-1 of "blob ", the size in decimal digits, a zero byte and the
// content.
#ifndef TAM_STORE_GIT_BLOB_H
#define TAM_STORE_GIT_BLOB_H

#include "store/sha1.h"

// Begins the name of a file of |size_bytes| bytes: hashes what stands before
// the content. The content follows through tam_sha1_update, and
// tam_sha1_final gives the name; it is right only if there were exactly
// |size_bytes| bytes.
void tam_git_blob_init(tam_sha1 *sha, uint64_t size_bytes);

#endif // TAM_STORE_GIT_BLOB_H
