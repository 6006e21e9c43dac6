// SPDX-License-Identifier: Apache-2.0
// Theory of operation
// -------------------
// A page is an array of rows, a row has members, two of which ("tags" and
// "siblings") are arrays. The walk may begin and end behind an element of any
// of these, its level. Each walk_* function covers one level: it is called
// behind an element and returns the byte behind the closing bracket, or NULL
// when the walk had to end, after it has noted where. The innermost certain
// place counts, so nothing is ever read twice but the one odd or cut element,
// which is then read from tokens.
//
// Each read_* function is called at the first byte of a value and returns the
// byte behind it, or NULL.
//
// Three observations make it fast. Rows have the same keys in the same order:
// each key that is met is remembered in a slot, found by a hash, together with
// the key that followed it, so that the next one is usually recognised by a
// single comparison. What stands between two members, tags or file names is the
// same all over a page, in whatever form it was written: it is remembered, too.
// And repositories have the same files: so is what the end of a name says about
// its kind.
#include "hub/listing_fast.h"

#include "core/json_skip.h"
#include "core/span.h"
#include "hub/config_fast.h"

#include <string.h>

// The slot "before the first key of a row", and the one of a key that cannot
// be remembered. Neither is ever expected.
#define SLOT_START TAM_KEY_SLOTS
#define SLOT_OTHER (TAM_KEY_SLOTS + 1)

static const uint8_t *stop(tam_listing_fast *fast, tam_listing_level level,
                           const uint8_t *at) {
  fast->level = level;
  fast->at = at;
  return NULL;
}

// ---------------------------------------------------------------------------
// Keys

TAM_INLINE int slot_is_at(const tam_key_slot *slot, const uint8_t *at) {
  return tam_json_is_same(at, slot->text, slot->mask & 0xffffU) &&
         (slot->mask <= 0xffffU ||
          tam_json_is_same(at + 16, slot->text + 16, slot->mask >> 16));
}

static unsigned slot_hash(const uint8_t *at) {
  uint32_t word;
  memcpy(&word, at + 1, sizeof(word));
  return (word * 0x9e3779b1U) >> 26; // TAM_KEY_SLOTS is 2^6
}

// Fills |slot| with the key of |len| bytes at |at|, up to its value.
static void slot_learn(tam_key_slot *slot, const uint8_t *at, size_t len,
                       tam_row_field field) {
  memcpy(slot->text, at, sizeof(slot->text));
  slot->mask = UINT32_MAX >> (TAM_KEY_LEN_MAX - len);
  slot->len = (uint8_t)len;
  slot->next = 0; // as good as any
  slot->field = field;
}

// Finds what the key at |at| means when it is not the one that was expected
// behind that of |before|, and remembers it when it is short enough. Stores
// where the value begins into |*pvalue|. Returns NULL when the key is odd.
static tam_key_slot *slot_find(tam_listing_fast *fast, tam_key_slot *before,
                               const uint8_t *at, const uint8_t **pvalue) {
  tam_key_slot *slot = &fast->slots[slot_hash(at)];
  if (slot_is_at(slot, at)) {
    *pvalue = at + slot->len;
  } else {
    tam_span key;
    *pvalue = tam_json_member(at, fast->guard, &key);
    if (*pvalue == NULL) {
      return NULL;
    }
    tam_row_field field = tam_row_field_of(key);
    size_t len = (size_t)(*pvalue - at);
    if (len <= TAM_KEY_LEN_MAX) {
      slot_learn(slot, at, len, field);
    } else {
      fast->slots[SLOT_OTHER].field = field;
      return &fast->slots[SLOT_OTHER];
    }
  }
  before->next = (uint8_t)(slot - fast->slots);
  return slot;
}

// ---------------------------------------------------------------------------
// Values

// Reads a string whose text is wanted.
static const uint8_t *read_text(tam_listing_fast *fast, unsigned index,
                                const uint8_t *at) {
  tam_span text = TAM_SPAN_NONE;
  at = *at == '"' ? tam_json_text(at, fast->guard, &text)
                  : tam_json_skip_value(at, fast->guard);
  tam_listing_build_set_text(fast->build, index, text);
  return at;
}

