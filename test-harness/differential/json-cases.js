// SPDX-License-Identifier: Apache-2.0
// JSON documents that a parser has to accept (y), has to reject (n) or may
// treat either way (i), made from lists of parts: every way to write a number,
// an escape, a character, a structure, right and wrong. JSON.parse is the judge
// of all of them, the families only make sure that it is asked all kinds.

/** @typedef {{ name: string, bytes: Uint8Array }} Case */

const encoder = new TextEncoder();

/** @param {...(string | number[])} parts @returns {Uint8Array} */
function bytesOf(...parts) {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === 'string' ? [...encoder.encode(part)] : part,
    ),
  );
}

const NUMBERS = {
  y: [
    '0', '-0', '1', '-1', '10', '123', '9007199254740993', '0.5', '-0.5',
    '1.25', '0.0', '0e0', '0E0', '1e1', '1E1', '1e+1', '1E-1', '1.5e10',
    '-1.5E-10', '123456789012345678901234567890', '1e400', '-1e400', '1e-400',
    '0.000000000000000000000000000001', '4.9e-324', '2.2250738585072014e-308',
    '1234567.1234567', '12345678', '123456789', '100000000000000000000e-20',
  ],
  n: [
    '01', '-01', '00', '+1', '.5', '-.5', '1.', '1.e1', '1e', '1e+', '1e-',
    '1E', '-', '--1', '1..5', '1.5.5', '1e1.5', '1ee1', '0x10', '1_000', '1 2',
    'Infinity', '-Infinity', 'NaN', '-NaN', 'Inf', '1f', '1a', '0b1', '1-1',
    '1+1', '-a', '０', '1٫5', "1'000", '$1', '1n', '0.e', '.', 'e1', '-e1',
  ],
};

const STRINGS = {
  y: [
    '', 'a', ' ', 'abc', 'with space', '\u007f', '\u0080', '\u07ff', '\u0800',
    '\uffff', '\ufeff', '\u2028\u2029', '\u{10000}', '\u{10ffff}', '\u{1f600}',
    '\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t', '\\u0000',
    '\\u0041', '\\u00e9', '\\u00E9', '\\uABCD', '\\uabcd', '\\uFFFF',
    '\\ud83d\\ude00', '\\uD83D\\uDE00', '\\\\u0041', '\\\\n', '/', "'", '\\"\\"',
    'a'.repeat(15), 'a'.repeat(16), 'a'.repeat(17), 'a'.repeat(31),
    'a'.repeat(32), 'a'.repeat(33), 'a'.repeat(500), `${'a'.repeat(15)}\\n`,
    `${'a'.repeat(16)}é`, `${'中'.repeat(40)}`, '{', '}', '[', ']', ',', ':',
  ],
  i: [
    '\\ud800', '\\udfff', '\\ude00\\ud83d', '\\ud83dx', '\\ud83d\\n',
    '\\ud83d\\ud83d', '\\ud83d\\u0041', '\\uD800\\uD800\\uDC00',
  ],
  n: [
    '\u0000', '\u0001', '\u001f', '\n', '\t', '\r', '\\a', '\\x41', '\\0',
    '\\u', '\\u0', '\\u00', '\\u004', '\\u00g1', '\\u 041', '\\U0041', "\\'",
    '\\\n', '\\ ', '\\é', '\\', 'a\\', '"', 'a"b', '\\u+041', '\\u-041',
    '\\u{41}', '\\v', '\\e', `${'a'.repeat(20)}\n`, `${'é'.repeat(20)}\u0007`,
  ],
};

const STRUCTURES = {
  y: [
    '[]', '{}', '[[]]', '[{}]', '{"a":{}}', '{"a":[]}', '[1,2]', '[1,[2,[3]]]',
    '{"a":1,"b":2}', '{"a":1,"a":2}', '{"":0}', 'true', 'false', 'null',
    '"text"', '0', ' [] ', '\t[\n]\r', '[ 1 , 2 ]', '{ "a" : 1 , "b" : 2 }',
    '[true,false,null]', '[[],[],{}]', '{"a":{"b":{"c":[{"d":null}]}}}',
    '{"__proto__":1}', '[""]', '["",""]', '[null]', ' true ', ' null\n',
  ],
  n: [
    '', ' ', '[', ']', '{', '}', '[1', '[1,', '[1,]', '[,1]', '[,]', '[1,,2]',
    '[1 2]', '[1;2]', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}',
    '{,"a":1}', '{"a" 1}', '{"a"::1}', '{"a":1 "b":2}', '{"a":1;"b":2}',
    '{a:1}', "{'a':1}", '{1:1}', '{null:1}', '{[]:1}', '{"a":}', '{:1}', '{"a"}',
    '{"a",1}', '[1}', '{"a":1]', '[}', '{]', '[[]', '[]]', '{}}', '{{}}', '[]]',
    '[] []', '{} {}', '1 1', 'true false', '[]x', 'x[]', '[]\u0000', '\u0000[]',
    'tru', 'truex', 'True', 'TRUE', 'fals', 'falsey', 'nul', 'nulll', 'Null',
    'undefined', '[tru]', '[nul]', '[truefalse]', '[true1]', '[nullnull]',
    '/**/[]', '[]//x', '[/**/1]', '#', '[1]#', '\f[]', '\v[]', '\u00a0[]',
    '\u2028[]', '[\u00a0]', '[1\u3000]', '"', '"a', '"a\\"', '[""', '["a"',
    '["a",', '{"a":"b"', '(1)', '[1):', '*', '@', '`a`', "'a'", '[...]', '[-]',
    '{"a":1},"b":"c"', '[{"a":1}],{"b":"c"}', '{"a":"b"}]', '[1],"a","b"]',
    '<xml/>', '{"a":1}}', '{"a":true,"b":fals}', '\\n', '\\u005b]', '[\\n]',
  ],
};

