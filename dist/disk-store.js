// SPDX-License-Identifier: Apache-2.0

// js-bindings/store/disk.js
import { createHash as createHash2 } from "node:crypto";
import { statfs } from "node:fs/promises";
import { join as join4, resolve } from "node:path";

// js-bindings/store/disk/contents.js
import { openAsBlob } from "node:fs";
import { open as open2, readdir } from "node:fs/promises";
import { join } from "node:path";

// js-bindings/store/errors.js
function storeError(name, message, cause) {
  const error = new Error(message, cause === void 0 ? void 0 : { cause });
  error.name = name;
  return error;
}
function closedError() {
  return storeError("ClosedError", "the store was closed");
}

// js-bindings/store/disk/files.js
import { open, rm } from "node:fs/promises";
function ignoreMissing(error) {
  if (error.code !== "ENOENT") throw error;
}
async function discard(paths) {
  await Promise.all(paths.map((path) => rm(path).catch(() => {
  })));
}
async function syncDirectory(path) {
  if (process.platform === "win32") return;
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

// js-bindings/store/disk/contents.js
var PIECE_BYTES = 1024 * 1024;
var Contents = class {
  #directory;
  #next = 1;
  /** @param {string} directory which is there */
  constructor(directory) {
    this.#directory = directory;
  }
  /** The lowest number that was never used. */
  get next() {
    return this.#next;
  }
  /** @param {number} number that is or was used */
  reserve(number) {
    this.#next = Math.max(this.#next, number + 1);
  }
  /**
   * Writes Blobs; durable when it resolves, all or none.
   * @param {Blob[]} blobs
   * @returns {Promise<number[]>}
   */
  async add(blobs) {
    const numbers = [];
    try {
      for (const blob of blobs) await this.#write(blob, numbers);
      return numbers;
    } catch (error) {
      await this.remove(numbers);
      throw error;
    }
  }
  /**
   * @param {number} number
   * @param {number} size
   * @returns {Promise<Blob>}
   */
  async blob(number, size) {
    try {
      const blob = await openAsBlob(this.#path(number));
      if (blob.size === size) return blob;
    } catch (error) {
      throw storeError("NotReadableError", "a content is missing", error);
    }
    throw storeError("NotReadableError", `a content has not ${size} bytes`);
  }
  /** @param {number[]} numbers */
  async remove(numbers) {
    await discard(numbers.map((number) => this.#path(number)));
  }
  /**
   * Deletes all but these.
   * @param {Set<number>} used
   */
  async sweep(used) {
    const present = (await readdir(this.#directory)).filter((name) => /^\d+$/.test(name)).map(Number);
    for (const number of present) this.reserve(number);
    await this.remove(present.filter((number) => !used.has(number)));
  }
  /**
   * @param {Blob} blob
   * @param {number[]} numbers of the batch; ours is added at once
   */
  async #write(blob, numbers) {
    const { handle, number } = await this.#create();
    numbers.push(number);
    try {
      for (let at = 0; at < blob.size; at += PIECE_BYTES) {
        const piece = blob.slice(at, at + PIECE_BYTES);
        await handle.writeFile(new Uint8Array(await piece.arrayBuffer()));
      }
      await Promise.all([handle.datasync(), syncDirectory(this.#directory)]);
    } finally {
      await handle.close();
    }
  }
  /** Another process may have taken a number that we do not know of. */
  async #create() {
    for (; ; ) {
      const number = this.#next;
      this.#next += 1;
      try {
        return { handle: await open2(this.#path(number), "wx"), number };
      } catch (error) {
        if (
          /** @type {any} */
          error.code !== "EEXIST"
        ) throw error;
      }
    }
  }
  /** @param {number} number */
  #path(number) {
    return join(this.#directory, String(number));
  }
};

// js-bindings/store/disk/directory.js
import { rmSync } from "node:fs";
import { mkdir as mkdir2, readdir as readdir3, writeFile as writeFile2 } from "node:fs/promises";
import { join as join3 } from "node:path";

// js-bindings/store/disk/lock.js
import { rmdirSync, unlinkSync } from "node:fs";
import { mkdir, readdir as readdir2, rename, rm as rm2, writeFile } from "node:fs/promises";
import { join as join2 } from "node:path";

// js-bindings/store/disk/owner.js
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
var START_TOLERANCE_MS = 50;
var TICK_MS = 10;
var ENDED = -Infinity;
var START_FIELD = 19;
var OWNER = /^(\d+)-(\d+)-[0-9a-f]+$/;
function newOwner() {
  const start = startOf(process.pid) ?? 0;
  return `${process.pid}-${start}-${randomBytes(6).toString("hex")}`;
}
function isOwner(name) {
  return OWNER.test(name);
}
function isAlive(name) {
  const [, pid, start] = OWNER.exec(name) ?? [];
  if (pid === void 0 || !isRunning(Number(pid))) return false;
  const now = startOf(Number(pid));
  return now === null || Math.abs(now - Number(start)) <= START_TOLERANCE_MS;
}
function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (
      /** @type {NodeJS.ErrnoException} */
      error.code === "EPERM"
    );
  }
}
function startOf(pid) {
  if (process.platform === "linux") {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (fields[0] === "Z" || fields[0] === "X") return ENDED;
      return Number(fields[START_FIELD]) * TICK_MS;
    } catch {
      return null;
    }
  }
  if (pid !== process.pid) return null;
  return Math.round(Number(process.hrtime.bigint()) / 1e6 - process.uptime() * 1e3);
}

// js-bindings/store/locks.js
var queues = /* @__PURE__ */ new Map();
async function acquireInRealm(name, signal) {
  signal.throwIfAborted();
  const before = queues.get(name);
  let release = () => {
  };
  const released = new Promise((resolve2) => {
    release = resolve2;
  });
  const end = Promise.resolve(before).then(() => released);
  queues.set(name, end);
  end.then(() => {
    if (queues.get(name) === end) queues.delete(name);
  });
  try {
    if (before) await untilAborted(before, signal);
    return release;
  } catch (error) {
    release();
    throw error;
  }
}
function untilAborted(promise, signal) {
  return new Promise((resolve2, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    promise.then(resolve2, reject).finally(() => {
      signal.removeEventListener("abort", abort);
    });
  });
}
var Locks = class {
  #acquire;
  /** @type {Set<Release>} */
  #held = /* @__PURE__ */ new Set();
  #closing = new AbortController();
  /** @param {Acquire} acquire */
  constructor(acquire) {
    this.#acquire = acquire;
  }
  /**
   * @param {string} name
   * @param {AbortSignal} [signal]
   * @returns {Promise<Release>}
   */
  async lock(name, signal) {
    const either = new AbortController();
    const sources = [this.#closing.signal, ...signal ? [signal] : []];
    const aborts = sources.map((source) => {
      const abort = () => either.abort(source.reason);
      if (source.aborted) abort();
      source.addEventListener("abort", abort);
      return () => source.removeEventListener("abort", abort);
    });
    try {
      const free = await this.#acquire(name, either.signal);
      const release = () => {
        if (this.#held.delete(release)) free();
      };
      this.#held.add(release);
      if (either.signal.aborted) {
        release();
        throw either.signal.reason;
      }
      return release;
    } finally {
      for (const stop of aborts) stop();
    }
  }
  /** Releases all that are held and ends every wait for one. */
  close() {
    this.#closing.abort(closedError());
    for (const release of [...this.#held]) release();
  }
};

// js-bindings/store/disk/lock.js
var DELAY_MIN_MS = 1;
var DELAY_MAX_MS = 20;
async function acquireOnDisk(path, signal) {
  const leave = await acquireInRealm(path, signal);
  try {
    const owner = await take(path, signal);
    return () => {
      clear(path, owner);
      leave();
    };
  } catch (error) {
    leave();
    throw error;
  }
}
async function take(path, signal) {
  const owner = newOwner();
  const draft = join2(path, "..", owner);
  try {
    await mkdir(draft);
    await writeFile(join2(draft, owner), "");
    let delay = DELAY_MIN_MS;
    while (!await renameUnlessThere(draft, path)) {
      if (await clearUnlessAlive(path)) continue;
      await wait(delay, signal);
      delay = Math.min(delay * 2, DELAY_MAX_MS);
    }
    return owner;
  } catch (error) {
    await rm2(draft, { recursive: true, force: true });
    throw error;
  }
}
async function renameUnlessThere(draft, path) {
  try {
    await rename(draft, path);
    return true;
  } catch (error) {
    if (isOneOf(error, "ENOTEMPTY", "EEXIST")) return false;
    if (process.platform === "win32" && isOneOf(error, "EPERM", "EACCES")) {
      return false;
    }
    throw error;
  }
}
async function clearUnlessAlive(path) {
  try {
    const [owner] = await readdir2(path);
    if (owner !== void 0 && isAlive(owner)) return false;
    clear(path, owner);
    return true;
  } catch (error) {
    if (isOneOf(error, "ENOENT")) return true;
    throw error;
  }
}
function clear(path, owner) {
  try {
    if (owner !== void 0) unlinkSync(join2(path, owner));
    rmdirSync(path);
  } catch (error) {
    if (!isOneOf(error, "ENOENT", "ENOTEMPTY", "EEXIST", "EPERM", "EBUSY")) {
      throw error;
    }
  }
}
function wait(ms, signal) {
  return new Promise((resolve2, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(signal.reason);
      else resolve2();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
function isOneOf(error, ...codes) {
  return codes.includes(
    String(
      /** @type {NodeJS.ErrnoException} */
      error.code
    )
  );
}
async function sweepLocks(directory) {
  for (const name of await readdir2(directory)) {
    const path = join2(directory, name);
    if (!isOwner(name)) await clearUnlessAlive(path);
    else if (!isAlive(name)) await rm2(path, { recursive: true, force: true });
  }
}

// js-bindings/store/disk/directory.js
var Directory = class {
  #owner = newOwner();
  /** @param {string} path */
  constructor(path) {
    this.log = join3(path, "index");
    this.contents = join3(path, "content");
    this.locks = join3(path, "lock");
    this.users = join3(path, "open");
  }
  /** Makes what is not there, and says that we have it open. */
  async enter() {
    for (const path of [this.contents, this.locks, this.users]) {
      await mkdir2(path, { recursive: true });
    }
    await writeFile2(join3(this.users, this.#owner), "");
  }
  /** Says that we have it open no more. */
  leave() {
    rmSync(join3(this.users, this.#owner), { force: true });
  }
  /** Whether nobody else has it open. Whoever comes waits for the log. */
  async isOurs() {
    const names = await readdir3(this.users);
    const dead = names.filter((name) => !isAlive(name));
    await discard(dead.map((name) => join3(this.users, name)));
    return names.length - dead.length === 1;
  }
  /** Deletes what dead processes left of locks. */
  async sweepLocks() {
    await sweepLocks(this.locks);
  }
};

// js-bindings/store/json-object.js
var encoder = new TextEncoder();
var decoder = new TextDecoder("utf-8", { fatal: true });
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function parseObject(text) {
  const value = JSON.parse(decoder.decode(text));
  if (!isObject(value)) throw new TypeError("not the JSON text of an object");
  return value;
}
function formatObject(object) {
  return encoder.encode(JSON.stringify(object));
}
function mergePatch(target, patch) {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

// js-bindings/store/layout.js
var KEY_PATHS = {
  files: "url",
  manifest: "repo",
  inferenceSettings: "id"
};
var STORE_NAMES = (
  /** @type {StoreName[]} */
  Object.keys(KEY_PATHS)
);
var GET_BYTES_MAX = 1024 * 1024;
async function bytesOfBlob(blob) {
  if (blob.size > GET_BYTES_MAX) {
    throw storeError("TooLargeError", `content of more than ${GET_BYTES_MAX} bytes is not read at once, this has ${blob.size}`);
  }
  return new Uint8Array(await blob.arrayBuffer());
}
function readBatch(batch) {
  return batch.map((change) => {
    const store = change.kind === "content" ? "files" : change.store;
    if (!Object.hasOwn(KEY_PATHS, store) || typeof change.key !== "string") {
      throw new TypeError(`no place of the store: ${store}, ${change.key}`);
    }
    return { store, step: readChange(change, store) };
  });
}
function readChange(change, store) {
  const { kind, key } = change;
  switch (kind) {
    case "content":
      if (!(change.blob instanceof Blob)) throw new TypeError("not a Blob");
      return { kind, key, blob: change.blob };
    case "record":
      if (store === "files") return { kind, key, bytes: change.bytes.slice() };
      return objectStep(store, key, change.bytes, (_, value) => value);
    case "merge":
      if (store === "files") throw new TypeError("files hold no objects");
      return objectStep(store, key, change.patch, mergePatch);
    case "delete":
      return { kind, key };
    default:
      throw new TypeError(`no change of the store: ${kind}`);
  }
}
function objectStep(store, key, text, combine) {
  const value = parseObject(text);
  return {
    kind: "object",
    key,
    change: (old) => ({ ...combine(old, value), [KEY_PATHS[store]]: key })
  };
}

// js-bindings/store/disk/entries.js
var ITEM_BYTES = 32;
var Entries = class {
  /** @type {Map<string, Map<string, Entry>>} */
  #stores = new Map(STORE_NAMES.map((name) => [name, /* @__PURE__ */ new Map()]));
  /**
   * @param {StoreName} store
   * @param {string} key
   */
  get(store, key) {
    return this.#store(store).get(key);
  }
  /**
   * @param {StoreName} store
   * @param {string} prefix
   * @returns {string[]} in the order of IndexedDB, by code units
   */
  keys(store, prefix) {
    return [...this.#store(store).keys()].filter((key) => key.startsWith(prefix)).sort();
  }
  clear() {
    for (const store of this.#stores.values()) store.clear();
  }
  /**
   * @param {Item[]} items
   * @returns {number[]} the contents that nothing refers to any more
   */
  apply(items) {
    const dropped = [];
    for (const item of items) {
      if (item[0] === "next") continue;
      const [store, key] = item[0] === "content" ? (
        /** @type {const} */
        ["files", item[1]]
      ) : [item[1], item[2]];
      const old = this.get(store, key);
      if (old && "number" in old) dropped.push(old.number);
      const entry = entryOf(item);
      if (entry) this.#store(store).set(key, entry);
      else this.#store(store).delete(key);
    }
    return dropped;
  }
  /**
   * What a batch does to these entries.
   * @param {{ store: StoreName, step: Step }[]} steps
   * @param {number[]} numbers of the contents, in their order
   * @returns {Item[]}
   */
  itemsOf(steps, numbers) {
    const left = numbers.values();
    const changed = /* @__PURE__ */ new Map();
    return steps.map(({ store, step }) => {
      const { kind, key } = step;
      if (kind === "content") {
        return [kind, key, Number(left.next().value), step.blob.size];
      }
      if (kind === "record") return ["bytes", store, key, toBase64(step.bytes)];
      const place = JSON.stringify([store, key]);
      if (kind === "delete") {
        changed.set(place, void 0);
        return [kind, store, key];
      }
      const entry = this.get(store, key);
      const old = changed.has(place) ? changed.get(place) : entry && "bytes" in entry ? entry.bytes : void 0;
      const bytes = formatObject(step.change(old && parseObject(old)));
      changed.set(place, bytes);
      return ["bytes", store, key, toBase64(bytes)];
    });
  }
  /** @returns {Generator<Item>} that make these entries of nothing */
  *items() {
    for (const [name, store] of this.#stores) {
      for (const [key, entry] of store) {
        if ("number" in entry) {
          yield ["content", key, entry.number, entry.size];
        } else {
          const place = (
            /** @type {StoreName} */
            name
          );
          yield ["bytes", place, key, toBase64(entry.bytes)];
        }
      }
    }
  }
  /** @returns {{ number: number, size: number }[]} */
  contents() {
    return [...this.#store("files").values()].flatMap((entry) => "number" in entry ? [entry] : []);
  }
  /** About how many bytes of a log these entries need. */
  weight() {
    let bytes = 0;
    for (const store of this.#stores.values()) {
      for (const [key, entry] of store) {
        bytes += ITEM_BYTES + key.length + ("bytes" in entry ? entry.bytes.length * 4 / 3 : 0);
      }
    }
    return bytes;
  }
  /** @param {StoreName} name */
  #store(name) {
    const store = this.#stores.get(name);
    if (!store) throw new TypeError(`no object store ${name}`);
    return store;
  }
};
function entryOf(item) {
  if (item[0] === "content") return { number: item[2], size: item[3] };
  if (item[0] === "delete") return void 0;
  return { bytes: new Uint8Array(Buffer.from(item[3], "base64")) };
}
function toBase64({ buffer, byteOffset, length }) {
  return Buffer.from(buffer, byteOffset, length).toString("base64");
}

// js-bindings/store/disk/log.js
import { createHash } from "node:crypto";
import { open as open3, rename as rename2, rm as rm3 } from "node:fs/promises";
import { dirname } from "node:path";
var SUM_LEN = 16;
var NEWLINE = 10;
function sumOf(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, SUM_LEN);
}
function formatLine(value) {
  const text = JSON.stringify(value);
  return `${sumOf(text)} ${text}
`;
}
function parseLine(line) {
  const text = line.slice(SUM_LEN + 1);
  return line.slice(0, SUM_LEN) === sumOf(text) ? JSON.parse(text) : void 0;
}
var Log = class {
  #path;
  /** @type {import('node:fs/promises').FileHandle | null} */
  #handle = null;
  #end = 0;
  /** @param {string} path */
  constructor(path) {
    this.#path = path;
  }
  /** Bytes of all whole lines that were read or written. */
  get size() {
    return this.#end;
  }
  /**
   * Reads what was appended since the last call. A damaged line counts as not
   * written; the last one may still be in the making.
   * @returns {Promise<{ isAnew: boolean, lines: any[] }>} with |isAnew| these
   *   are all lines, and those before are void
   */
  async read() {
    const isAnew = await this.#isAnew();
    const handle = await this.#open();
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(size - this.#end);
    const { bytesRead } = await handle.read(
      bytes,
      0,
      bytes.length,
      this.#end
    );
    const lines = [];
    let whole = 0;
    let at = 0;
    for (; ; ) {
      const end = bytes.subarray(0, bytesRead).indexOf(NEWLINE, at);
      if (end < 0) break;
      const line = parseLine(bytes.toString("utf8", at, end));
      at = end + 1;
      if (line === void 0) continue;
      lines.push(line);
      whole = at;
    }
    this.#end += whole;
    return { isAnew, lines };
  }
  /**
   * Appends a line; durable when it resolves. To be called under the lock of
   * the log, after reading: what stands behind the whole lines was left by a
   * process that died while it wrote.
   * @param {unknown} value
   */
  async append(value) {
    const handle = await this.#open();
    const line = Buffer.from(formatLine(value));
    const end = this.#end;
    try {
      if ((await handle.stat()).size > end) await handle.truncate(end);
      for (let at = 0; at < line.length; ) {
        const { bytesWritten } = await handle.write(
          line,
          at,
          line.length - at,
          end + at
        );
        at += bytesWritten;
      }
      await handle.datasync();
      this.#end = end + line.length;
    } catch (error) {
      await handle.truncate(end).catch(() => {
      });
      throw error;
    }
  }
  /**
   * Replaces all lines. To be called under the lock of the log, when no other
   * process has it open.
   * @param {unknown[]} values
   */
  async replace(values) {
    const draft = `${this.#path}.new`;
    try {
      const handle = await open3(draft, "w");
      try {
        for (const value of values) await handle.writeFile(formatLine(value));
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await this.close();
      await rename2(draft, this.#path);
      await syncDirectory(dirname(this.#path));
    } finally {
      await rm3(draft, { force: true });
    }
  }
  /** Closes the file; the next use opens it again, and reads it anew. */
  async close() {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }
  /** Whether the lines that were read need not be there any more. */
  async #isAnew() {
    const handle = await this.#open();
    const { size, nlink } = await handle.stat();
    if (nlink === 0) {
      await this.close();
      throw storeError("ClosedError", "the directory was deleted");
    }
    if (this.#end > 0 && size >= this.#end) return false;
    this.#end = 0;
    return true;
  }
  async #open() {
    if (this.#handle) return this.#handle;
    this.#end = 0;
    this.#handle = await open3(this.#path, "r+").catch(ignoreMissing) ?? null;
    if (this.#handle) return this.#handle;
    this.#handle = await open3(this.#path, "wx+");
    await syncDirectory(dirname(this.#path));
    return this.#handle;
  }
};

// js-bindings/store/disk.js
var LOG_BYTES_MIN = 1024 * 1024;
var LOG_WASTE_MAX = 3;
var LOG_LOCK = "log";
var DiskStore = class {
  #directory;
  #log;
  #contents;
  #entries = new Entries();
  #locks;
  /** @type {Promise<void> | null} */
  #opening = null;
  #closing = new AbortController();
  /** @type {Promise<unknown>} what works on the log, one after the other */
  #working = Promise.resolve();
  #compactAt = LOG_BYTES_MIN;
  /** @param {string} path of the directory; made when it is not there */
  constructor(path) {
    this.#directory = new Directory(resolve(path));
    this.#log = new Log(this.#directory.log);
    this.#contents = new Contents(this.#directory.contents);
    this.#locks = new Locks((name, signal) => acquireOnDisk(join4(this.#directory.locks, nameOf(name)), signal));
  }
  /** @type {Store['get']} */
  async get(store, key) {
    await this.#refresh();
    const entry = this.#entries.get(store, key);
    if (!entry) return null;
    return "bytes" in entry ? entry.bytes.slice() : bytesOfBlob(await this.#contents.blob(entry.number, entry.size));
  }
  /** @type {Store['list']} */
  async list(store, prefix) {
    await this.#refresh();
    return this.#entries.keys(store, prefix).flatMap((key) => {
      const entry = this.#entries.get(store, key);
      return entry && "bytes" in entry ? [{ key, bytes: entry.bytes.slice() }] : [];
    });
  }
  /** @type {Store['keys']} */
  async keys(prefix) {
    await this.#refresh();
    return this.#entries.keys("files", prefix);
  }
  /** @type {Store['size']} */
  async size(key) {
    await this.#refresh();
    const entry = this.#entries.get("files", key);
    return entry && "size" in entry ? entry.size : null;
  }
  /** @type {Store['blob']} */
  async blob(key) {
    await this.#refresh();
    const entry = this.#entries.get("files", key);
    return entry && "number" in entry ? this.#contents.blob(entry.number, entry.size) : null;
  }
  /** @type {Store['write']} */
  async write(batch) {
    const steps = readBatch(batch);
    if (steps.length === 0) return;
    await this.#open();
    const numbers = await this.#contents.add(steps.flatMap(({ step }) => step.kind === "content" ? [step.blob] : []));
    try {
      await this.#serial(() => this.#commit(steps, numbers));
    } catch (error) {
      await this.#contents.remove(numbers);
      throw error;
    }
  }
  /** @type {Store['estimate']} */
  async estimate() {
    await this.#refresh();
    const { bavail, bsize } = await statfs(this.#directory.contents);
    const usage = this.#entries.contents().reduce(
      (sum, { size }) => sum + size,
      this.#log.size
    );
    return { usage, quota: usage + bavail * bsize, persisted: true };
  }
  /** @type {Store['lock']} */
  async lock(name, signal) {
    signal?.throwIfAborted();
    await this.#open();
    return this.#locks.lock(name, signal);
  }
  /** @type {Store['close']} */
  close() {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(closedError());
    this.#locks.close();
    const leave = () => this.#directory.leave();
    this.#opening?.then(leave, leave);
    this.#serial(() => this.#log.close()).catch(() => {
    });
  }
  /** Opens the directory on first use, and later after a failure. */
  async #open() {
    this.#closing.signal.throwIfAborted();
    const opening = this.#opening ??= this.#enter();
    await opening.catch((error) => {
      this.#reopen(opening);
      throw error;
    });
    this.#closing.signal.throwIfAborted();
  }
  /**
   * Lets the next use open the directory again.
   * @param {Promise<void> | null} opening the one that is over
   */
  #reopen(opening) {
    if (this.#opening !== opening) return;
    this.#opening = null;
    this.#directory.leave();
  }
  async #enter() {
    await this.#directory.enter();
    await this.#underLock(async () => {
      await this.#read();
      if (!await this.#directory.isOurs()) return;
      const used = this.#entries.contents().map(({ number }) => number);
      await this.#contents.sweep(new Set(used));
      await this.#directory.sweepLocks();
      if (this.#isWasteful()) await this.#compact();
    });
  }
  /** Takes in what other stores have written. */
  async #refresh() {
    await this.#open();
    await this.#serial(() => this.#read());
  }
  async #read() {
    const opening = this.#opening;
    const { isAnew, lines } = await this.#log.read().catch((error) => {
      this.#reopen(opening);
      throw error;
    });
    if (isAnew) this.#entries.clear();
    for (const items of lines) {
      for (const item of items) {
        if (item[0] === "content") this.#contents.reserve(item[2]);
        if (item[0] === "next") this.#contents.reserve(item[1] - 1);
      }
      this.#entries.apply(items);
    }
  }
  /**
   * @param {ReturnType<typeof readBatch>} steps
   * @param {number[]} numbers of the contents
   */
  async #commit(steps, numbers) {
    const dropped = await this.#underLock(async () => {
      await this.#read();
      const items = this.#entries.itemsOf(steps, numbers);
      await this.#log.append(items);
      const dropped2 = this.#entries.apply(items);
      if (this.#log.size > this.#compactAt) await this.#compactIfOurs();
      return dropped2;
    });
    await this.#contents.remove(dropped);
  }
  /**
   * Once closed, others may think that they are alone, and have swept what we
   * wrote.
   * @template T
   * @param {() => Promise<T>} work
   */
  async #underLock(work) {
    const release = await acquireOnDisk(
      join4(this.#directory.locks, LOG_LOCK),
      this.#closing.signal
    );
    try {
      this.#closing.signal.throwIfAborted();
      return await work();
    } finally {
      release();
    }
  }
  /** The batch before it is done, so this must not fail. */
  async #compactIfOurs() {
    this.#compactAt = this.#log.size * 2;
    try {
      if (this.#isWasteful() && await this.#directory.isOurs()) {
        await this.#compact();
      }
    } catch {
    }
  }
  #isWasteful() {
    return this.#log.size > LOG_BYTES_MIN && this.#log.size > LOG_WASTE_MAX * this.#entries.weight();
  }
  async #compact() {
    await this.#log.replace([
      [["next", this.#contents.next]],
      ...[...this.#entries.items()].map((item) => [item])
    ]);
    await this.#read();
    this.#compactAt = Math.max(LOG_BYTES_MIN, this.#log.size * LOG_WASTE_MAX);
  }
  /**
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  #serial(work) {
    const done = this.#working.then(work);
    this.#working = done.catch(() => {
    });
    return done;
  }
};
function nameOf(text) {
  return createHash2("sha256").update(text).digest("hex").slice(0, 32);
}
export {
  DiskStore
};