// The longest count that is read here: any of so many digits is exact.
#define COUNT_DIGITS_MAX 15

// Returns the number that the |count| digits at |at| stand for, at most eight.
// Digits, pairs of them and pairs of those are summed up side by side, without
// a branch that depends on how many there are.
TAM_INLINE uint64_t eight_digits(const uint8_t *at, unsigned count) {
  uint64_t digits;
  memcpy(&digits, at, sizeof(digits));
  digits = (digits - 0x3030303030303030U) << (64 - 8 * count);
  digits = digits * 10 + (digits >> 8);
  return ((digits & 0x000000ff000000ffU) * 0x000f424000000064U +
          ((digits >> 16) & 0x000000ff000000ffU) * 0x0000271000000001U) >>
         32;
}

// Reads a count. Other numbers are left to the tokens.
static const uint8_t *read_number(tam_listing_fast *fast, unsigned index,
                                  const uint8_t *at) {
  unsigned digits = tam_json_digits(at);
  const uint8_t *end = at + digits;
  if (digits == 0) {
    fast->build->numbers[index] = -1;
    return *at != '-' ? tam_json_skip_value(at, fast->guard) : NULL;
  }
  if (digits > COUNT_DIGITS_MAX || tam_json_continues_number(*end) ||
      *end == '"' || (*at == '0' && digits > 1)) {
    return NULL;
  }
  uint64_t count = eight_digits(at, digits < 8 ? digits : 8);
  for (at += 8; at < end; at++) {
    count = count * 10 + (*at - (unsigned)'0');
  }
  fast->build->numbers[index] = (double)count;
  return end;
}

static const uint8_t *read_gated(tam_listing_fast *fast, const uint8_t *at) {
  tam_span text = TAM_SPAN_NONE;
  at = *at == '"' ? tam_json_text(at, fast->guard, &text)
                  : tam_json_skip_value(at, fast->guard);
  fast->build->gated = tam_row_gated_of(text);
  return at;
}

static const uint8_t *read_total(tam_listing_fast *fast, unsigned index,
                                 const uint8_t *at) {
  fast->build->numbers[index] = -1;
  if (*at != '{') {
    return tam_json_skip_value(at, fast->guard);
  }
  at = tam_json_space(at + 1);
  while (at != NULL && *at != '}') {
    tam_span key;
    at = tam_json_member(at, fast->guard, &key);
    if (at != NULL) {
      at = tam_span_eq(key, TAM_SPAN("total"))
               ? read_number(fast, index, at)
               : tam_json_skip_value(at, fast->guard);
      at = tam_json_comma(at, fast->guard, '}');
    }
  }
  return tam_json_behind(at);
}

static const uint8_t *read_config(tam_listing_fast *fast, const uint8_t *at) {
  if (*at != '{') {
    tam_config_reader_clear(&fast->build->config);
    return tam_json_skip_value(at, fast->guard);
  }
  return tam_config_fast_object(&fast->build->row.config, at, fast->guard);
}

// ---------------------------------------------------------------------------
// Tags

static const uint8_t *read_tag(tam_listing_fast *fast, const uint8_t *at) {
  tam_span tag;
  at = tam_json_text(at, fast->guard, &tag);
  if (at != NULL) {
    tam_listing_build_add_tag(fast->build, tag);
  }
  return at;
}

// Continues behind a tag.
static const uint8_t *walk_tags(tam_listing_fast *fast, const uint8_t *at) {
  for (;;) {
    const uint8_t *text = at + fast->tag_gap.len;
    if (!tam_json_gap_is_at(&fast->tag_gap, at)) {
      const uint8_t *next =
          tam_json_gap_find(&fast->tag_gap, at, fast->guard, ']');
      if (next != NULL && *next == ']') {
        return next + 1;
      }
      if (next == NULL || *next != '"') {
        return stop(fast, TAM_LEVEL_TAGS, at);
      }
      text = next + 1;
    }
    const uint8_t *end = tam_json_text_end(text, fast->guard);
    if (end == NULL) {
      return stop(fast, TAM_LEVEL_TAGS, at);
    }
    tam_listing_build_add_tag(fast->build,
                              (tam_span){text, (size_t)(end - text)});
    at = end + 1;
  }
}

