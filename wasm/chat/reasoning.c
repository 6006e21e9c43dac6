// SPDX-License-Identifier: Apache-2.0
// Theory of operation
// -------------------
// Bytes are held while they are the beginning of a tag that counts in the
// present state. If they turn out to be none, the first one is let go and the
// rest is looked at again.
//
//   TEXT   -> PAIR (an opening tag) | HEADER (<|channel|>)
//   PAIR   -> TEXT (its closing tag)
//   HEADER -> BODY (<|message|>)
//   BODY   -> HEADER (<|channel|>) | SILENT (<|end|> and the like)
//   SILENT -> HEADER (<|channel|>)
//
// HEADER, BODY and SILENT are the messages that gpt-oss writes:
//   <|channel|>analysis<|message|>...<|end|><|start|>assistant
//   <|channel|>final<|message|>...<|return|>
//   <|channel|>commentary to=functions.name <|constrain|>json<|message|>{...}
#include "chat/reasoning.h"

#include "core/names.h"

#include <string.h>

enum { STATE_TEXT = 0, STATE_PAIR, STATE_HEADER, STATE_BODY, STATE_SILENT };

// Pairs of tags, the opening one first: of reasoning, from PAIR_TOOL on of
// calls of tools. Those up to PAIR_TOKEN are plain text, which counts only when
// there are tools; the others are tokens, which no prose has.
static const char tags[] = "<think>\0"
                           "</think>\0"
                           "<thinking>\0"
                           "</thinking>\0"
                           "<thought>\0"
                           "</thought>\0"
                           "<reasoning>\0"
                           "</reasoning>\0"
                           "<seed:think>\0"
                           "</seed:think>\0"
                           "[THINK]\0"
                           "[/THINK]\0"
                           "<|begin_of_thought|>\0"
                           "<|end_of_thought|>\0"
                           "<|START_THINKING|>\0"
                           "<|END_THINKING|>\0"
                           "\u25c1think\u25b7\0"
                           "\u25c1/think\u25b7\0"
                           "<|channel>thought\n\0"
                           "<channel|>\0"
                           "<tool_call>\0"
                           "</tool_call>\0"
                           "<function=\0"
                           "</function>\0"
                           "<|tool_call|>\0"
                           "<|/tool_call|>\0"
                           "<|tool_call_start|>\0"
                           "<|tool_call_end|>\0"
                           "[TOOL_CALLS]\0"
                           "[/TOOL_CALLS]\0"
                           "<|python_tag|>\0"
                           "<|eom_id|>\0";

#define PAIR_TOOL  10 // <tool_call>
#define PAIR_COUNT 16

// The tags around messages; the last one is a token that begins a pair's tag.
static const char marks[] = "<|channel|>\0"
                            "<|message|>\0"
                            "<|end|>\0"
                            "<|return|>\0"
                            "<|call|>\0"
                            "<|start|>\0"
                            "<|channel>\0";

#define MARK_CHANNEL 0
#define MARK_MESSAGE 1
#define MARK_COUNT   6

static tam_span tag_at(size_t pair, int is_closing) {
  return tam_span_of(tam_names_at(tags, pair * 2 + (size_t)is_closing));
}

static tam_span mark_at(size_t mark) {
  return tam_span_of(tam_names_at(marks, mark));
}

static tam_span held_text(const tam_reasoning *reasoning) {
  return (tam_span){reasoning->held, reasoning->held_len};
}

// ---------------------------------------------------------------------------
// Tags

#define MATCH_NONE (-2) // no tag begins like this
#define MATCH_PART (-1) // the beginning of a tag

// Returns |code| when |text| is |tag|, else MATCH_PART or |otherwise|.
static int match(tam_span text, tam_span tag, int code, int otherwise) {
  if (!tam_span_starts_with(tag, text)) {
    return otherwise;
  }
  return text.len == tag.len ? code : MATCH_PART;
}

// Returns 1 when the opening tag of |pair| counts here. A token always does.
static int is_pair_legal(const tam_reasoning *reasoning, size_t pair) {
  return reasoning->is_token ||
         (pair < PAIR_TOOL ? reasoning->at_line_start : reasoning->with_tools);
}

static int match_pairs(const tam_reasoning *reasoning, tam_span text) {
  int found = MATCH_NONE;
  for (size_t pair = 0; pair < PAIR_COUNT && found < 0; pair++) {
    if (is_pair_legal(reasoning, pair)) {
      found = match(text, tag_at(pair, 0), (int)pair, found);
    }
  }
  return found;
}

