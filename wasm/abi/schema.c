// SPDX-License-Identifier: Apache-2.0
// A native tool that prints the interface between module and host as JSON.
// JavaScript's constants are generated from it, so no number is written twice.
//
// The names of plain enums are written as switches without a default: when an
// enum grows, this file does not compile until it knows the new member.
#include "abi/action_record.h"
#include "core/event_names.h"
#include "core/model_files.h"
#include "hub/candidates.h"
#include "hub/model_table.h"
#include "protocol/job_command.h"
#include "protocol/panel_request.h"
#include "tam.h"

#include <stdio.h>
#include <string.h>

typedef const char *(*name_function)(int value);

static const char *classification_name(int value) {
  switch ((tam_classification)value) {
  case TAM_CLASS_UNKNOWN:
  case TAM_CLASS_GEN:
  case TAM_CLASS_ENCODER:
  case TAM_CLASS_AUTH_PROTECTED:
    return tam_classification_name((tam_classification)value);
  }
  return NULL;
}

static const char *confidence_name(int value) {
  switch ((tam_confidence)value) {
  case TAM_CONFIDENCE_LOW:
  case TAM_CONFIDENCE_MEDIUM:
  case TAM_CONFIDENCE_HIGH:
    return tam_confidence_name((tam_confidence)value);
  }
  return NULL;
}

static const char *fetch_status_name(int value) {
  switch ((tam_fetch_status)value) {
  case TAM_FETCH_PENDING:
  case TAM_FETCH_OK:
  case TAM_FETCH_LISTING:
  case TAM_FETCH_NO_CONFIG:
  case TAM_FETCH_UNAUTHORIZED:
  case TAM_FETCH_FORBIDDEN:
  case TAM_FETCH_NOT_FOUND:
  case TAM_FETCH_RATE_LIMITED:
  case TAM_FETCH_ERROR:
    return tam_fetch_status_name((tam_fetch_status)value);
  }
  return NULL;
}

static const char *gated_name(int value) {
  switch ((tam_gated)value) {
  case TAM_GATED_FALSE:
    return "false";
  case TAM_GATED_AUTO:
    return "auto";
  case TAM_GATED_MANUAL:
    return "manual";
  }
  return NULL;
}

static const char *dtype_name(int value) {
  return value < TAM_DTYPE_COUNT ? tam_dtype_name((tam_dtype)value) : NULL;
}

static const char *job_name(int value) {
  const char *name = TAM_JOB_NAMES;
  while (value-- > 0) {
    name += strlen(name) + 1;
  }
  return *name != '\0' ? name : NULL;
}

// Prints an enum that starts at 0 as an array of its names.
static void print_names(const char *key, name_function name_of) {
  printf(",\n\"%s\": [", key);
  for (int value = 0; name_of(value) != NULL; value++) {
    printf("%s\"%s\"", value == 0 ? "" : ", ", name_of(value));
  }
  printf("]");
}