static const uint8_t *read_tags(tam_listing_fast *fast, const uint8_t *at) {
  tam_listing_build_begin_tags(fast->build);
  if (*at != '[') {
    return tam_json_skip_value(at, fast->guard);
  }
  at = tam_json_space(at + 1);
  if (*at == ']') {
    return at + 1;
  }
  at = read_tag(fast, at);
  return at != NULL ? walk_tags(fast, at) : NULL;
}

// ---------------------------------------------------------------------------
// Files

static int is_letter_b(uint8_t byte) {
  return (byte | 0x20) == 'b';
}

// Returns 1 when the sixteen bytes at |tail| alone tell the kind of a file
// whose name ends with them. All rules of tam_file_kind look at no more than
// that, with two exceptions: the number of a part may have many digits, and
// "vocab." may have a long extension. So the tail must not end with a digit,
// and the last part of the name must begin in it, or the extension, not behind
// a b.
static int tail_is_enough(const uint8_t *tail) {
  size_t at = 15;
  if ((uint8_t)(tail[at] - '0') <= 9) {
    return 0;
  }
  while (at > 0 && tail[at] != '.' && tail[at] != '/' && tail[at] != '"') {
    at--;
  }
  return at >= 6 || (at > 0 && !is_letter_b(tail[at - 1]));
}

TAM_INLINE tam_name_slot *name_slot(tam_listing_fast *fast,
                                    const uint8_t *tail) {
  uint64_t head; // where names that end alike differ
  memcpy(&head, tail, sizeof(head));
  return &fast->names[(head * 0x9e3779b97f4a7c15U) >> 56]; // 2^8 slots
}

// The slow part of file_kind.
static unsigned learn_kind(tam_listing_fast *fast, tam_span name) {
  unsigned kind = tam_file_kind(name);
  if (name.len >= 2) {
    const uint8_t *tail = name.ptr + name.len - 16;
    if (tail_is_enough(tail)) {
      tam_name_slot *slot = name_slot(fast, tail);
      memcpy(slot->tail, tail, sizeof(slot->tail));
      slot->kind = kind;
    }
  }
  return kind;
}

// Returns the kind of the file |name|. In front of the name there are at least
// the fourteen bytes {"rfilename":" (the quote marks the beginning of a short
// name in the tail).
TAM_INLINE unsigned file_kind(tam_listing_fast *fast, tam_span name) {
  if (name.len >= 2) {
    const uint8_t *tail = name.ptr + name.len - 16;
    tam_name_slot *slot = name_slot(fast, tail);
    if (tam_json_is_same(tail, slot->tail, 0xffffU)) {
      return slot->kind;
    }
  }
  return learn_kind(fast, name);
}

TAM_INLINE void add_file(tam_listing_fast *fast, tam_span name) {
  if (name.len - 1 < TAM_ROW_STRING_MAX) { // not empty, not too long
    tam_listing_build_add_file(fast->build, name, file_kind(fast, name));
  }
}

static const uint8_t *read_file_members(tam_listing_fast *fast,
                                        const uint8_t *at) {
  tam_span name = TAM_SPAN_NONE;
  at = tam_json_space(at + 1);
  while (at != NULL && *at != '}') {
    tam_span key;
    at = tam_json_member(at, fast->guard, &key);
    if (at != NULL) {
      at = tam_span_eq(key, TAM_SPAN("rfilename"))
               ? tam_json_text(at, fast->guard, &name)
               : tam_json_skip_value(at, fast->guard);
      at = tam_json_comma(at, fast->guard, '}');
    }
  }
  if (at != NULL) {
    add_file(fast, name);
  }
  return tam_json_behind(at);
}

// Reads the file that begins at |at|, in any form.
static const uint8_t *read_file(tam_listing_fast *fast, const uint8_t *at) {
  return at != NULL && *at == '{' ? read_file_members(fast, at) : NULL;
}

// Returns where the name of the file at |at| begins when it comes first, or
// NULL.
static const uint8_t *find_name(const tam_listing_fast *fast,
                                const uint8_t *at) {
  tam_span key;
  if (at == NULL || *at != '{') {
    return NULL;
  }
  at = tam_json_member(tam_json_space(at + 1), fast->guard, &key);
  return at != NULL && *at == '"' && tam_span_eq(key, TAM_SPAN("rfilename"))
             ? at + 1
             : NULL;
}

