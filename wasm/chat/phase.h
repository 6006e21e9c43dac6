// SPDX-License-Identifier: Apache-2.0
// How operations of the chat are made: each is a list of phases that follow
// one another. A phase does one thing, waits for what it asked for, and leaves
// its result in the operation for those after it.
#ifndef TAM_CHAT_PHASE_H
#define TAM_CHAT_PHASE_H

#include "chat/runtime.h"

typedef struct tam_chat_op tam_chat_op;

// What the functions of a phase return. A negative error ends the operation.
typedef enum tam_chat_result {
  TAM_CHAT_WAIT = 0, // something was asked for
  TAM_CHAT_NEXT = 1, // the next phase may begin
  TAM_CHAT_END = 2   // the operation is complete
} tam_chat_result;

// A function that is NULL has nothing to do and waits.
typedef struct tam_chat_phase {
  const char *stage; // what is being done, for errors
  int (*start)(tam_chat_op *op);
  int (*on_runtime)(tam_chat_op *op, const tam_runtime_report *report);
  int (*on_text)(tam_chat_op *op); // the text of the request is complete
  int (*advance)(tam_chat_op *op); // time has passed
} tam_chat_phase;

// --- turn_phase.c

// Waits until the operations before this one have ended.
extern const tam_chat_phase tam_chat_turn_phase;

// --- load_phase.c

// Ends at once when the wanted model is loaded.
extern const tam_chat_phase tam_chat_same_phase;

// Releases the model that is loaded.
extern const tam_chat_phase tam_chat_replace_phase;

// Asks the host which devices there are, and the store which have failed.
extern const tam_chat_phase tam_chat_device_phase;

// Downloads the files of the model that are not stored yet.
extern const tam_chat_phase tam_chat_download_phase;

// Reads config.json and generation_config.json.
extern const tam_chat_phase tam_chat_config_phase;

// Makes the tokenizer.
extern const tam_chat_phase tam_chat_tokenizer_phase;

// --- graphs_phase.c

// Opens the graphs and makes them refer to their weights.
extern const tam_chat_phase tam_chat_graphs_phase;

// --- session_phase.c

// Makes the sessions of the model's graphs, one after the other.
extern const tam_chat_phase tam_chat_session_phase;

// Runs one token, and checks that its logits are numbers and not all the same.
extern const tam_chat_phase tam_chat_trial_phase;

// --- device_phase.c

// Stores which devices failed and which worked, and completes the load.
extern const tam_chat_phase tam_chat_keep_phase;

// --- settings_phase.c

// Reads the saved settings for the loaded model, unless they are known.
extern const tam_chat_phase tam_chat_saved_phase;

// Reads the settings that the caller names, after changing them if it wants
// that.
extern const tam_chat_phase tam_chat_settings_phase;

// --- wake_phase.c

// For an answer that goes on after a kill: loads its model, unless it is
// loaded.
extern const tam_chat_phase tam_chat_wake_phase;

// --- reload_phase.c

// Skips the phases of the load that follow, unless the model was released.
extern const tam_chat_phase tam_chat_reload_phase;

// Tells the panel that the model is loaded again.
extern const tam_chat_phase tam_chat_reloaded_phase;

// --- prompt_phase.c

// Waits for the text of the request, and makes tokens of it that fit into the
// context.
extern const tam_chat_phase tam_chat_prompt_phase;

// --- prefill_phase.c

// Cuts the cache to the tokens that it shares with the prompt, and runs the
// rest of the prompt.
extern const tam_chat_phase tam_chat_prefill_phase;

// --- decode_phase.c

// For an answer that goes on after a kill: makes text of the tokens that were
// chosen before.
extern const tam_chat_phase tam_chat_repeat_phase;

// Chooses token after token until there is a reason to stop.
extern const tam_chat_phase tam_chat_decode_phase;

// --- control_phase.c

extern const tam_chat_phase tam_chat_stop_phase;
extern const tam_chat_phase tam_chat_reset_phase;
extern const tam_chat_phase tam_chat_clear_cache_phase;
extern const tam_chat_phase tam_chat_state_phase;

#endif // TAM_CHAT_PHASE_H
