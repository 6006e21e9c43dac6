// SPDX-License-Identifier: Apache-2.0
// The background of an extension.

export interface BackgroundOptions {
  /**
   * The page that imports `tabagent-wasm/host`, from the root of the extension;
   * `tabagent-host.html` by default.
   */
  hostUrl?: string;
  /** Address of the Hub, `https://huggingface.co` by default. */
  hubUrl?: string | URL;
  /** Other addresses of the same Hub; see `createModelManager`. */
  mirrors?: string[];
  /**
   * Types of messages that content scripts of this extension may send. By
   * default only its own pages are obeyed.
   */
  allowContentScripts?: string[];
  /** When a model that nobody uses is released, and the like; null: never. */
  idle?: {
    /** After so long without a request; 15 minutes by default. */
    unloadAfterIdleMs?: number | null;
    /** So long after the last panel has gone; a minute by default. */
    unloadGraceMs?: number | null;
    /**
     * After so long the browser ends a background that is a document and seems
     * idle: 30 seconds in Firefox, as by default. While something runs or a model
     * is loaded it is kept from that; null: it is not.
     */
    suspendAfterMs?: number | null;
  };
  /** Brings an access token, for a login without one; see `hubOAuth`. */
  oauth?: () => Promise<string>;
}

/**
 * Makes this script the background of TabAgent's models: it routes messages to
 * the host, which it opens when it is needed. To be called at the top level of
 * the script, for whoever wakes it must find it listening.
 */
export function startBackground(options?: BackgroundOptions): void;

export interface HubOAuthOptions {
  /** Of the public app that the extension is registered as at the Hub. */
  clientId: string;
  /** Separated by blanks; `openid profile gated-repos` by default. */
  scopes?: string;
  hubUrl?: string;
  /** `chrome.identity`; needs the permission of that name. */
  identity: {
    getRedirectURL(): string;
    launchWebAuthFlow(details: { url: string, interactive: boolean }):
      Promise<string | undefined>;
  };
  fetch?: typeof fetch;
}

/** Shows the Hub's own login page: an `oauth` for `startBackground`. */
export function hubOAuth(options: HubOAuthOptions): () => Promise<string>;
