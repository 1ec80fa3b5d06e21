// Values as readable JSON, token by token.

import { append, el } from '../core/dom.js';
import { bytes } from '../core/format.js';

// Beyond this many characters colour costs more than it helps.
const COLOURED_UP_TO = 20_000;

// `size` is that of the message on the wire, where it is known: a value that is cut tells no other.
export function jsonBlock(value, attributes = {}, size = null) {
  if (isCutMarker(value)) return cutBlock(value, attributes, size);
  const text = JSON.stringify(value, null, 2) ?? 'undefined';
  const block = el('pre.hr-json', { tabindex: '0', ...attributes });
  append(block, text.length > COLOURED_UP_TO ? [text] : tokens(text));
  return block;
}

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function tokens(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    nodes.push(text.slice(end, match.index), token(match));
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

function token([whole, string, colon]) {
  if (string && colon) return el('span', {}, el('span.hr-json-key', {}, string), colon);
  return el('span', { class: string ? 'hr-json-string' : 'hr-json-literal' }, whole);
}

function isCutMarker(value) {
  return value !== null && typeof value === 'object' && value._truncated === true && typeof value._head === 'string';
}

function cutBlock(marker, attributes, size) {
  return el('div', {},
    el('p.hr-note', {}, `Cut: the first ${marker._tail ? 'and the last ' : ''}part of ${bytes(size ?? marker._original_bytes ?? marker._head.length)}.`),
    el('pre.hr-json', { tabindex: '0', ...attributes }, marker._head, marker._tail && `\n…\n${marker._tail}`));
}

export function inlineValue(value) {
  const text = JSON.stringify(value) ?? '–';
  return el('code.hr-value', {}, text);
}
