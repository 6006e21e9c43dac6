// SPDX-License-Identifier: Apache-2.0
// The URLs of a listing. All of them are on the Hub's own origin: only the
// path and query of what the Hub calls the next page are followed.
#ifndef TAM_HUB_LIST_URL_H
#define TAM_HUB_LIST_URL_H

#include "core/buf.h"
#include "hub/list_params.h"

// Writes the URL of the first page into |url|, with |limit| rows.
void tam_list_url_first(tam_buf *url, tam_span hub_url,
                        const tam_list_params *params, uint32_t limit);

// Writes |page_url| into |url| with the query parameter limit set to |limit|.
void tam_list_url_with_limit(tam_buf *url, tam_span page_url, uint32_t limit);

// Writes the page that |link| names into |url|, put on |hub_url|. Returns 1,
// or 0 when |link| is not a page of the listing.
int tam_list_url_next(tam_buf *url, tam_span hub_url, tam_span link);

// Writes the decoded query parameter "cursor" of |page_url| into |cursor|;
// nothing when there is none, or when it is more than visible ASCII: no Hub
// sends that, and it could not be told in a message.
void tam_list_url_cursor(tam_buf *cursor, tam_span page_url);

// Writes the URL of the file |path| of the repository |id| at its main
// revision.
void tam_list_url_file(tam_buf *url, tam_span hub_url, tam_span id,
                       tam_span path);

#endif // TAM_HUB_LIST_URL_H
