// SPDX-License-Identifier: Apache-2.0
// Compiles only when the hand-written declarations say the same as the code:
// the same names, and types that fit. Nothing here is run.

import * as background from '../../js-bindings/extension/background.js';
import * as client from '../../js-bindings/extension/client.js';
import * as code from '../../js-bindings/index.js';

/** @typedef {typeof import('../../js-bindings/types/index.d.ts')} Declared */

/** @type {Declared} */
export const everythingDeclaredExists = code;

/** @type {(keyof Declared)[]} */
export const everythingThatExistsIsDeclared =
  /** @type {(keyof typeof code)[]} */ ([]);

/** @type {typeof import('../../js-bindings/types/background.d.ts')} */
export const declaredOfBackground = background;

/** @type {typeof import('../../js-bindings/types/client.d.ts')} */
export const declaredOfClient = client;

/** @type {(keyof typeof declaredOfBackground)[]} */
export const allOfBackground =
  /** @type {(keyof typeof background)[]} */ ([]);

/** @type {(keyof typeof declaredOfClient)[]} */
export const allOfClient = /** @type {(keyof typeof client)[]} */ ([]);
