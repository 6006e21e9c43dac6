// SPDX-License-Identifier: Apache-2.0
// The Hub of store_host.h: its files, and how it answers.
#include "store_host_parts.h"

#include "core/hex.h"
#include "core/json_write.h"
#include "store/content_hash.h"

// Room for a page of the tree.
#define PAGE_MAX 65536

// ---------------------------------------------------------------------------
// The Hub's files

hub_file *store_host_find_file(hub_commit *commit, const char *path) {
  for (size_t i = 0; i < commit->count; i++) {
    if (strcmp(commit->files[i].path, path) == 0) {
      return &commit->files[i];
    }
  }
  return NULL;
}

void store_host_add_file(store_host *host, const char *path, size_t size,
                         unsigned seed, int is_lfs) {
  hub_commit *commit = &host->commits[host->commit_count - 1];
  hub_file *file = store_host_find_file(commit, path);
  if (file == NULL) {
    file = &commit->files[commit->count++];
    memset(file, 0, sizeof(*file));
    snprintf(file->path, sizeof(file->path), "%s", path);
  }
  free(file->bytes);
  file->bytes = malloc(size + 1);
  file->size = size;
  file->is_lfs = is_lfs;
  for (size_t i = 0; i < size; i++) {
    seed = seed * 1103515245U + 12345U;
    file->bytes[i] = (uint8_t)(seed >> 16);
  }
}

hub_commit *store_host_add_commit(store_host *host, const char *sha) {
  hub_commit *commit = &host->commits[host->commit_count];
  memset(commit, 0, sizeof(*commit));
  snprintf(commit->sha, sizeof(commit->sha), "%s", sha);
  host->main = host->commit_count++;
  if (host->main > 0) {
    const hub_commit *before = commit - 1;
    for (size_t i = 0; i < before->count; i++) {
      const hub_file *file = &before->files[i];
      commit->files[i] = *file;
      commit->files[i].bytes =
          (uint8_t *)store_host_copy_text((tam_span){file->bytes, file->size});
    }
    commit->count = before->count;
  }
  return commit;
}

// ---------------------------------------------------------------------------
// Answers of the Hub

static void feed_head(store_host *host, uint32_t request, uint32_t status,
                      const char *headers) {
  if (store_host_is_live(host, request)) {
    store_host_feed(host, (tam_event){.kind = TAM_EVENT_HTTP_HEAD,
                                      .request = request,
                                      .status = status,
                                      .payload = tam_span_of(headers)});
  }
}

// Feeds a body, which is kept when the order says so.
static void feed_body(store_host *host, const host_order *order,
                      tam_span body) {
  uint32_t request = order->request;
  if (!store_host_is_live(host, request)) {
    return;
  }
  if ((order->flags & TAM_FETCH_FLAG_KEEP) == 0) {
    store_host_feed_bytes(host, TAM_EVENT_HTTP_DATA, request, body);
    return;
  }
  size_t piece = store_host_piece_of(host);
  for (size_t at = 0; at < body.len && store_host_is_live(host, request);
       at += piece) {
    size_t len = body.len - at < piece ? body.len - at : piece;
    if ((order->flags & TAM_FETCH_FLAG_WHOLE) == 0) {
      store_host_feed(host, (tam_event){.kind = TAM_EVENT_HTTP_KEPT,
                                        .request = request,
                                        .status = (uint32_t)len});
    }
  }
}

static void end_body(store_host *host, const host_order *order, tam_span body) {
  uint32_t request = order->request;
  if (!store_host_is_live(host, request)) {
    return;
  }
  int is_kept = (order->flags & TAM_FETCH_FLAG_KEEP) != 0;
  if (is_kept) {
    store_host_keep(host, request, body);
  }
  store_host_feed(host,
                  (tam_event){.kind = TAM_EVENT_HTTP_END,
                              .request = request,
                              .status = is_kept ? (uint32_t)body.len : 0});
}

// |kept| bytes of the body are kept.
static void break_off(store_host *host, uint32_t request, size_t kept) {
  if (store_host_is_live(host, request)) {
    store_host_feed(
        host, (tam_event){.kind = TAM_EVENT_HTTP_FAIL,
                          .request = request,
                          .status = (uint32_t)kept,
                          .payload = TAM_SPAN("the connection was reset")});
  }
}

static void answer_text(store_host *host, const host_order *order,
                        const char *headers, tam_span text) {
  feed_head(host, order->request, 200, headers);
  feed_body(host, order, text);
  end_body(host, order, text);
}

static void answer_revision(store_host *host, const host_order *order) {
  char text[128];
  snprintf(text, sizeof(text), "{\"sha\":\"%s\",\"pipeline_tag\":\"x\"}",
           host->commits[host->main].sha);
  answer_text(host, order, "", tam_span_of(text));
}

