// SPDX-License-Identifier: Apache-2.0
// What can be asked of the chat: each verb is a list of phases and the contents
// of its terminal message.
#include "chat/chat_op.h"
#include "chat/model.h"
#include "core/event_names.h"

// From nothing, or another model, to a model that is loaded.
#define LOAD_PHASES                                                            \
  &tam_chat_device_phase, &tam_chat_download_phase, &tam_chat_replace_phase,   \
      &tam_chat_config_phase, &tam_chat_tokenizer_phase,                       \
      &tam_chat_graphs_phase, &tam_chat_session_phase, &tam_chat_trial_phase,  \
      &tam_chat_keep_phase

static const tam_chat_phase *const load_phases[] = {
    &tam_chat_turn_phase,
    &tam_chat_same_phase,
    LOAD_PHASES,
    NULL,
};

static const tam_chat_phase *const generate_phases[] = {
    &tam_chat_turn_phase,
    &tam_chat_reload_phase,
    LOAD_PHASES, // passed over unless the model was released
    &tam_chat_reloaded_phase,
    &tam_chat_saved_phase,
    &tam_chat_prompt_phase,
    &tam_chat_prefill_phase,
    &tam_chat_decode_phase,
    NULL,
};

// Of an answer that goes on after a kill.
static const tam_chat_phase *const generate_again_phases[] = {
    &tam_chat_turn_phase,
    &tam_chat_wake_phase,
    LOAD_PHASES,
    &tam_chat_reloaded_phase,
    &tam_chat_saved_phase,
    &tam_chat_prompt_phase,
    &tam_chat_repeat_phase,
    &tam_chat_prefill_phase,
    &tam_chat_decode_phase,
    NULL,
};

static const tam_chat_phase *const reset_phases[] = {
    &tam_chat_stop_phase,
    &tam_chat_turn_phase,
    &tam_chat_reset_phase,
    NULL,
};

static const tam_chat_phase *const clear_cache_phases[] = {
    &tam_chat_turn_phase,
    &tam_chat_clear_cache_phase,
    NULL,
};

static const tam_chat_phase *const stop_phases[] = {&tam_chat_stop_phase, NULL};

static const tam_chat_phase *const state_phases[] = {&tam_chat_state_phase,
                                                     NULL};

static const tam_chat_phase *const settings_phases[] = {
    &tam_chat_settings_phase, NULL};

static const tam_chat_verb verbs[] = {
    {
        .name = "load",
        .phases = load_phases,
        .params = "modelId\0dtype\0task\0loadId\0device\0revision\0",
        .prepare = tam_chat_load_prepare,
        .write_done = tam_chat_load_write_done,
        .takes_turn = 1,
        .is_limited = 1,
    },
    {
        .name = "generate",
        .phases = generate_phases,
        .again = generate_again_phases,
        .params = "settings\0chatId\0messageId\0tools\0"
                  "overflow\0",
        .prepare = tam_chat_answer_prepare,
        .write_done = tam_chat_answer_write_done,
        .has_chat = 1,
        .takes_turn = 1,
        .is_limited = 1,
    },
    {.name = "stop", .phases = stop_phases, .params = ""},
    {
        .name = "reset",
        .phases = reset_phases,
        .params = "",
        .event = TAM_NAME_WORKER_RESET_COMPLETE,
        .takes_turn = 1,
    },
    {
        .name = "clearCache",
        .phases = clear_cache_phases,
        .params = "",
        .event = TAM_NAME_WORKER_CACHE_CLEARED,
        .takes_turn = 1,
    },
    {
        .name = "state",
        .phases = state_phases,
        .params = "",
        .write_done = tam_chat_write_state,
    },
    {
        .name = "settings",
        .phases = settings_phases,
        .params = "modelId\0dtype\0",
        .prepare = tam_chat_settings_prepare,
        .write_done = tam_chat_write_settings,
    },
    {
        .name = "updateSettings",
        .phases = settings_phases,
        .params = "settings\0modelId\0dtype\0",
        .prepare = tam_chat_update_settings_prepare,
        .write_done = tam_chat_write_settings,
    },
    {
        .name = "inferenceSettingsUpdate",
        .phases = state_phases,
        .params = "",
        .prepare = tam_chat_forget_settings_prepare,
    },
};

const tam_chat_verb *tam_chat_find_verb(tam_span name) {
  for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
    if (tam_span_is(name, verbs[i].name)) {
      return &verbs[i];
    }
  }
  return NULL;
}

const char *tam_chat_verb_name(const tam_chat_verb *verb) {
  return verb->name;
}

int tam_chat_verb_has_chat(const tam_chat_verb *verb) {
  return verb != NULL && verb->has_chat;
}
