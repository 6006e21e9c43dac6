// SPDX-License-Identifier: Apache-2.0
#include "account/whoami.h"

#include "core/names.h"

#include <string.h>

// The members that matter, by the level on which they stand; the last one of a
// level leads to the next.
enum { OTHER = 0, NAME, WAY, ROLE };

void tam_whoami_init(tam_whoami *self) {
  memset(self, 0, sizeof(*self));
  tam_json_scan_init(&self->scan, self->scratch, sizeof(self->scratch));
}

static uint8_t member_of(const tam_whoami *self, tam_span key) {
  switch (self->level) {
  case 1:
    return tam_span_is(key, "auth")   ? WAY
           : tam_span_is(key, "name") ? NAME
                                      : OTHER;
  case 2:
    return tam_span_is(key, "accessToken") ? WAY : OTHER;
  default:
    return tam_span_is(key, "role") ? ROLE : OTHER;
  }
}

static void take_key(tam_whoami *self) {
  tam_span key;
  self->member = tam_json_scan_text(&self->scan, TAM_WHOAMI_NAME_MAX, &key)
                     ? member_of(self, key)
                     : OTHER;
  if (self->member == OTHER) {
    tam_json_scan_skip(&self->scan);
  }
}

// Of several members of a name the last one counts.
static void take_name(tam_whoami *self, tam_whoami_name *name) {
  tam_span text = TAM_SPAN_NONE;
  name->len = 0;
  if (tam_json_scan_text(&self->scan, TAM_WHOAMI_NAME_MAX, &text)) {
    tam_text_copy(name->text, text);
    name->len = text.len;
  }
}

static void take(tam_whoami *self, int token) {
  uint8_t member = self->member;
  self->member = OTHER;
  switch (token) {
  case TAM_JSON_KEY:
    take_key(self);
    break;
  case TAM_JSON_OBJECT:
    if (self->level == 0 || member == WAY) {
      self->level++;
      break;
    }
    tam_json_scan_skip(&self->scan);
    break;
  case TAM_JSON_ARRAY:
    tam_json_scan_skip(&self->scan);
    break;
  case TAM_JSON_OBJECT_END:
    self->level--;
    break;
  case TAM_JSON_STRING:
    if (member == NAME || member == ROLE) {
      take_name(self, member == NAME ? &self->name : &self->role);
    }
    break;
  default:
    break;
  }
}

void tam_whoami_feed(tam_whoami *self, tam_span piece) {
  int token = self->scan.error;
  if (token < 0) {
    return;
  }
  tam_json_scan_input(&self->scan, piece);
  while ((token = tam_json_scan_next(&self->scan)) > 0) {
    take(self, token);
  }
}

int tam_whoami_end(tam_whoami *self) {
  int error = tam_json_scan_end(&self->scan);
  return error == 0 && self->name.len == 0 ? TAM_ERR_UNEXPECTED_SHAPE : error;
}
