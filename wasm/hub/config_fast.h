// SPDX-License-Identifier: Apache-2.0
// The fast way through configurations that lie whole in one piece of input:
// the same digest as from tokens, see core/json_skip.h for what "fast" means.
#ifndef TAM_HUB_CONFIG_FAST_H
#define TAM_HUB_CONFIG_FAST_H

#include "hub/config_digest.h"

// Reads the configuration object at |at| (its '{') into |digest|. Returns the
// byte behind it, or NULL; |digest| is then undefined. Names are borrowed.
const uint8_t *tam_config_fast_object(tam_config_digest *digest,
                                      const uint8_t *at, const uint8_t *guard);

// |at| is behind a member of a configuration. Reads the further members as far
// as they are certain and returns the byte behind the last of them.
const uint8_t *tam_config_fast_members(tam_config_digest *digest,
                                       const uint8_t *at, const uint8_t *guard);

#endif // TAM_HUB_CONFIG_FAST_H
