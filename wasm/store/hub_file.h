// SPDX-License-Identifier: Apache-2.0
// What identifies a file of the Hub: repository, revision and path. Not the
// host: a mirror serves the same file.
//
// On the wire a file is
//
//   <endpoint>/<repository>/resolve/<revision>/<path>[?<query>][#<fragment>]
//
// The query changes how the Hub labels its answer (?download=true), not the
// bytes. The routes /raw/ and /blob/ look alike and serve something else: the
// pointer text of a large file, and a page about it.
#ifndef TAM_STORE_HUB_FILE_H
#define TAM_STORE_HUB_FILE_H

#include "core/buf.h"
#include "core/repo_id.h"

// Longest revision in bytes. Git keeps a branch in a file of its name, and file
// systems end there.
#define TAM_HUB_REVISION_MAX 255

// Longest path in bytes: four times the longest one among some 30,000
// repositories.
#define TAM_HUB_PATH_MAX 1024

// Room for the text of any file: the three parts.
#define TAM_HUB_FILE_TEXT_MAX                                                  \
  (TAM_REPO_ID_MAX + TAM_HUB_REVISION_MAX + TAM_HUB_PATH_MAX)

// The longest URL of a file in bytes, without the endpoint before it: every
// byte of revision and path may take three.
#define TAM_HUB_FILE_URL_MAX                                                   \
  (TAM_REPO_ID_MAX + 3 * (TAM_HUB_REVISION_MAX + TAM_HUB_PATH_MAX) +           \
   sizeof("//resolve//") - 1)

// A file, as plain text: nothing is percent-encoded. The bytes belong to
// somebody else.
typedef struct tam_hub_file {
  tam_span repo;     // "name" or "owner/name"
  tam_span revision; // "main", "v1.0", "refs/pr/1", 40 hexadecimal digits, ...
  tam_span path;     // in the repository: "onnx/model.onnx"
} tam_hub_file;

// Says whether |file| can name a file. Revision and path are well-formed UTF-8
// without control characters and backslashes, and their parts between slashes
// are neither empty nor "." nor "..". Three names are refused that are legal
// but not safe from being taken for something else:
// * repositories of an owner whose name is a route of the Hub ("datasets"),
// * repositories "<owner>/resolve", which look like one without an owner,
// * the revision "refs", which is what is left of "refs/pr/1" in a URL whose
//   author forgot to encode the slashes.
// Returns 0, INVALID_ARGUMENT (a part breaks these rules) or TOO_LARGE (the
// revision is longer than TAM_HUB_REVISION_MAX bytes, or the path than
// TAM_HUB_PATH_MAX).
int tam_hub_file_check(const tam_hub_file *file);

// The rules of tam_hub_file_check for |path| alone. Returns 0, INVALID_ARGUMENT
// (it breaks them) or TOO_LARGE (it is longer than TAM_HUB_PATH_MAX bytes).
int tam_hub_path_check(tam_span path);

// Reads the absolute |url| of a file on |endpoint|: scheme and host, perhaps
// with a folder, without a slash at the end. Both are compared byte by byte, so
// they should come as URL.href writes them. What URL.href would still encode
// (blanks, letters beyond ASCII) may be plain.
//
// Returns 1 when |url| is a file; |*file| then has spans over |text|, the
// caller's, which has room for TAM_HUB_FILE_TEXT_MAX bytes. Else |*file| is
// unchanged and the contents of |text| mean nothing, and it returns
// * 0 when |url| is something else: on another host or below another folder, of
//   the API, of a data set or a space, of another route, without a path, or of
//   an id that no repository can have;
// * INVALID_ARGUMENT when |url| has the form of a file and does not name one:
//   broken percent-encoding, an encoded slash in the path, a blank at the end,
//   or what tam_hub_file_check refuses;
// * TOO_LARGE when it is a file with a revision or path beyond the cap.
int tam_hub_file_parse(tam_hub_file *file, uint8_t *text, tam_span endpoint,
                       tam_span url);

// Appends the URL of |file| on |endpoint| to |url|, in the one form that the
// Hub itself writes: slashes of the revision are encoded. At most
// TAM_HUB_FILE_URL_MAX bytes follow the endpoint. What
// tam_hub_file_parse reads from it is |file| again.
// Returns 0, the error of tam_hub_file_check (nothing is appended then), or the
// error of |url|: TOO_LARGE (its cap), OUT_OF_MEMORY.
int tam_hub_file_append_url(tam_buf *url, tam_span endpoint,
                            const tam_hub_file *file);

// Returns 1 when |revision| is the full name of a commit, as the Hub writes it
// (40 lower-case hexadecimal digits), so that the file never changes. Else 0:
// it is the name of a branch or tag, or a commit's name in another form.
int tam_hub_revision_is_commit(tam_span revision);

#endif // TAM_STORE_HUB_FILE_H