static hub_commit *find_commit(store_host *host, const char *sha) {
  for (size_t i = 0; i < host->commit_count; i++) {
    if (strncmp(host->commits[i].sha, sha, 40) == 0) {
      return &host->commits[i];
    }
  }
  return NULL;
}

// Writes the digests by which the Hub names the content of |file|.
static void write_digests(const hub_file *file, tam_buf *json) {
  uint8_t digest[TAM_CONTENT_DIGEST_MAX];
  uint8_t text[2 * TAM_CONTENT_DIGEST_MAX];
  tam_content_hash hash;
  uint8_t algorithm =
      file->is_lfs ? TAM_FILE_HASH_SHA256 : TAM_FILE_HASH_GIT_SHA1;
  size_t size = tam_file_hash_digest_size(algorithm);
  tam_content_hash_init(&hash, algorithm, file->size);
  tam_content_hash_update(&hash, (tam_span){file->bytes, file->size});
  tam_content_hash_final(&hash, digest);
  tam_hex_write(text, (tam_span){digest, size});
  if (!file->is_lfs) {
    tam_json_write_string_member(json, "oid", (tam_span){text, 2 * size});
    return;
  }
  tam_json_write_name_member(json, "oid",
                             "0000000000000000000000000000000000000000");
  tam_json_write_member_begin(json, "lfs");
  tam_json_write_string_member(json, "oid", (tam_span){text, 2 * size});
  tam_json_write_number_member(json, "size", (double)file->size);
  tam_json_write_object_end(json);
}

static void answer_tree(store_host *host, const host_order *order,
                        const hub_commit *commit) {
  const char *cursor = strstr(order->text, "&cursor=");
  size_t from = cursor == NULL ? 0 : strtoul(cursor + 8, NULL, 10);
  size_t to = host->tree_page == 0 ? commit->count : from + host->tree_page;
  tam_mem mem = tam_mem_default();
  char link[256] = "";
  tam_buf json;
  tam_buf_init(&json, &mem, PAGE_MAX);
  tam_json_write_array_begin(&json);
  for (size_t i = from; i < to && i < commit->count; i++) {
    const hub_file *file = &commit->files[i];
    tam_json_write_object_begin(&json);
    tam_json_write_name_member(&json, "type", "file");
    tam_json_write_name_member(&json, "path", file->path);
    tam_json_write_number_member(&json, "size", (double)file->size);
    write_digests(file, &json);
    tam_json_write_object_end(&json);
  }
  tam_json_write_array_end(&json);
  if (to < commit->count || host->is_tree_endless) {
    snprintf(link, sizeof(link),
             "link: <https://elsewhere.test/x?cursor=%zu>; rel=\"next\"\r\n",
             to);
  }
  answer_text(host, order, link, tam_buf_span(&json));
  tam_buf_free(&json);
}

// What of |file| is asked for, and how the head of the answer says so.
static uint32_t read_range(const host_order *order, const hub_file *file,
                           size_t *pfrom, size_t *pto, char *headers) {
  const char *range = strstr((const char *)order->bytes, "range: bytes=");
  const char *etag = strstr((const char *)order->bytes, "if-range: ");
  char mine[64];
  int len = snprintf(mine, sizeof(mine), "\"%02x%zu\"",
                     file->size > 0 ? file->bytes[0] : 0, file->size);
  *pfrom = 0;
  *pto = file->size;
  if (range == NULL ||
      (etag != NULL && strncmp(etag + 10, mine, (size_t)len) != 0)) {
    sprintf(headers, "etag: %s\r\n", mine);
    return 200;
  }
  char *after;
  *pfrom = strtoul(range + 13, &after, 10);
  *pto = strtoul(after + 1, NULL, 10) + 1;
  if (*after != '-' || *pto > file->size || *pfrom >= *pto) {
    fake_host_broken("parts that are asked for are parts of the file");
  }
  sprintf(headers, "etag: %s\r\ncontent-range: bytes %zu-%zu/%zu\r\n", mine,
          *pfrom, *pto - 1, file->size);
  return 206;
}

static void refuse(store_host *host, const host_order *order, uint32_t status,
                   const char *headers) {
  feed_head(host, order->request, status, headers);
  end_body(host, order, TAM_SPAN_NONE);
}