/** Bytes that are no UTF-8, and some that only look so. */
const SEQUENCES = [
  [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc2], [0xc2, 0x41],
  [0xc2, 0xc2], [0xc2, 0x80], [0xdf, 0xbf], [0xe0, 0x80, 0x80],
  [0xe0, 0x9f, 0xbf], [0xe0, 0xa0, 0x80], [0xe0, 0xa0], [0xe1, 0x80, 0x41],
  [0xec, 0xbf, 0xbf], [0xed, 0x9f, 0xbf], [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf], [0xee, 0x80, 0x80], [0xef, 0xbb, 0xbf],
  [0xef, 0xbf, 0xbd], [0xef, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0x80],
  [0xf0, 0x8f, 0xbf, 0xbf], [0xf0, 0x90, 0x80, 0x80], [0xf0, 0x90, 0x80],
  [0xf0, 0x90, 0x41, 0x80], [0xf3, 0xbf, 0xbf, 0xbf], [0xf4, 0x8f, 0xbf, 0xbf],
  [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80],
  [0xfc, 0x80], [0xfe], [0xff], [0xff, 0xfe], [0xe4, 0xb8, 0xad, 0xe6],
  [0xe4, 0xb8, 0xad, 0xe6, 0x96, 0x87], [0xf0, 0x9f, 0xa4, 0x97, 0x80],
];

const BOM = [0xef, 0xbb, 0xbf];

/** @returns {Generator<Case>} */
function* byteOrderMarks() {
  for (const text of ['[]', '{"a":1}', '12', '', ' []', '"x"']) {
    yield { name: `i_bom_${text}`, bytes: bytesOf(BOM, text) };
    yield { name: `n_two_boms_${text}`, bytes: bytesOf(BOM, BOM, text) };
    yield { name: `n_bom_behind_${text}`, bytes: bytesOf(text, BOM) };
    yield { name: `n_half_bom_${text}`, bytes: bytesOf(BOM.slice(0, 2), text) };
    yield { name: `n_utf16_${text}`, bytes: bytesOf([0xff, 0xfe], text) };
  }
}

/** Nesting up to the cap of the scanner, which JSON.parse does not have.
 * @returns {Generator<Case>} */
function* nestings() {
  for (const depth of [2, 31, 32, 33, 64, 65, 500, 1023, 1024]) {
    const open = '['.repeat(depth);
    const close = ']'.repeat(depth);
    yield { name: `y_arrays_${depth}`, bytes: bytesOf(open, close) };
    yield { name: `n_open_arrays_${depth}`, bytes: bytesOf(open) };
    yield { name: `n_unclosed_${depth}`, bytes: bytesOf(open, close.slice(1)) };
    yield { name: `n_overclosed_${depth}`, bytes: bytesOf(open, close, ']') };
    yield {
      name: `y_objects_${depth}`,
      bytes: bytesOf('{"a":'.repeat(depth), '1', '}'.repeat(depth)),
    };
    yield {
      name: `n_crossed_${depth}`,
      bytes: bytesOf('[{"a":'.repeat(depth / 2), ']}'.repeat(depth / 2)),
    };
  }
}

/** @returns {Generator<Case>} */
export function* jsonCases() {
  for (const [family, numbers] of Object.entries(NUMBERS)) {
    for (const text of numbers) {
      yield { name: `${family}_number_${text}`, bytes: bytesOf(text) };
      yield { name: `${family}_number_[${text}]`, bytes: bytesOf(`[${text}]`) };
      yield {
        name: `${family}_number_member_${text}`,
        bytes: bytesOf(`[{"likes":${text},"x":"y"}]`),
      };
    }
  }
  for (const [family, strings] of Object.entries(STRINGS)) {
    for (const text of strings) {
      yield { name: `${family}_string_${text}`, bytes: bytesOf(`["${text}"]`) };
      yield { name: `${family}_key_${text}`, bytes: bytesOf(`{"${text}":1}`) };
      yield {
        name: `${family}_tag_${text}`,
        bytes: bytesOf(`[{"tags":["${text}"],"x":"y"}]`),
      };
    }
  }
  for (const [family, structures] of Object.entries(STRUCTURES)) {
    for (const text of structures) {
      yield { name: `${family}_structure_${text}`, bytes: bytesOf(text) };
      yield { name: `${family}_inner_${text}`, bytes: bytesOf('[', text, ']') };
    }
  }
  for (const sequence of SEQUENCES) {
    const name = sequence.map((byte) => byte.toString(16)).join('');
    yield { name: `i_utf8_${name}`, bytes: bytesOf('["', sequence, '"]') };
    yield { name: `i_utf8_long_${name}`, bytes: bytesOf(`["${'a'.repeat(15)}`, sequence, '"]') };
    yield { name: `i_utf8_key_${name}`, bytes: bytesOf('{"', sequence, '":1}') };
    yield { name: `n_utf8_bare_${name}`, bytes: bytesOf('[', sequence, ']') };
  }
  yield* byteOrderMarks();
  yield* nestings();
}
