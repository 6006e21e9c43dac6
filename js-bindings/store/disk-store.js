// SPDX-License-Identifier: Apache-2.0
// The store on disk, under the name that it has in the package as well.

export { DiskStore } from './disk.js';