// Returns 1 when the fault is the whole answer.
static int answer_fault(store_host *host, const host_order *order,
                        hub_fault fault) {
  switch (fault) {
  case HUB_FAULT_RESET:
    break_off(host, order->request, 0);
    return 1;
  case HUB_FAULT_NOT_FOUND:
    refuse(host, order, 404, "x-error-code: EntryNotFound\r\n");
    return 1;
  case HUB_FAULT_GATED:
    refuse(host, order, 403, "x-error-code: GatedRepo\r\n");
    return 1;
  case HUB_FAULT_FORBIDDEN:
    refuse(host, order, 403, "");
    return 1;
  case HUB_FAULT_SERVER:
    refuse(host, order, 500, "");
    return 1;
  case HUB_FAULT_LIMIT:
    refuse(host, order, 429, "ratelimit: \"resolvers\";r=0;t=30\r\n");
    return 1;
  case HUB_FAULT_SILENT:
    return 1;
  default:
    return 0;
  }
}

static void answer_part(store_host *host, const host_order *order,
                        const hub_file *file, hub_fault fault) {
  char headers[256];
  size_t from;
  size_t to;
  uint32_t status = read_range(order, file, &from, &to, headers);
  if (fault == HUB_FAULT_WHOLE) {
    status = 200;
    from = 0;
    to = file->size;
  } else if (fault == HUB_FAULT_OTHER_PART && status == 206) {
    sprintf(headers, "content-range: bytes %zu-%zu/%zu\r\n", from + 1, to,
            file->size);
  }
  uint8_t *copy = (uint8_t *)store_host_copy_text(tam_span_head(
      tam_span_from((tam_span){file->bytes, file->size}, from), to - from));
  size_t len = to - from;
  if (fault == HUB_FAULT_FLIP && len > 0) {
    copy[len / 2] ^= 1;
  }
  len += fault == HUB_FAULT_LONG; // the byte of the terminator
  len -= fault == HUB_FAULT_SHORT && len > 0;
  tam_span body = {copy, len};
  feed_head(host, order->request, status, headers);
  if (fault == HUB_FAULT_BREAK || fault == HUB_FAULT_STALL) {
    tam_span half = tam_span_head(body, len / 2);
    int is_told =
        (order->flags & (TAM_FETCH_FLAG_KEEP | TAM_FETCH_FLAG_WHOLE)) ==
        TAM_FETCH_FLAG_KEEP;
    feed_body(host, order, half);
    if (is_told && half.len > 0 && store_host_is_live(host, order->request)) {
      store_host_keep(host, order->request, half);
    }
    if (fault == HUB_FAULT_BREAK) {
      break_off(host, order->request, is_told ? half.len : 0);
    }
  } else {
    feed_body(host, order, body);
    end_body(host, order, body);
  }
  host->file_bytes +=
      fault == HUB_FAULT_BREAK || fault == HUB_FAULT_STALL ? len / 2 : len;
  free(copy);
}

static void answer_file(store_host *host, const host_order *order,
                        hub_fault fault) {
  const char *sha = strstr(order->text, "/resolve/");
  hub_commit *commit = sha == NULL ? NULL : find_commit(host, sha + 9);
  const hub_file *file =
      commit == NULL ? NULL : store_host_find_file(commit, sha + 9 + 41);
  if (file == NULL) {
    fake_host_broken("files are asked for that the commit has");
  }
  store_host_replace_text(&host->url, tam_span_of(order->text));
  store_host_replace_text(&host->headers,
                          (tam_span){order->bytes, order->bytes_len});
  answer_part(host, order, file, fault);
}

void store_host_answer_fetch(store_host *host, const host_order *order) {
  const char *path = order->text + strlen(STORE_HOST_URL);
  int is_api = strncmp(path, "/api/models/" STORE_HOST_MODEL "/", 23) == 0;
  hub_fault fault = is_api ? host->api_fault : HUB_FAULT_NONE;
  host->fetches++;
  host->file_fetches += !is_api;
  if (host->fault != NULL && !is_api) {
    fault = host->fault(host, order->text, host->file_fetches);
  }
  if (strstr(path, "&cursor=") != NULL && host->later_page_fault != 0) {
    fault = host->later_page_fault;
  }
  if (host->is_offline) {
    fault = HUB_FAULT_RESET;
  }
  if (answer_fault(host, order, fault)) {
    return;
  }
  if (!is_api) {
    answer_file(host, order, fault);
    return;
  }
  const char *tree = strstr(path, "/tree/");
  if (fault == HUB_FAULT_BREAK) {
    feed_head(host, order->request, 200, "");
    feed_body(host, order, TAM_SPAN("[{\"type\":\"fi"));
    break_off(host, order->request, 0);
  } else if (tree == NULL) {
    answer_revision(host, order);
  } else {
    answer_tree(host, order, find_commit(host, tree + 6));
  }
}

hub_fault store_host_file_fault(store_host *host, const char *url,
                                unsigned nth) {
  (void)url;
  return nth >= host->fault_from && nth <= host->fault_to ? host->fault_kind
                                                          : HUB_FAULT_NONE;
}
