// SPDX-License-Identifier: Apache-2.0
// The public C interface of tabagent-wasm: event in, action out.
//
// Conventions
// -----------
// * The library does no I/O, knows no clock and no randomness. The host feeds
//   events, drains actions until there are none, sets one timer, and returns
//   to its event loop:
//
//       tam_manager_feed(manager, &event, now_ms);
//       while ((action = tam_manager_next(manager)) != NULL) {
//         perform(action);
//       }
//       set_timer(tam_manager_deadline(manager, now_ms));
//
// * Time is a double, milliseconds since the epoch. When the host's clock steps
//   back, no time has passed. A duration of -1 means "none".
// * Text is UTF-8 with an explicit length; nothing is NUL-terminated.
// * A span handed *in* is borrowed until the call returns. A span handed *out*
//   is valid until the next call with the same manager.
// * Memory comes from the tam_mem given to tam_manager_new, and from nowhere
//   else. A failed allocation ends the operation with out_of_memory and leaves
//   the manager usable.
// * Functions return 0 or more for success and a negative tam_error otherwise.
//   An event that is illegal in the present state returns INVALID_STATE and
//   changes nothing.
// * Pointers must not be NULL unless the text says so. There are no threads:
//   one manager belongs to one thread of control.
#ifndef TAM_H
#define TAM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The interface between the module and its host. JavaScript refuses a module
// of another version.
#define TAM_ABI_VERSION 3

// The message protocol spoken by TAM_ACTION_MESSAGE; sent with every message.
#define TAM_PROTOCOL_VERSION 1

// ---------------------------------------------------------------------------
// Errors

typedef enum tam_error {
  TAM_OK = 0,
#define TAM_ERROR(name, number, wire_name, cause) TAM_ERR_##name = (number),
#include "tam_error.def"
#undef TAM_ERROR
} tam_error;

// Returns the stable lower-case name of |error| as it appears in messages, for
// example "invalid_params"; "ok" for 0 and "unknown" for a number that is not
// in the list. The string is static.
const char *tam_strerror(int error);

// Returns 1 when |error| is fatal (-900 and below), else 0: an operation with
// such an error ends, whatever it could still do without what failed.
int tam_error_is_fatal(int error);

// ---------------------------------------------------------------------------
// Text

// A run of bytes that somebody else owns. |ptr| may be NULL when |len| is 0.
typedef struct tam_span {
  const uint8_t *ptr;
  size_t len;
} tam_span;

// ---------------------------------------------------------------------------
// Memory

// The allocator of a manager. The functions behave like their namesakes of the
// C library and get |user_data| back unchanged.
typedef struct tam_mem {
  void *user_data;
  void *(*malloc)(size_t size, void *user_data);
  void *(*realloc)(void *ptr, size_t size, void *user_data);
  void (*free)(void *ptr, void *user_data);
} tam_mem;

// Returns the allocator of the C library.
tam_mem tam_mem_default(void);

// ---------------------------------------------------------------------------
// Events: what happened

// The longest payload of one event. Longer bodies are fed in pieces; the cap
// keeps the input buffer, and with it linear memory, small.
#define TAM_EVENT_PAYLOAD_MAX 65536

// The longest payload of an event of the runtime: a row of logits of 32-bit
// floats for a vocabulary of 524,288 entries, twice what models have.
#define TAM_EVENT_RUNTIME_PAYLOAD_MAX (UINT32_C(2) << 20)

typedef enum tam_event_kind {
#define TAM_EVENT(name, number) TAM_EVENT_##name = (number),
#include "tam_event.def"
#undef TAM_EVENT
} tam_event_kind;

// The command's listing follows as LISTING_DATA events.
#define TAM_COMMAND_FLAG_LISTING 1U
// Nobody listens to progress: the only message is the terminal one.
#define TAM_COMMAND_FLAG_QUIET 2U
// Somebody listens to the messages that are for everybody (MESSAGE with op 0).
#define TAM_COMMAND_FLAG_BROADCAST 4U
// A body that is fetched with TAM_FETCH_FLAG_WHOLE takes no memory of the
// host's process, as in browsers, where another process holds it.
#define TAM_COMMAND_FLAG_OUTSIDE 8U
// The payload is a piece of a longer message, which goes on in the next COMMAND
// with the same |op|. The flags of the last piece count.
#define TAM_COMMAND_FLAG_MORE 16U
// The job shall outlive the program (see journal/journal.h).
#define TAM_COMMAND_FLAG_JOURNAL 32U

