// SPDX-License-Identifier: Apache-2.0
// The id of a repository on the Hub: "name" or "owner/name" of word characters,
// '-' and '.', each part 1 to 96 long, beginning and ending with a word
// character, without ".." or "--", not ending in ".git" or ".ipynb". Nothing
// else ever reaches a URL.
#ifndef TAM_CORE_REPO_ID_H
#define TAM_CORE_REPO_ID_H

#include "tam.h"

// Longest owner or name of a repository in bytes, a rule of the Hub.
#define TAM_REPO_NAME_MAX 96

// Longest id in bytes: owner, slash, name.
#define TAM_REPO_ID_MAX (2 * TAM_REPO_NAME_MAX + 1)

// Returns 1 when |id| can name a repository, else 0. Stores the place of its
// slash into |*pslash|, or its length when there is none; what is stored means
// nothing when |id| is no id.
int tam_repo_id_read(tam_span id, size_t *pslash);

// Returns 1 when |id| can name a repository, else 0.
int tam_repo_id_is_valid(tam_span id);

#endif // TAM_CORE_REPO_ID_H