static void print_errors(void) {
  const char *separator = "";
  printf(",\n\"errors\": [");
#define TAM_ERROR(name, number, wire_name, cause)                              \
  printf("%s\n{\"name\": \"%s\", \"number\": %d, \"code\": \"%s\", "           \
         "\"cause\": \"%s\"}",                                                 \
         separator, #name, number, wire_name, cause);                          \
  separator = ",";
#include "tam_error.def"
#undef TAM_ERROR
  printf("]");
}

// The kinds of events and actions, numbers by name.
static void print_kinds(void) {
  const char *separator = "";
  printf(",\n\"events\": {");
#define TAM_EVENT(name, number)                                                \
  printf("%s\"%s\": %d", separator, #name, number);                            \
  separator = ", ";
#include "tam_event.def"
#undef TAM_EVENT
  separator = "";
  printf("},\n\"actions\": {");
#define TAM_ACTION(name, number)                                               \
  printf("%s\"%s\": %d", separator, #name, number);                            \
  separator = ", ";
#include "tam_action.def"
#undef TAM_ACTION
  printf("}");
}

static void print_exports(void) {
  const char *separator = "";
  printf(",\n\"exports\": [");
#define TAM_EXPORT(name)                                                       \
  printf("%s\"%s\"", separator, #name);                                        \
  separator = ", ";
#include "abi/exports.def"
#undef TAM_EXPORT
  printf("]");
}

static void print_action_words(void) {
  const char *separator = "";
  printf(",\n\"actionWords\": {");
#define TAM_ACTION_WORD(name, js_name)                                         \
  printf("%s\"%s\": %d", separator, js_name, TAM_ACTION_WORD_##name);          \
  separator = ", ";
  TAM_ACTION_WORDS
#undef TAM_ACTION_WORD
  printf("}");
}

// The offset of each field of a row, in words, and the words of all.
static void print_model_table(void) {
  const char *separator = "";
  int offset = 0;
  printf(",\n\"modelTableHeaderWords\": %d", TAM_MODEL_TABLE_HEADER_WORDS);
  printf(",\n\"modelFields\": {");
#define TAM_MODEL_FIELD(name, words)                                           \
  printf("%s\"%s\": %d", separator, #name, offset);                            \
  offset += words;                                                             \
  separator = ", ";
  TAM_MODEL_FIELDS
#undef TAM_MODEL_FIELD
  printf("},\n\"modelRowWords\": %d", offset);
}

static const char *verb_text(const char *verb) {
  return verb == NULL ? "" : verb;
}

// The panel's requests.
static void print_panel_requests(void) {
  const char *separator = "";
  printf(",\n\"panelRequests\": [");
#define TAM_PANEL_REQUEST(name, action, verb, reads, answer, events, states)   \
  printf("%s\n{\"name\": \"%s\", \"action\": \"%s\", \"verb\": \"%s\", "       \
         "\"answer\": \"%s\", \"events\": \"%s\", \"states\": \"%s\"}",        \
         separator, TAM_NAME_##name, #action, verb_text(verb), answer, events, \
         states);                                                              \
  separator = ",";
#include "protocol/panel_request.def"
  printf("]");
}

// The protocol's names, an object for each group.
static void print_event_names(void) {
  const char *close = "";
  const char *separator = "";
  printf(",\n\"eventNames\": {");
#define TAM_EVENT_OBJECT(object)                                               \
  printf("%s\n\"%s\": {", close, #object);                                     \
  close = "},";                                                                \
  separator = "";
#define TAM_EVENT_NAME(object, member, value)                                  \
  printf("%s\"%s\": \"%s\"", separator, #member, value);                       \
  separator = ", ";
#include "core/event_names.def"
#undef TAM_EVENT_OBJECT
#undef TAM_EVENT_NAME
  printf("}}");
}

int main(void) {
  printf("{\n\"abiVersion\": %d", TAM_ABI_VERSION);
  printf(",\n\"protocolVersion\": %d", TAM_PROTOCOL_VERSION);
  print_errors();
  print_kinds();
  printf(",\n\"commandFlags\": {\"LISTING\": %u, \"QUIET\": %u, "
         "\"BROADCAST\": %u, \"OUTSIDE\": %u, \"MORE\": %u, "
         "\"JOURNAL\": %u}",
         TAM_COMMAND_FLAG_LISTING, TAM_COMMAND_FLAG_QUIET,
         TAM_COMMAND_FLAG_BROADCAST, TAM_COMMAND_FLAG_OUTSIDE,
         TAM_COMMAND_FLAG_MORE, TAM_COMMAND_FLAG_JOURNAL);
  printf(
      ",\n\"messageFlags\": {\"TERMINAL\": %u, \"CHANNEL\": %u, \"AGAIN\": %u, "
      "\"STANDING\": %u}",
      TAM_MESSAGE_FLAG_TERMINAL, TAM_MESSAGE_FLAG_CHANNEL,
      TAM_MESSAGE_FLAG_AGAIN, TAM_MESSAGE_FLAG_STANDING);
  printf(",\n\"fetchFlags\": {\"KEEP\": %u, \"WHOLE\": %u}",
         TAM_FETCH_FLAG_KEEP, TAM_FETCH_FLAG_WHOLE);
  printf(",\n\"deliverFlags\": {\"LAST\": %u}", TAM_DELIVER_FLAG_LAST);
  printf(",\n\"caps\": {\"EVENT_PAYLOAD_MAX\": %d, "
         "\"EVENT_RUNTIME_PAYLOAD_MAX\": %u, \"INPUT_PATIENCE_MS\": %d}",
         TAM_EVENT_PAYLOAD_MAX, TAM_EVENT_RUNTIME_PAYLOAD_MAX,
         TAM_INPUT_PATIENCE_MS);
  printf(",\n\"inputUrl\": \"%s\"", TAM_INPUT_URL);
  print_exports();
  print_action_words();
  print_model_table();
  print_names("classifications", classification_name);
  print_names("confidences", confidence_name);
  print_names("fetchStatuses", fetch_status_name);
  print_names("gated", gated_name);
  print_names("dtypes", dtype_name);
  print_names("jobNames", job_name);
  print_event_names();
  print_panel_requests();
  printf("\n}\n");
  return 0;
}
