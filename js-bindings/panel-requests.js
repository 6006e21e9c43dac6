// SPDX-License-Identifier: Apache-2.0
// Which messages are for us. Generated from
// wasm/protocol/panel_request.def; do not edit.

/** The types of the requests of TabAgent's panel. */
export const PANEL_REQUESTS = Object.freeze([
  'init',
  'loadModel',
  'restoreLastState',
  'reset',
  'resetWorker',
  'getModelWorkerState',
  'checkBackgroundReady',
  'generate',
  'sendChatMessage',
  'stopGeneration',
  'interrupt',
  'interruptGeneration',
  'clearCache',
  'inferenceSettingsUpdate',
  'huggingfaceLogin',
  'huggingfaceLogout',
  'setBaseUrl',
  'setEnvConfig',
  'modelSourceSelection',
  'googleTermsAccepted',
  'mediaPipeModuleReady',
  'manifestUpdated',
  'requestMemoryStats',
  'popupCreated',
  'getPopupForTab',
  'uiConnected',
  'uiDisconnected',
  'uiPong',
  'tabagent:configure',
  'tabagent:memoryPressure',
  'tabagent:suspend',
]);
