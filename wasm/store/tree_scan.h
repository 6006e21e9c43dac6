// SPDX-License-Identifier: Apache-2.0
// Reads what the Hub says about the files of a repository, as its bytes arrive:
// the answer of /api/models/{id}/tree/{revision}?recursive=true, page by page,
// or that of paths-info, which has the same rows. A page is a JSON array of
//
//   { "type": "file", "path": "onnx/model.onnx", "size": 655272,
//     "oid": "<SHA-1 of the git blob>",
//     "lfs": { "oid": "<SHA-256>", "size": 655272, "pointerSize": 131 } }
//
// where "lfs" is missing (or null) for a file that lies in git itself, and the
// type may be "directory". Nothing is kept but the row in work. Text is
// accepted and rejected exactly as JSON.parse over fatal UTF-8 would, to a
// nesting of TAM_JSON_DEPTH_MAX; members come in any order, the last of equal
// ones counts, and unknown ones are skipped.
//
// Every row ends in exactly one of three ways: it is a file with everything
// that a download must know to be verified, it is a directory, or it has a
// flaw. Files and flaws go to different functions, so that no caller takes a
// row for a file because it forgot to look.
//
// What a planner makes of it: a model of which a needed file comes as a flaw
// must not be called verified, and a flaw without a path may have been any
// file. What was reported is the whole truth only after the last page ended
// well: a page that broke off may have had more. The scanner remembers no path,
// so whether one comes twice is for the caller to notice.
#ifndef TAM_STORE_TREE_SCAN_H
#define TAM_STORE_TREE_SCAN_H

#include "store/chunk_map.h"
#include "store/hub_file.h"
#include "store/sha1.h"
#include "store/sha256.h"

// Most rows of a listing, directories included: four times the most files among
// some 30,000 repositories. A server that always names a next page is stopped
// by it.
#define TAM_TREE_ROWS_MAX 100000

// Most bytes of a page: a thousand rows, which the Hub puts on one, with the
// longest paths, each byte of them escaped, and room for the other members.
#define TAM_TREE_PAGE_MAX (UINT32_C(1) << 23)

typedef struct tam_tree_scan tam_tree_scan;

// What the digest of a file is.
typedef enum tam_tree_digest {
  TAM_TREE_GIT_BLOB = 0, // SHA-1 of the git blob, see store/git_blob.h
  TAM_TREE_SHA256        // SHA-256 of the bytes: of files in LFS
} tam_tree_digest;

typedef struct tam_tree_file {
  tam_span path; // what tam_hub_path_check accepts
  uint64_t size; // in bytes, of the file itself, never its pointer
  tam_tree_digest digest_kind;
  tam_span digest; // TAM_SHA1_SIZE or TAM_SHA256_SIZE bytes
} tam_tree_file;

// Why a row is no file that can be verified: the first that applies.
typedef enum tam_tree_flaw {
  // It is no object, or its type is none that we know.
  TAM_TREE_FLAW_TYPE = 0,
  // A file without a path, or with one that tam_hub_path_check refuses.
  TAM_TREE_FLAW_PATH,
  // The size is missing or no integer from 0 to TAM_FILE_SIZE_MAX.
  TAM_TREE_FLAW_SIZE,
  // The digest is missing or not the right number of digits 0-9 and a-f. The
  // git digest of a file in LFS is that of its pointer, so it is no substitute
  // when |lfs| is there and of no use.
  TAM_TREE_FLAW_DIGEST
} tam_tree_flaw;

// Called for every file; |file| and its spans are valid during the call.
// Returns 0 to go on, or a negative error, which stops the scan and is returned
// by the feed that was in progress. It must not call the scanner.
typedef int (*tam_tree_on_file)(void *user_data, const tam_tree_file *file);

// The same for every row with |flaw|. |path| is what tam_hub_path_check
// accepts, or empty when the row has no such path.
typedef int (*tam_tree_on_flaw)(void *user_data, tam_tree_flaw flaw,
                                tam_span path);

// Whom a scanner reports to. Neither function may be NULL.
typedef struct tam_tree_sink {
  tam_tree_on_file on_file;
  tam_tree_on_flaw on_flaw;
  void *user_data; // handed to both
} tam_tree_sink;

// Creates a scanner for one listing that reports to |sink|, which is copied.
// |mem| is kept. Errors: OUT_OF_MEMORY.
int tam_tree_scan_new(tam_tree_scan **pscan, const tam_tree_sink *sink,
                      const tam_mem *mem);
void tam_tree_scan_del(tam_tree_scan *scan);

// Makes the scanner ready for the first page of a new listing. What broke off
// in the middle is started again with this, from its first page.
void tam_tree_scan_reset(tam_tree_scan *scan);

// Scans the next |data| of the page, in any pieces. A byte order mark at the
// start of a page is skipped. Returns 0 or
// * JSON_SYNTAX, JSON_UTF8, JSON_DEPTH: the page is not JSON, or too deep;
// * UNEXPECTED_SHAPE: it is JSON but not an array;
// * TOO_LARGE: the page is longer than TAM_TREE_PAGE_MAX, or the listing has
//   more than TAM_TREE_ROWS_MAX rows;
// * the error of a function of the sink.
// Errors are sticky until reset. Rows before the error have been reported.
int tam_tree_scan_feed(tam_tree_scan *scan, tam_span data);

// Says that the page is complete. Returns 0, and the scanner is ready for the
// next page of the listing, if there is one; or JSON_TRUNCATED (the text is not
// complete), UNEXPECTED_SHAPE (it is a number), or the sticky error.
int tam_tree_scan_end(tam_tree_scan *scan);

// Returns the offset in the page, in bytes, at which the scan stands or
// failed.
double tam_tree_scan_offset(const tam_tree_scan *scan);

#endif // TAM_STORE_TREE_SCAN_H