// The longest message in bytes, the text of its chat included.
#define TAM_COMMAND_MAX (UINT32_C(8) << 20)

typedef struct tam_event {
  tam_event_kind kind;
  uint32_t op;
  uint32_t request;
  uint32_t status;
  uint32_t flags;
  tam_span payload;
} tam_event;

// ---------------------------------------------------------------------------
// Actions: what the host must do

typedef enum tam_action_kind {
#define TAM_ACTION(name, number) TAM_ACTION_##name = (number),
#include "tam_action.def"
#undef TAM_ACTION
} tam_action_kind;

// A FETCH whose URL begins like this is for a file that the caller of |op|
// hands in: the rest of the URL is its path. Only the flag KEEP is used with
// it.
#define TAM_INPUT_URL "input:"

// What is handed in has stopped coming when nothing of it came for this long.
#define TAM_INPUT_PATIENCE_MS 20000

// The host keeps the body for a later STORE action. It reports how much has
// come (HTTP_KEPT), not the bytes.
#define TAM_FETCH_FLAG_KEEP 1U
// With KEEP: the body is taken from the platform in one go, and nothing is
// reported before its end. The fastest way where the platform keeps it out of
// the host's process.
#define TAM_FETCH_FLAG_WHOLE 2U

// The last message of |op|.
#define TAM_MESSAGE_FLAG_TERMINAL 1U
// The message is for the channel of the panels, not for all pages.
#define TAM_MESSAGE_FLAG_CHANNEL 2U
// The program sent this message before it was killed. The host keeps it for
// those who ask for the messages of a job, and delivers it to nobody else.
#define TAM_MESSAGE_FLAG_AGAIN 4U
// It says only how a job stands that goes on: it has no number of its own, and
// counts until the next message. For whoever follows the job.
#define TAM_MESSAGE_FLAG_STANDING 8U

// No more bytes follow for |op|.
#define TAM_DELIVER_FLAG_LAST 1U

typedef struct tam_action {
  tam_action_kind kind;
  uint32_t op;
  uint32_t request;
  uint32_t flags;
  tam_span first;
  tam_span second;
} tam_action;

// ---------------------------------------------------------------------------
// The manager: all state of the product

typedef struct tam_manager tam_manager;

typedef struct tam_config {
  // The Hub endpoint, scheme and host without a trailing slash, for example
  // "https://huggingface.co". Mirrors may follow, each behind a line feed: the
  // files of models are fetched from them when the Hub cannot be reached. The
  // token never goes there. Copied.
  tam_span hub_url;
  // Seeds the generator behind retry jitter. The same seed and the same
  // events give the same actions.
  uint8_t seed[16];
} tam_config;

// Creates a manager. |config| and |mem| are copied.
// On success stores the manager into |*pmanager| and returns 0. Errors:
// INVALID_ARGUMENT (hub_url is not an http or https origin), OUT_OF_MEMORY.
int tam_manager_new(tam_manager **pmanager, const tam_config *config,
                    const tam_mem *mem);

// Frees |manager| and all it holds; NULL is allowed. Nothing is reported.
void tam_manager_del(tam_manager *manager);

// Returns the address of the manager's input buffer with room for |len| bytes
// (at most TAM_EVENT_RUNTIME_PAYLOAD_MAX), or NULL. An event's payload may live
// there; it need not. The address is valid until the next call of this
// function.
uint8_t *tam_manager_in_buf(tam_manager *manager, size_t len);

// Tells the manager that |event| happened at |now_ms|. Never fails because of
// what the payload of a response says: that becomes a message. Errors:
// INVALID_ARGUMENT (unknown kind, payload too long, op 0 or in use for a
// command), INVALID_STATE (unknown op, or a command in the midst of another
// one's pieces; the manager is unchanged), OUT_OF_MEMORY (a command could not
// even be accepted), NOT_OURS (the command is a message for somebody else: it
// gets no answer). An event for a request
// that is no longer wanted is ignored and returns 0: such events race with
// ABORT.
int tam_manager_feed(tam_manager *manager, const tam_event *event,
                     double now_ms);

// Returns the next action, or NULL when there is none. The action and its
// spans are valid until the next call with |manager|.
const tam_action *tam_manager_next(tam_manager *manager);

// Returns the milliseconds from |now_ms| after which the manager wants a
// TIMER event (0: at once), or -1 when it wants none.
double tam_manager_deadline(const tam_manager *manager, double now_ms);

// Returns the number of operations that have not ended.
size_t tam_manager_busy(const tam_manager *manager);

#ifdef __cplusplus
}
#endif

#endif // TAM_H
