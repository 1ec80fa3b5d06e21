// Values as text. What JSON has no form for is kept as Python writes it, and what was too long is kept in part.

import { bytes } from './format.js';

const LITERAL = /^b(['"])/;
const ESCAPES = /\\x([0-9a-f]{2})|\\([^x])|([^\\])/g;
/** @type {Record<string, number>} */
const CONTROLS = { n: 10, r: 13, t: 9 };
const INLINE_BYTES = 8;
// what may be spelled in a way that a script would not
const SPELT = /\d{16}|\.\d*0\b|\d[eE]|-0/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** @type {any} */
const EXACT = JSON;

// A number that a script would spell otherwise, or has none for, is kept as it was written.
/** @param {string} text */
export function exactJson(text) {
  return EXACT.rawJSON && SPELT.test(text) ? EXACT.parse(text, exact) : EXACT.parse(text);
}

/**
 * @param {string} _
 * @param {any} value
 * @param {{ source: string }} written
 */
function exact(_, value, { source }) {
  return typeof value === 'number' && String(value) !== source ? EXACT.rawJSON(source) : value;
}

// { codes, size } of a value that was bytes, which is `whole` or the beginning; else null.
/** @param {any} value */
export function bytesIn(value) {
  if (value?._unserialisable !== true) return null;
  const cut = value._repr?._truncated === true;
  const text = cut ? value._repr._head : value._repr;
  if (typeof text !== 'string' || !LITERAL.test(text)) return null;
  const inner = cut ? text.slice(2) : text.slice(2, -1);
  const codes = [...inner.matchAll(ESCAPES)].map(([, hex, escaped, plain]) => (hex ? Number(`0x${hex}`) : CONTROLS[escaped] ?? (escaped ?? plain).charCodeAt(0)));
  return { codes, size: cut ? value._repr._original_bytes : codes.length, whole: !cut };
}

/** @param {number[]} codes */
export function hexOf(codes) {
  return codes.map((code) => code.toString(16).padStart(2, '0')).join(' ');
}

// JSON in which no marker of the report stands.
/**
 * @param {any} value
 * @param {number} [indent]
 * @returns {string}
 */
export function readable(value, indent = 0) {
  return JSON.stringify(value, (_, each) => shownFor(each), indent);
}

/** @param {any} value */
function shownFor(value) {
  const raw = bytesIn(value);
  if (raw) return `<${bytes(raw.size)}: ${hexOf(raw.codes.slice(0, INLINE_BYTES))}${raw.size > INLINE_BYTES ? ' …' : ''}>`;
  if (value?._unserialisable === true) return unknown(value._repr._head ?? value._repr);
  if (value?._truncated === true && typeof value._head === 'string') return value._original_bytes ? `${value._head}… (cut, ${bytes(value._original_bytes)})` : value._head;
  return value;
}

// A decimal that no float holds is a number all the same.
/** @param {string} text */
function unknown(text) {
  return EXACT.rawJSON && NUMBER.test(text) ? EXACT.rawJSON(text) : `<${text}>`;
}

/** @param {any} value */
export function inlineJson(value) {
  return value === undefined ? '' : readable(value);
}