// Reads files that have nothing but a name, from |name| on. |at| is the place
// behind the file before. Returns the place behind the last one that was read.
static const uint8_t *walk_names(tam_listing_fast *fast, const uint8_t *at,
                                 const uint8_t *name) {
  tam_json_gap *gap = &fast->file_gap;
  while (name != NULL) {
    const uint8_t *end = tam_json_text_end(name, fast->guard);
    if (end == NULL) {
      break;
    }
    tam_span text = {name, (size_t)(end - name)};
    if (tam_json_gap_is_at(gap, end + 1)) {
      add_file(fast, text);
      at = end + 1 + gap->close;
      name = end + 1 + gap->len;
      continue;
    }
    const uint8_t *close = tam_json_space(end + 1);
    if (*close != '}') {
      break;
    }
    add_file(fast, text);
    at = close + 1;
    name = find_name(fast, tam_json_comma(at, fast->guard, ']'));
    if (name != NULL) {
      tam_json_gap_learn(gap, end + 1, at, name);
    }
  }
  return at;
}

// Continues behind a file.
static const uint8_t *walk_siblings(tam_listing_fast *fast, const uint8_t *at) {
  const uint8_t *next = tam_json_comma(at, fast->guard, ']');
  at = walk_names(fast, at, find_name(fast, next));
  for (;;) {
    next = tam_json_comma(at, fast->guard, ']');
    if (next != NULL && *next == ']') {
      return next + 1;
    }
    next = read_file(fast, next);
    if (next == NULL) {
      return stop(fast, TAM_LEVEL_SIBLINGS, at);
    }
    at = next;
  }
}

static const uint8_t *read_siblings(tam_listing_fast *fast, const uint8_t *at) {
  tam_listing_build_begin_siblings(fast->build, *at == '[');
  if (*at != '[') {
    return tam_json_skip_value(at, fast->guard);
  }
  at = tam_json_space(at + 1);
  if (*at == ']') {
    return at + 1;
  }
  const uint8_t *behind = walk_names(fast, NULL, find_name(fast, at));
  if (behind == NULL) {
    behind = read_file(fast, at);
  }
  return behind != NULL ? walk_siblings(fast, behind) : NULL;
}

// ---------------------------------------------------------------------------
// Rows

static const uint8_t *read_value(tam_listing_fast *fast, tam_row_field field,
                                 const uint8_t *at) {
  switch (field.kind) {
  case TAM_ROW_KIND_TEXT:
    return read_text(fast, field.index, at);
  case TAM_ROW_KIND_NUMBER:
    return read_number(fast, field.index, at);
  case TAM_ROW_KIND_FLAG:
    fast->build->flags[field.index] = *at == 't';
    return tam_json_skip_value(at, fast->guard);
  case TAM_ROW_KIND_GATED:
    return read_gated(fast, at);
  case TAM_ROW_KIND_TOTAL:
    return read_total(fast, field.index, at);
  case TAM_ROW_KIND_TAGS:
    return read_tags(fast, at);
  case TAM_ROW_KIND_SIBLINGS:
    return read_siblings(fast, at);
  case TAM_ROW_KIND_CONFIG:
    return read_config(fast, at);
  default:
    return tam_json_skip_value(at, fast->guard);
  }
}

// Reads the value at |at| of a member that |field| describes. Most are strings
// that are either wanted or not.
TAM_INLINE const uint8_t *read_any(tam_listing_fast *fast, tam_row_field field,
                                   const uint8_t *at) {
  if (*at == '"' && field.kind <= TAM_ROW_KIND_TEXT) {
    const uint8_t *end = tam_json_text_end(at + 1, fast->guard);
    if (end != NULL) {
      if (field.kind == TAM_ROW_KIND_TEXT) {
        tam_span text = {at + 1, (size_t)(end - (at + 1))};
        tam_listing_build_set_text(fast->build, field.index, text);
      }
      return end + 1;
    }
  }
  return read_value(fast, field, at);
}

