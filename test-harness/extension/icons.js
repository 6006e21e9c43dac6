// SPDX-License-Identifier: Apache-2.0
// Draws the icon of the demo: a speech bubble with a spark in it, on a rounded
// square. Shapes are distances, so every size is drawn and none is scaled.

import { deflateSync } from 'node:zlib';

/** Samples of a pixel in each direction. */
const SAMPLES = 4;

const GROUND = [12, 107, 91];
const BUBBLE = [255, 255, 255];

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * @typedef {number[]} Colour three parts, and opacity if it has a fourth
 */

/**
 * Distance to a rectangle with round corners, below 0 inside.
 * @param {number} x
 * @param {number} y
 * @param {{ x: number, y: number, width: number, height: number, radius: number }}
 *   box by its middle
 */
function toBox(x, y, box) {
  const dx = Math.abs(x - box.x) - box.width / 2 + box.radius;
  const dy = Math.abs(y - box.y) - box.height / 2 + box.radius;
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0))
    + Math.min(Math.max(dx, dy), 0) - box.radius;
}

/** The tail of the bubble. @param {number} x @param {number} y */
function isTail(x, y) {
  return x > 0.3 && y > 0.6 && x - 0.3 < (0.86 - y) && y < 0.86;
}

/** A star with four hollow sides. @param {number} x @param {number} y */
function isSpark(x, y) {
  const reach = 0.185;
  return Math.sqrt(Math.abs(x - 0.5) / reach)
    + Math.sqrt(Math.abs(y - 0.46) / reach) < 1;
}

/**
 * @param {number} x 0 to 1
 * @param {number} y 0 to 1, downwards
 * @returns {Colour}
 */
function colourAt(x, y) {
  if (toBox(x, y, { x: 0.5, y: 0.5, width: 1, height: 1, radius: 0.23 }) > 0) {
    return [...GROUND, 0];
  }
  const bubble = { x: 0.5, y: 0.46, width: 0.66, height: 0.5, radius: 0.14 };
  const isBubble = toBox(x, y, bubble) < 0 || isTail(x, y);
  return isBubble && !isSpark(x, y) ? BUBBLE : GROUND;
}

/** @param {number} size in pixels @returns {Buffer} rows as PNG has them */
function draw(size) {
  const rows = Buffer.alloc(size * (1 + size * 4));
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      rows.set(pixel(x, y, size), y * (1 + size * 4) + 1 + x * 4);
    }
  }
  return rows;
}

/** @param {number} x @param {number} y @param {number} size */
function pixel(x, y, size) {
  const sum = [0, 0, 0, 0];
  for (let i = 0; i < SAMPLES * SAMPLES; i += 1) {
    const [r, g, b, opacity = 1] = colourAt(
      (x + (i % SAMPLES + 0.5) / SAMPLES) / size,
      (y + (Math.floor(i / SAMPLES) + 0.5) / SAMPLES) / size);
    [r, g, b, 255].forEach((part, j) => { sum[j] += part * opacity; });
  }
  const weight = sum[3] / 255;
  const count = SAMPLES * SAMPLES;
  return [...sum.slice(0, 3).map((part) => (weight ? part / weight : 0)),
    sum[3] / count].map(Math.round);
}

/** @param {Buffer} bytes as PNG checks them */
function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
  }
  return ~crc >>> 0;
}

/** @param {string} name @param {Buffer} data */
function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/**
 * The icon as a PNG.
 * @param {number} size in pixels
 */
export function iconOf(size) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // Eight bits each of red, green, blue and opacity.
  header.set([8, 6], 8);
  return Buffer.concat([
    Buffer.from(SIGNATURE), chunk('IHDR', header),
    chunk('IDAT', deflateSync(draw(size))), chunk('IEND', Buffer.alloc(0)),
  ]);
}
