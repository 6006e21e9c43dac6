// SPDX-License-Identifier: Apache-2.0
// Which messages are meant for us. An extension has others, and whoever says of
// a message that it will answer keeps the others from it.

import { PANEL_REQUESTS } from '../panel-requests.js';

/** Of panels: those on their channel, and what only the host may say. */
const NOT_SENT = [
  'uiConnected', 'uiDisconnected', 'uiPong', 'tabagent:configure',
];

/** Requests by their types. */
const TYPES = new Set([
  ...PANEL_REQUESTS.filter((type) => !NOT_SENT.includes(type)),
  'saveLastChatSession', 'login', 'logout', 'listChatModels',
  'cancelListChatModels', 'cancelLoad', 'cancelLoadChatModels',
]);

/** Requests in the other style, which have an id. */
const ACTIONS = new Set([
  'listChatModels', 'cancelListChatModels', 'cancelLoad',
  'cancelLoadChatModels', 'plan', 'download', 'models', 'deleteModel',
  'verifyModel', 'pinModel', 'checkForUpdate', 'updateModel', 'rollbackModel',
  'downloads', 'pauseDownload', 'resumeDownload', 'cancelDownload',
  'clearStore', 'doctor', 'storage', 'load', 'generate', 'stop', 'reset',
  'state', 'settings', 'updateSettings', 'login', 'logout', 'account',
]);

/** @param {any} message */
export function isRequest(message) {
  if (typeof message !== 'object' || message === null) return false;
  const { action, type, to } = message;
  if (to !== undefined) return false;
  return typeof action === 'string' ? ACTIONS.has(action) : TYPES.has(type);
}

/**
 * The answer to a request that cannot be carried out.
 * @param {any} message
 * @param {any} error
 */
export function refusal({ action, id }, error) {
  const { code = 'internal', message = String(error) } = error ?? {};
  return typeof action === 'string'
    ? { action: `${action}:error`, id, code, message }
    : { success: false, error: message, code };
}
