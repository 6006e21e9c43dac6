// SPDX-License-Identifier: Apache-2.0
// How operations of the store are made: each is a list of phases that follow
// one another. A phase does one thing ("which commit is main?"), waits for what
// it asked for, and leaves its result in the operation for those after it. A
// phase that finds nothing to do is over at once.
#ifndef TAM_STORE_PHASE_H
#define TAM_STORE_PHASE_H

#include "net/net.h"
#include "store/storage.h"

typedef struct tam_store_op tam_store_op;

// What the functions of a phase return, besides negative errors, which end the
// operation.
typedef enum tam_phase_result {
  TAM_PHASE_WAIT = 0, // something was asked for
  TAM_PHASE_DONE = 1, // the next phase may begin
  TAM_PHASE_END = 2   // the operation is complete; later phases are left out
} tam_phase_result;

// A function that is NULL has nothing to do and waits.
typedef struct tam_phase {
  const char *stage; // what is being done, for errors
  int (*start)(tam_store_op *op);
  int (*on_net)(tam_store_op *op, const tam_net_report *report);
  int (*on_storage)(tam_store_op *op, const tam_storage_report *report);
  int (*advance)(tam_store_op *op);           // time has passed
  double (*deadline)(const tam_store_op *op); // of advance, or -1
  int (*on_pull)(tam_store_op *op);           // the reader has room for more
  // More of the list of files that the caller hands in is there.
  int (*on_rows)(tam_store_op *op);
} tam_phase;

// --- queue_phase.c

// Waits until no download of higher or equal priority is before this one.
extern const tam_phase tam_queue_phase;

// Waits for the lock of the repository, so that no other context writes its
// records; releases it.
extern const tam_phase tam_lock_phase;
extern const tam_phase tam_unlock_phase;

// --- stored_phase.c

// Reads the stored revisions of the repository.
extern const tam_phase tam_stored_phase;

// --- listing_phase.c

// Takes the stored revision that the caller means, if there is one.
extern const tam_phase tam_known_phase;

// Finds the commit that the revision is now, and takes the revision of it.
extern const tam_phase tam_commit_phase;

// Reads which files the commit has.
extern const tam_phase tam_tree_phase;

// --- plan_phase.c

// Choose files: those that the dtype needs, the one of the URL, those that are
// complete.
extern const tam_phase tam_select_phase;
extern const tam_phase tam_select_file_phase;
extern const tam_phase tam_select_complete_phase;

// Chooses the files that the dtype needs if they are stored, without the Hub.
extern const tam_phase tam_select_stored_phase;

// Ends the operation when what was chosen is there.
extern const tam_phase tam_enough_phase;

// Reads the journals of the chosen files.
extern const tam_phase tam_journals_phase;

// Looks whether all chunks of the chosen files are still there, for another
// tab may delete the database at any time; goes back to the transfer phase,
// which stands before it, when they are not.
extern const tam_phase tam_confirm_phase;

// Finds out how much room there is.
extern const tam_phase tam_room_phase;

// Finds out who could make room, if there is too little.
extern const tam_phase tam_evict_phase;

// Refuses to go on when there is too little.
extern const tam_phase tam_fit_phase;

// --- legacy_phase.c

// Takes over what TabAgent stored of the chosen files.
extern const tam_phase tam_adopt_phase;

// The phases that serve it as it is, for when the Hub cannot be asked.
extern const tam_phase *const tam_unverified_phases[];

// --- publish_phase.c

// Writes the revision before its files: what is wanted.
extern const tam_phase tam_begin_phase;

// Makes the revision the one that its label stands for.
extern const tam_phase tam_publish_phase;

// --- transfer_phase.c

// Downloads and verifies what is missing of the chosen files.
extern const tam_phase tam_transfer_phase;

// --- serve_phase.c

// Reads the URL of a request.
extern const tam_phase tam_url_phase;

// Goes on to serving when the file is complete.
extern const tam_phase tam_hit_phase;

// Gives up when the repository has no such file.
extern const tam_phase tam_found_phase;

// The chosen file is stored, and that was all.
extern const tam_phase tam_kept_phase;

// Serves the chosen file.
extern const tam_phase tam_serve_phase;

// Forgets the chunk that turned out to be damaged, when it is still there.
extern const tam_phase tam_lost_phase;

// --- open_phase.c

// Has the host open the chosen file, and checks all of it.
extern const tam_phase tam_open_phase;

// --- models.c

// Reads all models.
extern const tam_phase tam_models_phase;

// --- manage_phase.c

// Gives up when the model is not stored.
extern const tam_phase tam_need_phase;

// Compares every chunk with what is known of it.
extern const tam_phase tam_verify_phase;

extern const tam_phase tam_pin_phase;

// Makes the previous revision the current one.
extern const tam_phase tam_rollback_phase;

// Finds out what an update would change.
extern const tam_phase tam_compare_phase;

// Chooses what the dtypes of the model need.
extern const tam_phase tam_select_dtypes_phase;

// --- delete_phase.c

// Delete what belongs to the model, or to all models.
extern const tam_phase tam_delete_phase;
extern const tam_phase tam_clear_phase;

// --- import_phase.c

// Takes in the list of files that the caller hands in.
extern const tam_phase tam_rows_phase;

// Deletes what belongs to no revision that is current or the way back.
extern const tam_phase tam_sweep_phase;

// --- doctor_phase.c

// Tries the storage; tells what is known of it.
extern const tam_phase tam_probe_phase;
extern const tam_phase tam_diagnose_phase;

// --- shared_phase.c

// Changes and reads an object that TabAgent knows, too.
extern const tam_phase tam_shared_phase;

// Notes in TabAgent's manifest whether a dtype could be loaded.
extern const tam_phase tam_status_phase;

// --- control_phase.c

// Lists the queue of downloads; change the state of one in it.
extern const tam_phase tam_downloads_phase;
extern const tam_phase tam_pause_phase;
extern const tam_phase tam_resume_phase;
extern const tam_phase tam_cancel_phase;

#endif // TAM_STORE_PHASE_H
