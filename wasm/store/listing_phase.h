// SPDX-License-Identifier: Apache-2.0
// What is asked of the Hub: the commit, and its files.
#ifndef TAM_STORE_LISTING_PHASE_H
#define TAM_STORE_LISTING_PHASE_H

#include "store/phase.h"
#include "store/tree_scan.h"

// Of the commit and tree phases. The import phase scans a list of its own.
typedef struct tam_listing {
  tam_buf url;
  tam_buf body;   // of an answer about a revision
  tam_buf cursor; // of the next page of the tree; empty: none
  tam_buf task;   // pipeline_tag of the repository
  int is_offline; // the Hub could not be asked
  tam_tree_scan *tree;
  uint32_t pages;    // of the tree that were asked for
  uint32_t restarts; // of the list, because a later page broke off
  int is_cut;        // there are more files than are listed
} tam_listing;

// Takes the revision of the commit that was found, stored or new. Returns DONE
// or an error.
int tam_store_op_take_commit(tam_store_op *op);

#endif // TAM_STORE_LISTING_PHASE_H
