// SPDX-License-Identifier: Apache-2.0
// The fast way through listing pages: walks over whatever lies whole in one
// piece of input, see core/json_skip.h for what that means. The tokens of
// listing_scan.c do the rest.
#ifndef TAM_HUB_LISTING_FAST_H
#define TAM_HUB_LISTING_FAST_H

#include "hub/listing_build.h"
#include "hub/listing_scan.h"

// Keys of rows that are remembered; entries of the Hub have at most thirty.
#define TAM_KEY_SLOTS 64

// The longest member name that is remembered, with its quotes, the colon and
// the blanks behind it.
#define TAM_KEY_LEN_MAX 32

// A remembered key, as it stands in the text: "key":
typedef struct tam_key_slot {
  uint8_t text[TAM_KEY_LEN_MAX];
  uint32_t mask; // a bit per byte of |text| that counts
  uint8_t len;
  uint8_t next; // the slot of the key that followed last time
  tam_row_field field;
} tam_key_slot;

// Ends of file names that are remembered.
#define TAM_NAME_SLOTS 256

// The last bytes of a file name, and the kind of files that end like this.
typedef struct tam_name_slot {
  uint8_t tail[16];
  uint32_t kind;
} tam_name_slot;

// Where a walk begins and ends: directly behind a row, behind a member of a
// row, behind a tag, or behind a file.
typedef enum tam_listing_level {
  TAM_LEVEL_ROWS = 0,
  TAM_LEVEL_ROW,
  TAM_LEVEL_TAGS,
  TAM_LEVEL_SIBLINGS
} tam_listing_level;

typedef struct tam_listing_fast {
  tam_listing_build *build;
  tam_listing_on_row on_row;
  void *user_data;
  const uint8_t *guard;
  // Where the walk ended.
  const uint8_t *at;
  tam_listing_level level;
  int error;               // of on_row
  tam_json_gap member_gap; // from behind a value to the next key
  tam_json_gap tag_gap;    // from behind a tag to the next one
  tam_json_gap file_gap;   // from behind the name of a file to the next name
  tam_key_slot slots[TAM_KEY_SLOTS + 2];
  tam_name_slot names[TAM_NAME_SLOTS];
} tam_listing_fast;

// Makes |fast| ready: it fills |build| and reports to |on_row|.
void tam_listing_fast_init(tam_listing_fast *fast, tam_listing_build *build,
                           tam_listing_on_row on_row, void *user_data);

// Walks from |at|, a place of the given |level|, as far as everything is
// certain. Sets fast->at, fast->level and fast->error.
void tam_listing_fast_walk(tam_listing_fast *fast, const uint8_t *at,
                           const uint8_t *guard, tam_listing_level level);

#endif // TAM_HUB_LISTING_FAST_H
