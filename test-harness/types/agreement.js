// SPDX-License-Identifier: Apache-2.0
// Compiles only when the hand-written declarations say the same as the code:
// the same names, and types that fit. Nothing here is run.

import * as code from '../../js-bindings/index.js';

/** @typedef {typeof import('../../js-bindings/types/index.d.ts')} Declared */

/** @type {Declared} */
export const everythingDeclaredExists = code;

/** @type {(keyof Declared)[]} */
export const everythingThatExistsIsDeclared =
  /** @type {(keyof typeof code)[]} */ ([]);
