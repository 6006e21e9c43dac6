// SPDX-License-Identifier: Apache-2.0
// The names of the protocol. Generated from
// wasm/core/event_names.def; do not edit.

export const UIEventNames = Object.freeze({
  QUERY_SUBMITTED: 'querySubmitted',
  BACKGROUND_RESPONSE_RECEIVED: 'background:responseReceived',
  BACKGROUND_ERROR_RECEIVED: 'background:errorReceived',
  BACKGROUND_SCRAPE_STAGE_RESULT: 'background:scrapeStageResult',
  REQUEST_MODEL_LOAD: 'ui:requestModelLoad',
  WORKER_READY: 'worker:ready',
  WORKER_ERROR: 'worker:error',
  NAVIGATION_PAGE_CHANGED: 'navigation:pageChanged',
  SCRAPE_PAGE: 'SCRAPE_PAGE',
  SCRAPE_ACTIVE_TAB: 'SCRAPE_ACTIVE_TAB',
  DYNAMIC_SCRIPT_MESSAGE_TYPE: 'offscreenIframeResult',
  MODEL_WORKER_LOADING_PROGRESS: 'modelWorkerLoadingProgress',
  MODEL_SELECTION_CHANGED: 'ui:modelSelectionChanged',
  REQUEST_MODEL_DOWNLOAD_ACTION: 'ui:requestModelDownloadAction',
  REQUEST_MODEL_EXECUTION: 'ui:requestModelExecution',
  MODEL_ALREADY_LOADED: 'ui:modelAlreadyLoaded',
  WORKER_STATE_CHANGED: 'worker:stateChanged',
  SHOW_GOOGLE_TERMS_DIALOG: 'ui:showGoogleTermsDialog',
  SHOW_MODEL_SOURCE_DIALOG: 'ui:showModelSourceDialog',
  SHOW_HUGGINGFACE_LOGIN_DIALOG: 'ui:showHuggingFaceLoginDialog',
  SHOW_KAGGLE_LOGIN_DIALOG: 'ui:showKaggleLoginDialog',
  SHOW_GOOGLE_LOGIN_DIALOG: 'ui:showGoogleLoginDialog',
});

export const WorkerEventNames = Object.freeze({
  WORKER_SCRIPT_READY: 'workerScriptReady',
  INIT: 'init',
  WORKER_READY: 'workerReady',
  GENERATE: 'generate',
  LOADING_STATUS: 'loadingStatus',
  RESET: 'reset',
  GENERATION_STATUS: 'generationStatus',
  SET_BASE_URL: 'setBaseUrl',
  GENERATION_UPDATE: 'generationUpdate',
  SET_ENV_CONFIG: 'setEnvConfig',
  GENERATION_COMPLETE: 'generationComplete',
  MANIFEST_UPDATED: 'manifestUpdated',
  GENERATION_ERROR: 'generationError',
  INFERENCE_SETTINGS_UPDATE: 'inferenceSettingsUpdate',
  GENERATION_STOPPED: 'generationStopped',
  MEMORY_STATS: 'memoryStats',
  STOP_GENERATION: 'stopGeneration',
  REQUEST_MEMORY_STATS: 'requestMemoryStats',
  RESET_COMPLETE: 'resetComplete',
  HUGGINGFACE_LOGIN: 'huggingfaceLogin',
  ERROR: 'error',
  HUGGINGFACE_LOGOUT: 'huggingfaceLogout',
  UNINITIALIZED: 'uninitialized',
  MODEL_SOURCE_SELECTION: 'modelSourceSelection',
  CREATING_WORKER: 'creating_worker',
  CLEAR_CACHE: 'clearCache',
  LOADING_MODEL: 'loading_model',
  CACHE_CLEARED: 'cacheCleared',
  MODEL_READY: 'model_ready',
  GOOGLE_TERMS_ACCEPTED: 'googleTermsAccepted',
  GENERATING: 'generating',
  MEDIA_PIPE_MODULE_READY: 'mediaPipeModuleReady',
  IDLE: 'idle',
  UI_CONNECTED: 'uiConnected',
  WORKER_ENV_READY: 'workerEnvReady',
  UI_DISCONNECTED: 'uiDisconnected',
  UI_PING: 'uiPing',
  UI_PONG: 'uiPong',
  RESTORE_FROM_POPUP: 'restoreFromPopup',
});

