// SPDX-License-Identifier: Apache-2.0
// What the contexts of an extension call each other by.

/** Receivers of messages, and the names of ports to them. */
export const ROUTER = 'tabagent-router';
export const HOST = 'tabagent-host';
export const CLIENT = 'tabagent-client';

/** The host holds it as long as it lives: by it others notice its end. */
export const HOST_LOCK = 'tabagent-host';

/** Marks a page that was opened by us, and that is ours to close. */
export const OPENED_BY_US = '#tabagent';

/** Where old panels say that they are there. */
export const PANEL_CHANNEL = 'tabagent-llm';

/** Where the state of the background is kept. */
export const STATE_KEY = 'tabagent_background_state';

/** What the core says to us alone, and we to it. */
export const REMEMBER = 'tabagent:remember';
export const IDLE = 'tabagent:idle';
export const BUSY = 'tabagent:busy';
export const SUSPEND = 'tabagent:suspend';
export const CONFIGURE = 'tabagent:configure';

/** The page of the host, from the root of the extension. */
export const HOST_URL = 'tabagent-host.html';
