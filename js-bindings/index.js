// SPDX-License-Identifier: Apache-2.0
// What the package exports.

export { PROTOCOL_VERSION as protocolVersion, VERSION as version }
  from './abi.js';
export {
  DBNames, ListChatModelsEvents, LoadingStatusTypes, ModelWorkerStates,
  QuantStatus, RuntimeMessageTypes, UIEventNames, WorkerEventNames,
} from './constants.js';
export { TabAgentError } from './errors.js';
export { createModelManager } from './model-manager.js';
