// SPDX-License-Identifier: Apache-2.0
// The settings that stand between a model's own and those of a request: for all
// models, for one, or for one in one dtype; the narrower ones win.

/**
 * @typedef {Record<string, unknown>} Settings
 * @typedef {{ modelId?: string, dtype?: string }} Scope
 */

/** What was saved, as long as the manager lives. */
export class SavedSettings {
  /** @type {Map<string, Settings>} by scope */
  #saved = new Map();
  /** @type {Scope} */
  #loaded = {};

  /**
   * Says which model answers from now on.
   * @param {Scope} loaded
   */
  use({ modelId, dtype }) {
    this.#loaded = { modelId, dtype };
  }

  /**
   * What was saved for a scope.
   * @param {Scope} [scope]
   * @returns {Settings}
   */
  saved(scope) {
    return { ...this.#saved.get(keyOf(scope)) };
  }

  /**
   * What would be saved after a patch; null takes a setting away.
   * @param {Settings} patch
   * @param {Scope} [scope]
   * @returns {Settings}
   */
  patched(patch, scope) {
    return Object.fromEntries(
      Object.entries({ ...this.saved(scope), ...patch })
        .filter(([, value]) => value !== null && value !== undefined));
  }

  /**
   * @param {Settings} settings
   * @param {Scope} [scope]
   * @returns {Settings} the same
   */
  save(settings, scope) {
    this.#saved.set(keyOf(scope), settings);
    return { ...settings };
  }

  /**
   * What holds for the model that is loaded.
   * @returns {Settings}
   */
  effective() {
    const { modelId, dtype } = this.#loaded;
    return {
      ...this.saved(),
      ...modelId && this.saved({ modelId }),
      ...modelId && this.saved({ modelId, dtype }),
    };
  }
}

/** @param {Scope} [scope] */
function keyOf({ modelId, dtype } = {}) {
  return JSON.stringify([modelId ?? null, dtype ?? null]);
}
