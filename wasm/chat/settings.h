// SPDX-License-Identifier: Apache-2.0
// The state of an operation that tells or changes saved settings.
#ifndef TAM_CHAT_SETTINGS_H
#define TAM_CHAT_SETTINGS_H

#include "chat/chat_op.h"

struct tam_chat_settings {
  tam_buf model;  // whose; empty: all models
  tam_buf dtype;  // likewise
  tam_buf change; // that is to be made; empty: none
};

#endif // TAM_CHAT_SETTINGS_H
