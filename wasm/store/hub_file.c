// SPDX-License-Identifier: Apache-2.0
#include "store/hub_file.h"

#include "core/hex.h"
#include "core/names.h"
#include "core/percent.h"

#define ROUTE TAM_SPAN("resolve")

// What begins a path of the Hub that is no model.
#define OTHER_ROUTES                                                           \
  "api\0"                                                                      \
  "buckets\0"                                                                  \
  "datasets\0"                                                                 \
  "kernels\0"                                                                  \
  "models\0"                                                                   \
  "spaces\0"

#define COMMIT_DIGITS 40

// ---------------------------------------------------------------------------
// Rules

// Not a character: the bytes are not UTF-8.
#define MALFORMED UINT32_MAX

// Returns the character at |*pat|, which is before the end, and moves |*pat|
// behind it; or MALFORMED.
static uint32_t utf8_read(tam_span text, size_t *pat) {
  static const uint32_t min[4] = {0, 0x80, 0x800, 0x10000};
  uint32_t code = text.ptr[(*pat)++];
  size_t more = 0; // bytes that continue the character
  if (code >= 0x80) {
    more = code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : 1;
    if (code < 0xc0 || code >= 0xf8 || more > text.len - *pat) {
      return MALFORMED;
    }
    code &= 0x3fU >> more;
  }
  for (size_t i = 0; i < more; i++) {
    uint32_t byte = text.ptr[(*pat)++];
    if ((byte & 0xc0U) != 0x80U) {
      return MALFORMED;
    }
    code = code << 6 | (byte & 0x3fU);
  }
  int is_surrogate = (code & ~0x7ffU) == 0xd800U;
  return code < min[more] || code > 0x10ffff || is_surrogate ? MALFORMED : code;
}

static int has_only_good_characters(tam_span text) {
  size_t at = 0;
  while (at < text.len) {
    uint32_t code = utf8_read(text, &at);
    int is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    if (code == MALFORMED || code == '\\' || is_control) {
      return 0;
    }
  }
  return 1;
}

// What URLs and file systems read as no name, this folder, the one above.
static int has_only_good_segments(tam_span text) {
  for (;;) {
    size_t end = tam_span_find_byte(text, '/');
    tam_span segment = tam_span_head(text, end);
    if (segment.len == 0 || tam_span_is(segment, ".") ||
        tam_span_is(segment, "..")) {
      return 0;
    }
    if (end == text.len) {
      return 1;
    }
    text = tam_span_from(text, end + 1);
  }
}

static int text_check(tam_span text, size_t max) {
  if (text.len > max) {
    return TAM_ERR_TOO_LARGE;
  }
  return has_only_good_segments(text) && has_only_good_characters(text)
             ? 0
             : TAM_ERR_INVALID_ARGUMENT;
}

static int repo_is_good(tam_span repo) {
  size_t slash;
  return tam_repo_id_read(repo, &slash) &&
         tam_names_find(OTHER_ROUTES, tam_span_head(repo, slash)) < 0 &&
         !tam_span_eq(tam_span_from(repo, slash + 1), ROUTE);
}

static int revision_check(tam_span revision) {
  return tam_span_is(revision, "refs")
             ? TAM_ERR_INVALID_ARGUMENT
             : text_check(revision, TAM_HUB_REVISION_MAX);
}

int tam_hub_path_check(tam_span path) {
  return text_check(path, TAM_HUB_PATH_MAX);
}