export const RuntimeMessageTypes = Object.freeze({
  LOAD_MODEL: 'loadModel',
  SEND_CHAT_MESSAGE: 'sendChatMessage',
  INTERRUPT_GENERATION: 'interruptGeneration',
  RESET_WORKER: 'resetWorker',
  GET_MODEL_WORKER_STATE: 'getModelWorkerState',
  RESTORE_LAST_STATE: 'restoreLastState',
  SCRAPE_REQUEST: 'scrapeRequest',
  GET_DRIVE_FILE_LIST: 'getDriveFileList',
  GET_LOG_SESSIONS: 'getLogSessions',
  GET_LOG_ENTRIES: 'getLogEntries',
  DETACH_SIDE_PANEL: 'detachSidePanel',
  GET_DETACHED_STATE: 'getDetachedState',
  GET_DB_READY_STATE: 'getDbReadyState',
  CHECK_BACKGROUND_READY: 'checkBackgroundReady',
});

export const LoadingStatusTypes = Object.freeze({
  INITIATE: 'initiate',
  PROGRESS: 'progress',
  DONE: 'done',
  READY: 'ready',
  ERROR: 'error',
  CACHED: 'cached',
});

export const ModelWorkerStates = Object.freeze({
  UNINITIALIZED: 'uninitialized',
  CREATING_WORKER: 'creating_worker',
  WORKER_SCRIPT_READY: 'worker_script_ready',
  LOADING_MODEL: 'loading_model',
  MODEL_READY: 'model_ready',
  GENERATING: 'generating',
  ERROR: 'error',
  IDLE: 'idle',
});

export const QuantStatus = Object.freeze({
  Available: 'available',
  Downloaded: 'downloaded',
  Failed: 'failed',
  NotFound: 'not_found',
  Unavailable: 'unavailable',
  Unsupported: 'unsupported',
  ServerOnly: 'server_only',
});

export const DBNames = Object.freeze({
  DB_USER_DATA: 'TabAgentUserData',
  DB_LOGS: 'TabAgentLogs',
  DB_MODELS: 'TabAgentModels',
  DB_CHATS: 'TabAgentChats',
  DB_MESSAGES: 'TabAgentMessages',
  DB_EMBEDDINGS: 'TabAgentEmbeddings',
  DB_KNOWLEDGE_GRAPH_NODES: 'TabAgentKnowledgeGraphNodes',
  DB_KNOWLEDGE_GRAPH_EDGES: 'TabAgentKnowledgeGraphEdges',
  DB_CHAT_SUMMARIES: 'TabAgentChatSummaries',
  DB_ATTACHMENTS: 'TabAgentAttachments',
});

export const PanelMessageTypes = Object.freeze({
  INTERRUPT: 'interrupt',
  SAVE_LAST_CHAT_SESSION: 'saveLastChatSession',
  POPUP_CREATED: 'popupCreated',
  GET_POPUP_FOR_TAB: 'getPopupForTab',
  NATIVE_HOST_MESSAGE: 'native_host_message',
  GET_NATIVE_HOST_STATUS: 'get_native_host_status',
});

export const HostEventNames = Object.freeze({
  CONFIGURE: 'tabagent:configure',
  MEMORY_PRESSURE: 'tabagent:memoryPressure',
  SUSPEND: 'tabagent:suspend',
  REMEMBER: 'tabagent:remember',
  BUSY: 'tabagent:busy',
  IDLE: 'tabagent:idle',
});

export const ListChatModelsEvents = Object.freeze({
  LIST: 'listChatModels',
  PROGRESS: 'listChatModels:progress',
  DONE: 'listChatModels:done',
  ERROR: 'listChatModels:error',
  CANCEL: 'cancelListChatModels',
  CANCEL_LOAD: 'cancelLoad',
  CANCEL_LOAD_CHAT_MODELS: 'cancelLoadChatModels',
});