// Returns the set of marks that count, a bit each.
static unsigned legal_marks(const tam_reasoning *reasoning) {
  switch (reasoning->state) {
  case STATE_TEXT:
    return reasoning->at_line_start ? 1U << MARK_CHANNEL : 0;
  case STATE_HEADER:
    return 1U << MARK_MESSAGE;
  case STATE_BODY:
    return ((1U << MARK_COUNT) - 1) & ~(1U << MARK_MESSAGE);
  case STATE_SILENT:
    return 1U << MARK_CHANNEL | 1U << MARK_MESSAGE;
  default:
    return 0;
  }
}

// Returns the pair or (from PAIR_COUNT on) the mark that is held, MATCH_PART or
// MATCH_NONE.
static int match_held(const tam_reasoning *reasoning) {
  tam_span text = held_text(reasoning);
  uint8_t first = text.ptr[0];
  int found = MATCH_NONE;
  if (first != '<' && first != '[' && first != 0xe2) {
    return MATCH_NONE;
  }
  if (reasoning->state == STATE_PAIR) {
    return match(text, tag_at(reasoning->pair, 1), 0, MATCH_NONE);
  }
  if (reasoning->state == STATE_TEXT) {
    found = match_pairs(reasoning, text);
  }
  unsigned legal = legal_marks(reasoning);
  for (size_t mark = 0; mark < MARK_COUNT && found < 0; mark++) {
    if ((legal >> mark & 1U) != 0) {
      found = match(text, mark_at(mark), PAIR_COUNT + (int)mark, found);
    }
  }
  return found;
}

// ---------------------------------------------------------------------------
// Text

static tam_span header_text(const tam_reasoning *reasoning) {
  return (tam_span){reasoning->header, reasoning->header_len};
}

// Returns the name of the function that the header calls, or an empty text.
static tam_span called_function(const tam_reasoning *reasoning) {
  tam_span header = header_text(reasoning);
  size_t at = tam_span_find_nocase(header, TAM_SPAN("to="));
  tam_span name = tam_span_from(header, at + 3);
  size_t len = 0;
  while (len < name.len && name.ptr[len] > ' ' && name.ptr[len] != '<') {
    len++;
  }
  name = tam_span_head(name, len);
  return tam_span_starts_with(name, TAM_SPAN("functions."))
             ? tam_span_from(name, sizeof("functions.") - 1)
             : name;
}

static tam_text_kind kind_of_body(const tam_reasoning *reasoning) {
  if (called_function(reasoning).len > 0) {
    return TAM_TEXT_TOOL;
  }
  return tam_span_starts_with(header_text(reasoning), TAM_SPAN("analysis"))
             ? TAM_TEXT_REASONING
             : TAM_TEXT_CONTENT;
}

static tam_text_kind kind_of_text(const tam_reasoning *reasoning) {
  switch (reasoning->state) {
  case STATE_PAIR:
    return reasoning->pair < PAIR_TOOL ? TAM_TEXT_REASONING : TAM_TEXT_TOOL;
  case STATE_BODY:
    return kind_of_body(reasoning);
  default:
    return TAM_TEXT_CONTENT;
  }
}

