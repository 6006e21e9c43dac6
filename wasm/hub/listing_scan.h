// SPDX-License-Identifier: Apache-2.0
// Scans the bytes of a listing page as they arrive: a JSON array of entries.
// Nothing of the page is kept but the row in work; text is accepted and
// rejected exactly as JSON.parse over fatal UTF-8 would, to a nesting of
// TAM_JSON_DEPTH_MAX.
#ifndef TAM_HUB_LISTING_SCAN_H
#define TAM_HUB_LISTING_SCAN_H

#include "hub/listing_row.h"

typedef struct tam_listing_scan tam_listing_scan;

// Called for every complete row; |row| and its spans are valid during the
// call. Returns 0 to go on or a negative error, which stops the scan and is
// returned by the feed that was in progress.
typedef int (*tam_listing_on_row)(void *user_data, const tam_listing_row *row);

// Creates a scanner that reports to |on_row|. Errors: OUT_OF_MEMORY.
int tam_listing_scan_new(tam_listing_scan **pscan, tam_listing_on_row on_row,
                         void *user_data, const tam_mem *mem);
void tam_listing_scan_del(tam_listing_scan *scan);

// Makes the scanner ready for a new page; keeps what it learned about keys.
void tam_listing_scan_reset(tam_listing_scan *scan);

// Scans the next |data| of the page. Returns 0, or JSON_SYNTAX, JSON_UTF8,
// JSON_DEPTH, UNEXPECTED_SHAPE (valid JSON but not an array), OUT_OF_MEMORY,
// or on_row's error. Errors are sticky until reset. An element of the array
// that is no object is a row of which nothing is known.
int tam_listing_scan_feed(tam_listing_scan *scan, tam_span data);

// Says that the page is complete. Returns 0, JSON_TRUNCATED when the text is
// not, or the sticky error.
int tam_listing_scan_end(tam_listing_scan *scan);

// Returns the offset in the page, in bytes, at which the scan stands or
// failed.
double tam_listing_scan_offset(const tam_listing_scan *scan);

#endif // TAM_HUB_LISTING_SCAN_H
