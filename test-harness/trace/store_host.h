// SPDX-License-Identifier: Apache-2.0
// A host with a storage and a Hub, both in memory: it carries out what the
// store orders until nothing is left to do, so that whole operations run in one
// call. Knobs decide in which pieces and in which order answers come, and which
// of them fail. fake_host.h holds the manager to its promises meanwhile.
#ifndef TAM_TRACE_STORE_HOST_H
#define TAM_TRACE_STORE_HOST_H

#include "fake_host.h"

#define STORE_HOST_URL "https://hub.test"

#define STORE_HOST_FILES_MAX   12
#define STORE_HOST_COMMITS_MAX 3

// A file of a commit. Its bytes are made up from |seed|.
typedef struct hub_file {
  char path[128];
  uint8_t *bytes;
  size_t size;
  int is_lfs;
} hub_file;

typedef struct hub_commit {
  char sha[41];
  hub_file files[STORE_HOST_FILES_MAX];
  size_t count;
} hub_commit;

// An entry of the storage.
typedef struct stored_entry {
  char store[24];
  char *key;
  uint8_t *bytes;
  size_t size;
  int is_content; // a Blob, not a record
} stored_entry;

// An order that waits for its answer.
typedef struct host_order {
  uint32_t request;
  uint32_t op;
  int is_store;
  uint32_t flags;
  char *text; // the URL, or the JSON
  size_t text_len;
  uint8_t *bytes; // the headers, or what is written
  size_t bytes_len;
} host_order;

// Bytes that are kept under a request.
typedef struct kept_bytes {
  uint32_t request;
  uint8_t *bytes;
  size_t size;
} kept_bytes;

// What can go wrong with a request to the Hub.
typedef enum hub_fault {
  HUB_FAULT_NONE = 0,
  HUB_FAULT_RESET,      // no connection
  HUB_FAULT_BREAK,      // the body breaks off in the middle
  HUB_FAULT_STALL,      // it stops in the middle, and nothing more comes
  HUB_FAULT_SHORT,      // the body ends in the middle
  HUB_FAULT_LONG,       // it has a byte too many
  HUB_FAULT_FLIP,       // a bit of it is wrong
  HUB_FAULT_WHOLE,      // the whole file where a part was asked for
  HUB_FAULT_OTHER_PART, // another part than the one asked for
  HUB_FAULT_NOT_FOUND,
  HUB_FAULT_GATED,
  HUB_FAULT_FORBIDDEN, // a signed address has run out
  HUB_FAULT_SERVER,    // status 500
  HUB_FAULT_LIMIT,     // status 429
  HUB_FAULT_SILENT,    // no answer at all
  HUB_FAULT_COUNT
} hub_fault;

typedef struct store_host store_host;

// Is asked about every request to the Hub, the |nth| one counted from 1.
typedef hub_fault (*store_host_fault)(store_host *host, const char *url,
                                      unsigned nth);

struct store_host {
  fake_host host;

  // Knobs.
  size_t piece;     // bytes of an event; 0: as many as fit
  unsigned order;   // 0: first come, first served; 1: the other way round;
                    // else any order, by this seed
  size_t tree_page; // files on a page of the tree; 0: all of them
  int is_tree_endless;
  hub_fault api_fault;
  hub_fault later_page_fault; // of pages of the tree behind the first
  store_host_fault fault;
  unsigned fault_from; // for the use of |fault|
  unsigned fault_to;
  hub_fault fault_kind;
  unsigned fail_order; // the request of the storage, counted from 1, that fails
  const char *fail_words;
  int fail_all; // and all behind it
  double usage;
  double quota;            // -1: no estimate
  double latency_ms;       // passes before each answer
  int is_locked_elsewhere; // another context has the lock
  int is_hostile; // others feed events, too: answers need not make sense

  // What there is.
  hub_commit commits[STORE_HOST_COMMITS_MAX];
  size_t commit_count;
  size_t main; // the commit that the branch names
  int is_offline;
  stored_entry *entries; // in the order of their keys
  size_t entry_count;

  // What happened.
  host_order *orders;
  size_t order_count;
  kept_bytes *kept;
  size_t kept_count;
  kept_bytes *opened; // files, by the numbers of their operations
  size_t opened_count;
  unsigned fetches; // requests to the Hub so far
  unsigned file_fetches;
  unsigned storage_orders;
  uint64_t file_bytes; // that the Hub sent of files
  uint32_t last_op;
  char *last;      // the latest terminal message
  char *progress;  // the latest other one
  uint8_t *served; // or opened, by one that came to a good end
  size_t served_len;
  char *url;     // the latest request for a file, and ...
  char *headers; // ... its headers
};

#define STORE_HOST_MODEL  "owner/name"
#define STORE_HOST_COMMIT "00112233445566778899aabbccddeeff00112233"

// Makes a host with an empty storage and a Hub with one commit without files.
// Set the knobs afterwards; |heap| of the inner host before.
int store_host_init(store_host *host);

// Deletes it all. What runs is cancelled first.
void store_host_free(store_host *host);

// Adds a commit whose files are those of the one before it, and makes it that
// of the branch.
hub_commit *store_host_add_commit(store_host *host, const char *sha);

// Adds a file to the latest commit, or replaces it. Its bytes are made from
// |seed|: equal seeds and sizes, equal bytes.
void store_host_add_file(store_host *host, const char *path, size_t size,
                         unsigned seed, int is_lfs);
hub_file *store_host_find_file(hub_commit *commit, const char *path);

// Starts the operation of |message|, JSON without an id. Returns its number.
uint32_t store_host_start(store_host *host, const char *message);

// Does one thing that waits to be done. Returns 0 when there is none.
int store_host_step(store_host *host);

// Does all of it.
void store_host_run(store_host *host);

// Starts an operation and lets it come to its end. Returns the terminal
// message, which is valid until the next one.
const char *store_host_do(store_host *host, const char *message);

// Return an entry of the storage, or NULL.
stored_entry *store_host_find(const store_host *host, const char *store,
                              const char *key);

// Writes an entry, as another context would.
void store_host_put(store_host *host, const char *store, const char *key,
                    tam_span bytes, int is_content);
void store_host_delete(store_host *host, const char *store, const char *key);

// A fault that befalls requests for files from the |fault_from|-th to the
// |fault_to|-th one.
hub_fault store_host_file_fault(store_host *host, const char *url,
                                unsigned nth);

#endif // TAM_TRACE_STORE_HOST_H
