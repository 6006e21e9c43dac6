// SPDX-License-Identifier: Apache-2.0
// Reads the Hub's answer to the question whose a token is, as it arrives: of an
// account with any number of organizations two names are kept.
#ifndef TAM_ACCOUNT_WHOAMI_H
#define TAM_ACCOUNT_WHOAMI_H

#include "core/json_scan.h"
#include "core/span.h"

// The longest name of an account or of a role; the Hub's are shorter. Longer
// ones are taken for absent.
#define TAM_WHOAMI_NAME_MAX 96

typedef struct tam_whoami_name {
  size_t len; // 0: absent
  uint8_t text[TAM_WHOAMI_NAME_MAX];
} tam_whoami_name;

typedef struct tam_whoami {
  tam_whoami_name name; // of the account
  tam_whoami_name role; // of the token: auth.accessToken.role
  tam_json_scan scan;
  uint8_t scratch[TAM_WHOAMI_NAME_MAX * TAM_JSON_ESCAPE_RATIO];
  uint8_t level;  // how deep it is in the objects that lead to the role
  uint8_t member; // what the next value is, see whoami.c
} tam_whoami;

// Makes |self| ready for an answer.
void tam_whoami_init(tam_whoami *self);

// Takes in the next bytes.
void tam_whoami_feed(tam_whoami *self, tam_span piece);

// Says that there are no more. Returns 0, a JSON_ error, or UNEXPECTED_SHAPE:
// no account is named.
int tam_whoami_end(tam_whoami *self);

TAM_SPAN_INLINE tam_span tam_whoami_text(const tam_whoami_name *name) {
  return (tam_span){name->text, name->len};
}

#endif // TAM_ACCOUNT_WHOAMI_H
