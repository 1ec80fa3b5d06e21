// Values as readable JSON, token by token.

import { append, el, saveLink } from '../core/dom.js';
import { bytes } from '../core/format.js';
import { bytesIn, hexOf, readable } from '../core/values.js';

// Beyond this many characters colour costs more than it helps.
const COLOURED_UP_TO = 20_000;
// Narrow enough for hex and text to stand beside each other in the panel of a message.
const PER_LINE = 8;

// `size` is that of the message on the wire, where it is known: a value that is cut tells no other.
/**
 * @param {any} value
 * @param {Page.Options} [attributes]
 * @param {number | null} [size]
 */
export function jsonBlock(value, attributes = {}, size = null) {
  if (isCutMarker(value)) return cutBlock(value, attributes, size);
  const raw = bytesIn(value);
  if (raw) return hexBlock(raw, attributes, size);
  const text = readable(value, 2) ?? 'undefined';
  const block = el('pre.hr-json', { tabindex: '0', ...attributes });
  append(block, text.length > COLOURED_UP_TO ? [text] : tokens(text));
  return block;
}

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** @param {string} text */
function tokens(text) {
  /** @type {Page.Child[]} */
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    nodes.push(text.slice(end, match.index), token(match));
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

/** @param {RegExpExecArray} match */
function token([whole, string, colon]) {
  if (string && colon) return el('span', {}, el('span.hr-json-key', {}, string), colon);
  return el('span', { class: string ? 'hr-json-string' : 'hr-json-literal' }, whole);
}

/** @param {any} value */
function isCutMarker(value) {
  return value !== null && typeof value === 'object' && value._truncated === true && typeof value._head === 'string';
}

/**
 * @param {any} marker
 * @param {Page.Options} attributes
 * @param {number | null} size
 */
function cutBlock(marker, attributes, size) {
  return el('div', {},
    el('p.hr-note', {}, `Cut: the first ${marker._tail ? 'and the last ' : ''}part of ${bytes(size ?? marker._original_bytes ?? marker._head.length)}.`),
    el('pre.hr-json', { tabindex: '0', ...attributes }, marker._head, marker._tail && `\n…\n${marker._tail}`));
}

// As bytes were: hex and text beside each other, and a way to save them.
/**
 * @param {{ codes: number[], size: number, whole: boolean }} raw
 * @param {Page.Options} attributes
 * @param {number | null} known
 */
function hexBlock({ codes, size, whole }, attributes, known) {
  const lines = Array.from({ length: Math.ceil(codes.length / PER_LINE) }, (_, line) => {
    const part = codes.slice(line * PER_LINE, (line + 1) * PER_LINE);
    const text = String.fromCharCode(...part.map((code) => (code >= 32 && code < 127 ? code : 46)));
    return `${(line * PER_LINE).toString(16).padStart(4, '0')}  ${hexOf(part).padEnd(PER_LINE * 3)} ${text}`;
  });
  return el('div', {},
    el('p.hr-note', {}, whole ? `Bytes, ${bytes(size)}. ` : `Cut: the first ${bytes(codes.length)} of ${bytes(known ?? size)}. `,
      whole && codes.length > 0 && saveLink(`,${codes.map((code) => `%${hexOf([code])}`).join('')}`, 'body.bin')),
    el('pre.hr-json.hr-hex', { tabindex: '0', ...attributes }, lines.join('\n')));
}
