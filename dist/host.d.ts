// SPDX-License-Identifier: Apache-2.0
// The page of the host: importing it is all there is to do.
export {};