int tam_hub_file_check(const tam_hub_file *file) {
  if (!repo_is_good(file->repo)) {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  int error = revision_check(file->revision);
  return error != 0 ? error : tam_hub_path_check(file->path);
}

int tam_hub_revision_is_commit(tam_span revision) {
  uint8_t bytes[COMMIT_DIGITS / 2];
  return tam_hex_read(revision, bytes, sizeof(bytes));
}

// ---------------------------------------------------------------------------
// Reading

// Cuts what is before the next slash off |*prest|, and the slash. Returns 0
// when there is none.
static int cut_segment(tam_span *prest, tam_span *psegment) {
  size_t end = tam_span_find_byte(*prest, '/');
  if (end == prest->len) {
    return 0;
  }
  *psegment = tam_span_head(*prest, end);
  *prest = tam_span_from(*prest, end + 1);
  return 1;
}

// Takes |route|, which is behind the endpoint's slash, apart into |encoded|.
// Returns 0 when it does not lead to a file. One part before "resolve" is
// enough: the Hub reads an id without an owner first.
static int route_read(tam_span route, tam_hub_file *encoded) {
  tam_span rest = route;
  tam_span segment;
  if (!cut_segment(&rest, &segment)) {
    return 0;
  }
  size_t repo_len = segment.len;
  if (!cut_segment(&rest, &segment)) {
    return 0;
  }
  if (!tam_span_eq(segment, ROUTE)) {
    repo_len += 1 + segment.len;
    if (!cut_segment(&rest, &segment) || !tam_span_eq(segment, ROUTE)) {
      return 0;
    }
  }
  encoded->repo = tam_span_head(route, repo_len);
  if (!cut_segment(&rest, &encoded->revision) || rest.len == 0) {
    return 0;
  }
  encoded->path = rest;
  return repo_is_good(encoded->repo);
}

// Decodes |encoded| into the |max| bytes at |text|, and stores what it is there
// into |*pdecoded|. An encoded slash is no slash of a path.
static int decode(tam_span encoded, int is_path, uint8_t *text, size_t max,
                  tam_span *pdecoded) {
  tam_buf to;
  tam_buf_init_fixed(&to, text, max);
  for (size_t i = 0; i < encoded.len; i++) {
    uint8_t byte = encoded.ptr[i];
    if (byte == '%') {
      int escaped = tam_percent_byte_at(encoded, i);
      if (escaped < 0 || (escaped == '/' && is_path)) {
        return TAM_ERR_INVALID_ARGUMENT;
      }
      byte = (uint8_t)escaped;
      i += 2;
    }
    tam_buf_append_byte(&to, byte);
    if (to.error != 0) {
      return to.error;
    }
  }
  *pdecoded = tam_buf_span(&to);
  return 0;
}

// Decodes the parts of |encoded| into |text|, one behind the other.
static int file_decode(const tam_hub_file *encoded, uint8_t *text,
                       tam_hub_file *file) {
  tam_text_copy(text, encoded->repo);
  file->repo = (tam_span){text, encoded->repo.len};
  text += TAM_REPO_ID_MAX;
  int error =
      decode(encoded->revision, 0, text, TAM_HUB_REVISION_MAX, &file->revision);
  if (error != 0) {
    return error;
  }
  text += TAM_HUB_REVISION_MAX;
  error = decode(encoded->path, 1, text, TAM_HUB_PATH_MAX, &file->path);
  return error != 0 ? error : tam_hub_file_check(file);
}

static tam_span without_query(tam_span url) {
  url = tam_span_head(url, tam_span_find_byte(url, '#'));
  return tam_span_head(url, tam_span_find_byte(url, '?'));
}

int tam_hub_file_parse(tam_hub_file *file, uint8_t *text, tam_span endpoint,
                       tam_span url) {
  tam_hub_file encoded;
  tam_hub_file decoded;
  if (!tam_span_starts_with(url, endpoint)) {
    return 0;
  }
  tam_span rest = tam_span_from(without_query(url), endpoint.len);
  if (rest.len == 0 || rest.ptr[0] != '/' ||
      !route_read(tam_span_from(rest, 1), &encoded)) {
    return 0;
  }
  // Whoever fetches a URL drops blanks from its end.
  if (url.ptr[url.len - 1] == ' ') {
    return TAM_ERR_INVALID_ARGUMENT;
  }
  int error = file_decode(&encoded, text, &decoded);
  if (error != 0) {
    return error;
  }
  *file = decoded;
  return 1;
}

// ---------------------------------------------------------------------------
// Writing

int tam_hub_file_append_url(tam_buf *url, tam_span endpoint,
                            const tam_hub_file *file) {
  int error = tam_hub_file_check(file);
  if (error != 0) {
    return error;
  }
  tam_buf_append(url, endpoint);
  tam_buf_append_byte(url, '/');
  tam_buf_append(url, file->repo);
  tam_buf_append_text(url, "/resolve/");
  tam_percent_encode(url, file->revision, 0);
  tam_buf_append_byte(url, '/');
  tam_percent_encode(url, file->path, '/');
  return url->error;
}
