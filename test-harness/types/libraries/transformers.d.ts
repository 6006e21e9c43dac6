// SPDX-License-Identifier: Apache-2.0
// transformers.js as far as its test uses it: its own declarations have errors.

export const AutoModel: any;
export const AutoTokenizer: any;
export const env: any;
