// SPDX-License-Identifier: Apache-2.0
// Which messages are meant for us. An extension has others, and whoever says of
// a message that it will answer keeps the others from it.

/** Requests of TabAgent's panel. */
const TYPES = new Set([
  'init', 'loadModel', 'generate', 'sendChatMessage', 'stopGeneration',
  'interrupt', 'interruptGeneration', 'reset', 'resetWorker', 'clearCache',
  'inferenceSettingsUpdate', 'setBaseUrl', 'setEnvConfig', 'huggingfaceLogin',
  'huggingfaceLogout', 'manifestUpdated', 'modelSourceSelection',
  'googleTermsAccepted', 'mediaPipeModuleReady', 'requestMemoryStats',
  'checkBackgroundReady', 'getModelWorkerState', 'restoreLastState',
  'saveLastChatSession', 'listChatModels', 'cancelListChatModels',
  'cancelLoad', 'cancelLoadChatModels',
]);

/** Requests in the other style, which have an id. */
const ACTIONS = new Set([
  'listChatModels', 'cancelListChatModels', 'cancelLoad',
  'cancelLoadChatModels', 'plan', 'download', 'models', 'deleteModel',
  'verifyModel', 'pinModel', 'checkForUpdate', 'updateModel', 'rollbackModel',
  'downloads', 'pauseDownload', 'resumeDownload', 'cancelDownload',
  'clearStore', 'doctor', 'storage', 'load', 'generate', 'stop', 'reset',
  'state', 'settings', 'updateSettings',
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
