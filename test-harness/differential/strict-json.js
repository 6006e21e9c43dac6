// SPDX-License-Identifier: Apache-2.0
// What JSON.parse makes of bytes that must be UTF-8.

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** @param {Uint8Array} bytes @returns {{ isJson: boolean, value?: any }} */
export function parse(bytes) {
  try {
    return { isJson: true, value: JSON.parse(decoder.decode(bytes)) };
  } catch {
    return { isJson: false };
  }
}
