// SPDX-License-Identifier: Apache-2.0
// Reads the calls of tools that a model wrote, in the forms of the common
// families:
//
//   <tool_call>{"name": ..., "arguments": {...}}</tool_call>   Hermes, Qwen
//   <function=name>{...}</function>                            Functionary
//   <function=name><parameter=a>1</parameter></function>       Qwen Coder
//   <|python_tag|>{"name": ..., "parameters": {...}}; {...}    Llama 3.1
//   [TOOL_CALLS][{...}], [TOOL_CALLS]name{...}                 Mistral
//   <|tool_call|>[{...}]<|/tool_call|>                         Phi, Granite
//   <|tool_call_start|>[name(a=1)]<|tool_call_end|>            LFM2
//
// and {...} or [{...}] alone, when that is the whole answer (Llama 3.2).
#ifndef TAM_CHAT_TOOL_CALLS_H
#define TAM_CHAT_TOOL_CALLS_H

#include "core/buf.h"

// Reads |text|. Appends for each call an object {"name", "arguments"} to
// |calls|, as elements of an array that the caller has begun (arguments are an
// object), and what is no call, malformed blocks included, to |rest|. With
// |with_bare| the whole text may be a call without tags. Returns the number of
// calls; errors show in the buffers.
size_t tam_tool_calls_read(tam_span text, int with_bare, tam_buf *calls,
                           tam_buf *rest);

#endif // TAM_CHAT_TOOL_CALLS_H
