// SPDX-License-Identifier: Apache-2.0
// What the fake host expects of the messages of a listing.
#ifndef TAM_TEST_FAKE_SUMMARY_H
#define TAM_TEST_FAKE_SUMMARY_H

#include "core/json_tree.h"
#include "fake_host.h"

// Counts the models that a progress message classifies.
double fake_count_classified(const tam_json_node *message);

// Returns whether |message|, the last one, is about no failure.
int fake_is_good_end(const tam_json_node *message);

// Nothing that was said is missing from the summary, and nothing else is in it.
void fake_check_summary(const fake_host *host, const fake_op *op,
                        const tam_json_node *message);

#endif // TAM_TEST_FAKE_SUMMARY_H
