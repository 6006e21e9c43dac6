// SPDX-License-Identifier: Apache-2.0
// Blobs that can be read to their end whatever the garbage collector does.
// Chromium forgets a read of a Blob's stream into the reader's own buffer when
// nothing but its promise holds the reader, and ONNX Runtime reads external
// data so: the load would never end.

/** @type {Set<ReadableStreamReader<any>>} that have not come to their end */
const reading = new Set();

/**
 * Gives a Blob whose parts are read by readers that stay.
 * @param {Blob} file
 * @param {() => void} onRead called before each part is read
 * @returns {Blob} with the same contents
 */
export function holdReaders(file, onRead) {
  // Others have the Blob, too.
  const held = file.slice();
  held.slice = (...range) => {
    const part = file.slice(...range);
    part.stream = () => {
      onRead();
      const stream = Blob.prototype.stream.call(part);
      const getReader = stream.getReader.bind(stream);
      /** @param {any} [options] @returns {any} */
      stream.getReader = (options) => hold(getReader(options));
      return stream;
    };
    return part;
  };
  return held;
}

/**
 * @template {ReadableStreamReader<any>} T
 * @param {T} reader
 * @returns {T}
 */
function hold(reader) {
  reading.add(reader);
  const leave = () => { reading.delete(reader); };
  reader.closed.then(leave, leave);
  return reader;
}
