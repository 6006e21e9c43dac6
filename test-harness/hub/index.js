// SPDX-License-Identifier: Apache-2.0
// Public face of the Hub simulator.

export { generateCatalogue } from './catalogue.js';
export { readCatalogue } from './ndjson.js';
export { createHub, Hub } from './hub.js';
export { startMirrored } from './mirror.js';
export { startHub } from './server.js';
export { createVirtualClock, VirtualClock } from './virtual-clock.js';
