// SPDX-License-Identifier: Apache-2.0
// Messages may carry what a page scraper returned, as JSON. A model gets three
// lines of it: title, address and text.
#ifndef TAM_CHAT_SCRAPED_CONTENT_H
#define TAM_CHAT_SCRAPED_CONTENT_H

#include "core/buf.h"

// Looks at |content|, a string of well-formed JSON with its quotes. When its
// text is what a scraper returned, appends the three lines as such a string to
// |out| and returns 1; else returns 0. |scratch| is emptied and used; errors
// show in both buffers.
int tam_scraped_content_rewrite(tam_span content, tam_buf *scratch,
                                tam_buf *out);

#endif // TAM_CHAT_SCRAPED_CONTENT_H