// Reads the member at |at|. |*pslot| is the slot of the key before it, then of
// its own.
TAM_INLINE const uint8_t *read_member(tam_listing_fast *fast,
                                      tam_key_slot **pslot, const uint8_t *at) {
  tam_key_slot *slot = &fast->slots[(*pslot)->next];
  const uint8_t *value = at + slot->len;
  if (!slot_is_at(slot, at)) {
    slot = slot_find(fast, *pslot, at, &value);
    if (slot == NULL) {
      return NULL;
    }
  }
  *pslot = slot;
  return read_any(fast, slot->field, tam_json_space(value));
}

// |at| is behind a member of a row. Returns where the next one begins, or the
// '}', or NULL.
TAM_INLINE const uint8_t *next_member(tam_listing_fast *fast,
                                      const uint8_t *at) {
  return tam_json_gap_next(&fast->member_gap, at, fast->guard);
}

// Reads the members of a row from |next| on. |at| is the place behind the
// member before it, of which |slot| is the key, or NULL when there is none: the
// walk then does not end in the row.
static const uint8_t *walk_row(tam_listing_fast *fast, tam_key_slot *slot,
                               const uint8_t *at, const uint8_t *next) {
  fast->at = NULL;
  while (next != NULL && *next != '}') {
    next = read_member(fast, &slot, next);
    if (next != NULL) {
      at = next;
      next = next_member(fast, at);
    }
  }
  if (next != NULL) {
    return next + 1;
  }
  return fast->at == NULL && at != NULL ? stop(fast, TAM_LEVEL_ROW, at) : NULL;
}

// Reads the row at |at|.
static const uint8_t *read_row(tam_listing_fast *fast, const uint8_t *at) {
  tam_listing_build_reset(fast->build);
  return walk_row(fast, &fast->slots[SLOT_START], NULL, tam_json_space(at + 1));
}

static int end_row(tam_listing_fast *fast) {
  const tam_listing_row *row = tam_listing_build_row(fast->build);
  fast->error = fast->on_row(fast->user_data, row);
  return fast->error;
}

// Continues behind a row.
static void walk_rows(tam_listing_fast *fast, const uint8_t *at) {
  for (;;) {
    const uint8_t *next = tam_json_comma(at, fast->guard, ']');
    fast->at = NULL;
    next = next != NULL && *next == '{' ? read_row(fast, next) : NULL;
    if (next == NULL) {
      if (fast->at == NULL) {
        stop(fast, TAM_LEVEL_ROWS, at);
      }
      return;
    }
    at = next;
    if (end_row(fast) != 0) {
      stop(fast, TAM_LEVEL_ROWS, at);
      return;
    }
  }
}

void tam_listing_fast_init(tam_listing_fast *fast, tam_listing_build *build,
                           tam_listing_on_row on_row, void *user_data) {
  memset(fast, 0, sizeof(*fast));
  fast->build = build;
  fast->on_row = on_row;
  fast->user_data = user_data;
  fast->member_gap = TAM_JSON_GAP_USUAL;
  fast->tag_gap = TAM_JSON_GAP_USUAL;
  fast->file_gap = (tam_json_gap){"},{\"rfilename\":\"", 0xffff, 16, 1};
  // What a slot remembers at first is the empty key: zeros would be found in a
  // damaged text.
  for (size_t i = 0; i < TAM_KEY_SLOTS; i++) {
    fast->slots[i] = (tam_key_slot){.text = "\"\":", .mask = 7, .len = 3};
  }
}

void tam_listing_fast_walk(tam_listing_fast *fast, const uint8_t *at,
                           const uint8_t *guard, tam_listing_level level) {
  fast->guard = guard;
  fast->error = 0;
  if (level == TAM_LEVEL_TAGS) {
    at = walk_tags(fast, at);
  } else if (level == TAM_LEVEL_SIBLINGS) {
    at = walk_siblings(fast, at);
  }
  if (at != NULL && level != TAM_LEVEL_ROWS) {
    at = walk_row(fast, &fast->slots[SLOT_OTHER], at, next_member(fast, at));
    if (at != NULL && end_row(fast) != 0) {
      stop(fast, TAM_LEVEL_ROWS, at);
      return;
    }
  }
  if (at != NULL) {
    walk_rows(fast, at);
  }
}
