// SPDX-License-Identifier: Apache-2.0
// Small JSON documents as a tree: requests from the user. The one door to
// cJSON. What JSON.parse would refuse is refused. What a tree of C strings
// cannot hold is replaced: U+0000 by U+0001, which is a control character as
// well, and a lone surrogate by U+FFFD, as by TextEncoder. Requests may hold a
// token: all memory of a tree is wiped when it is freed.
#ifndef TAM_CORE_JSON_TREE_H
#define TAM_CORE_JSON_TREE_H

#include "core/span.h"

// The longest document: what fits one event.
#define TAM_JSON_TREE_LEN_MAX TAM_EVENT_PAYLOAD_MAX

// The deepest nesting. Requests need four levels; parser and deletion are
// recursive, and the stack of the module is 64 KiB.
#define TAM_JSON_TREE_DEPTH_MAX 64

// A value in a tree, or the root. All getters accept NULL, which stands for a
// value that is not there, so that lookups can be chained.
typedef struct cJSON tam_json_node;

typedef enum tam_json_kind {
  TAM_JSON_KIND_MISSING = 0,
  TAM_JSON_KIND_NULL,
  TAM_JSON_KIND_BOOL,
  TAM_JSON_KIND_NUMBER,
  TAM_JSON_KIND_STRING,
  TAM_JSON_KIND_ARRAY,
  TAM_JSON_KIND_OBJECT
} tam_json_kind;

// Parses |text| into |*proot|, with memory from |mem|; |text| is not needed
// afterwards. Errors: TOO_LARGE, JSON_SYNTAX, JSON_UTF8, JSON_DEPTH,
// JSON_TRUNCATED, OUT_OF_MEMORY, UNEXPECTED_SHAPE (valid, but with a number of
// more than 63 characters).
int tam_json_tree_parse(tam_json_node **proot, tam_span text,
                        const tam_mem *mem);

// Frees a tree with the |mem| it was parsed with; NULL is allowed.
void tam_json_tree_free(tam_json_node *root, const tam_mem *mem);

tam_json_kind tam_json_get_kind(const tam_json_node *node);

// Returns the member |key| of |object|, the last one when there are several, or
// NULL when there is none or |object| is of another kind.
const tam_json_node *tam_json_get_member(const tam_json_node *object,
                                         tam_span key);

// Returns the first element of an array or member of an object, or NULL.
const tam_json_node *tam_json_get_first(const tam_json_node *container);

// Returns the element or member after |node|, or NULL.
const tam_json_node *tam_json_get_next(const tam_json_node *node);

// Returns the key of a member, empty for everything else. NUL-terminated and
// valid, like all texts from here, until the tree is freed.
const char *tam_json_get_key_text(const tam_json_node *node);

// Returns the value of a string, empty for other kinds.
const char *tam_json_get_text(const tam_json_node *node);

// The same two as spans.
TAM_SPAN_INLINE tam_span tam_json_get_key(const tam_json_node *node) {
  return tam_span_of(tam_json_get_key_text(node));
}
TAM_SPAN_INLINE tam_span tam_json_get_string(const tam_json_node *node) {
  return tam_span_of(tam_json_get_text(node));
}

// Return the value of a number or bool; 0 for other kinds.
double tam_json_get_number(const tam_json_node *node);
int tam_json_get_bool(const tam_json_node *node);

#endif // TAM_CORE_JSON_TREE_H