static int is_blank(uint8_t byte) {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static void let_go(tam_reasoning *reasoning, uint8_t byte,
                   tam_text_parts *parts) {
  if (reasoning->state == STATE_SILENT) {
    return;
  }
  if (reasoning->state == STATE_HEADER) {
    if (reasoning->header_len < TAM_REASONING_HEADER_MAX) {
      reasoning->header[reasoning->header_len++] = byte;
    }
    return;
  }
  if (byte == '\n') {
    reasoning->at_line_start = 1;
  } else if (!is_blank(byte)) {
    reasoning->at_line_start = 0;
    reasoning->skips_blanks = 0;
  }
  if (!reasoning->skips_blanks) {
    tam_text_parts_add(parts, kind_of_text(reasoning), (tam_span){&byte, 1});
  }
}

// A call in a message gets the tags that chat/tool_calls.h knows.
static void begin_body(tam_reasoning *reasoning, tam_text_parts *parts) {
  reasoning->state = STATE_BODY;
  tam_span name = called_function(reasoning);
  if (name.len > 0) {
    tam_text_parts_add(parts, TAM_TEXT_TOOL, TAM_SPAN("<function="));
    tam_text_parts_add(parts, TAM_TEXT_TOOL, name);
    tam_text_parts_add(parts, TAM_TEXT_TOOL, TAM_SPAN(">"));
  }
}

static void end_body(tam_reasoning *reasoning, tam_text_parts *parts) {
  if (reasoning->state == STATE_BODY &&
      kind_of_body(reasoning) == TAM_TEXT_TOOL) {
    tam_text_parts_add(parts, TAM_TEXT_TOOL, TAM_SPAN("</function>"));
  }
}

static void take_mark(tam_reasoning *reasoning, size_t mark,
                      tam_text_parts *parts) {
  end_body(reasoning, parts);
  if (mark == MARK_MESSAGE) {
    begin_body(reasoning, parts);
    return;
  }
  reasoning->header_len = 0;
  reasoning->state = mark == MARK_CHANNEL ? STATE_HEADER : STATE_SILENT;
}

// The held text is an opening or closing tag, or a mark.
static void take_tag(tam_reasoning *reasoning, int found,
                     tam_text_parts *parts) {
  if (found >= PAIR_COUNT) {
    take_mark(reasoning, (size_t)(found - PAIR_COUNT), parts);
    return;
  }
  int is_opening = reasoning->state == STATE_TEXT;
  if (is_opening) {
    reasoning->pair = (uint8_t)found;
  }
  if (reasoning->pair >= PAIR_TOOL) {
    tam_text_parts_add(parts, TAM_TEXT_TOOL, held_text(reasoning));
  } else {
    reasoning->skips_blanks = 1;
  }
  reasoning->at_line_start = 1;
  reasoning->state = is_opening ? STATE_PAIR : STATE_TEXT;
}

// Looks at the held text again, until it may wait.
static void settle(tam_reasoning *reasoning, tam_text_parts *parts) {
  while (reasoning->held_len > 0) {
    int found = match_held(reasoning);
    if (found == MATCH_PART) {
      return;
    }
    if (found >= 0) {
      take_tag(reasoning, found, parts);
      reasoning->held_len = 0;
      return;
    }
    let_go(reasoning, reasoning->held[0], parts);
    reasoning->held_len--;
    memmove(reasoning->held, reasoning->held + 1, reasoning->held_len);
  }
}

// ---------------------------------------------------------------------------
// Interface

void tam_reasoning_init(tam_reasoning *reasoning, int opened, int with_tools) {
  memset(reasoning, 0, sizeof(*reasoning));
  reasoning->with_tools = (uint8_t)with_tools;
  reasoning->at_line_start = 1;
  if (opened > 0) {
    reasoning->state = STATE_PAIR;
    reasoning->pair = (uint8_t)(opened - 1);
    reasoning->skips_blanks = 1;
  }
}

int tam_reasoning_opened_by(tam_span prompt) {
  tam_span trimmed = tam_span_trim(prompt);
  for (size_t pair = 0; pair < PAIR_TOOL; pair++) {
    tam_span tag = tag_at(pair, 0);
    if (tam_span_ends_with(trimmed, tam_span_trim(tag))) {
      return (int)pair + 1;
    }
  }
  return 0;
}

void tam_reasoning_push(tam_reasoning *reasoning, tam_span piece,
                        tam_text_parts *parts) {
  for (size_t i = 0; i < piece.len; i++) {
    reasoning->held[reasoning->held_len++] = piece.ptr[i];
    settle(reasoning, parts);
  }
}

static void let_all_go(tam_reasoning *reasoning, tam_text_parts *parts) {
  for (size_t i = 0; i < reasoning->held_len; i++) {
    let_go(reasoning, reasoning->held[i], parts);
  }
  reasoning->held_len = 0;
}

void tam_reasoning_push_tag(tam_reasoning *reasoning, int tag,
                            tam_text_parts *parts) {
  size_t place = (size_t)tag - 1;
  const char *text = place < (size_t)PAIR_COUNT * 2
                         ? tam_names_at(tags, place)
                         : tam_names_at(marks, place - (size_t)PAIR_COUNT * 2);
  let_all_go(reasoning, parts);
  reasoning->held_len = (uint8_t)tam_text_len(text);
  memcpy(reasoning->held, text, reasoning->held_len);
  reasoning->at_line_start = 1;
  reasoning->is_token = 1;
  if (match_held(reasoning) == MATCH_NONE) {
    reasoning->held_len = 0;
  }
  settle(reasoning, parts);
  reasoning->is_token = 0;
}

void tam_reasoning_end(tam_reasoning *reasoning, tam_text_parts *parts) {
  let_all_go(reasoning, parts);
  end_body(reasoning, parts);
}

int tam_reasoning_tag_of(tam_span text) {
  int place = tam_names_find(tags, text);
  if (place >= 0) {
    return place + 1;
  }
  place = tam_names_find(marks, text);
  return place >= 0 ? PAIR_COUNT * 2 + place + 1 : 0;
}
