// SPDX-License-Identifier: Apache-2.0
// The state of the manager, shared by the files that make it up and by nobody
// else:
//
//   manager.c           events in, actions out, time
//   manager_command.c   what a message asks for, and who does it
#ifndef TAM_PROTOCOL_MANAGER_STATE_H
#define TAM_PROTOCOL_MANAGER_STATE_H

#include "account/account.h"
#include "chat/chat.h"
#include "core/action_queue.h"
#include "core/random.h"
#include "hub/list_chat_models.h"
#include "journal/journal.h"
#include "net/net.h"
#include "protocol/panels.h"
#include "protocol/pieces.h"
#include "store/store.h"
#include "tam.h"

// The most listings at a time; a host runs one or two.
#define TAM_LISTINGS_MAX 16

struct tam_manager {
  tam_mem mem;
  tam_random random;
  tam_action_queue queue;
  tam_net *net;
  tam_buf hub_url;
  tam_buf mirrors;
  tam_list_host host; // what listings get of all that
  tam_store *store;
  tam_chat *chat;
  tam_account *account;
  tam_token token; // of whoever is logged in; read by all, set by |account|
  tam_panels panels;
  tam_pieces pieces;
  tam_journal *journal;
  uint8_t *in_buf;
  size_t in_buf_size;
  tam_list_op *ops[TAM_LISTINGS_MAX]; // the first |op_count|, in order of start
  size_t op_count;
  double now_ms;  // of the last event: time does not run backwards
  double host_ms; // the same by the host's clock, which may step back
};

// --- manager.c

// Returns the listing with the host's number |op|, or NULL.
tam_list_op *tam_manager_find_op(const tam_manager *manager, uint32_t op);

// --- manager_command.c

// Does what the COMMAND |event| asks for. Wrong requests are answered. Errors:
// INVALID_ARGUMENT (the number of the operation is in use, or 0), INVALID_STATE
// (pieces of another command are awaited), NOT_OURS, OUT_OF_MEMORY: nothing was
// begun and nothing will be said.
int tam_manager_on_command(tam_manager *manager, const tam_event *event);

#endif // TAM_PROTOCOL_MANAGER_STATE_H
