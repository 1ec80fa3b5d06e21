// Both values of a field beside each other: of long ones the place where they part, of texts in lines the lines that differ.

import { el, lazyDetails } from '../core/dom.js';
import { plural } from '../core/format.js';
import { inlineJson } from '../core/values.js';
import { jsonBlock } from './json.js';

const SHOWN_UP_TO = 160;
const BEFORE_IT = 40;
const LINES_UP_TO = 30;
// Beyond this many pairs of lines all between the first and the last difference counts as one.
const PAIRS_UP_TO = 250_000;

// `text` is what was expected, in words.
/**
 * @param {Page.MatchFailure} failure
 * @param {string} text
 */
export function bothSides({ kind, expected, actual }, text) {
  if (kind === 'mismatch' && typeof expected === 'string' && typeof actual === 'string' && /\n/.test(expected + actual)) return byLine(expected.split('\n'), actual.split('\n'));
  const texts = [text, inlineJson(actual) || '–'];
  const from = Math.max(0, sharedFrom([...text], [...texts[1]]) - BEFORE_IT);
  return [expected, actual].map((value, side) => aroundPlace(value, texts[side], from));
}

/**
 * @param {any} value
 * @param {string} text
 * @param {number} from
 */
function aroundPlace(value, text, from) {
  if (text.length <= SHOWN_UP_TO) return oneValue(text);
  const all = [...text];
  const start = Math.max(0, Math.min(from, all.length - SHOWN_UP_TO));
  const end = start + SHOWN_UP_TO;
  return lazyDetails({ class: 'hr-fold' }, [oneValue(`${start > 0 ? '…' : ''}${all.slice(start, end).join('')}${end < all.length ? '…' : ''}`), ` all ${plural(all.length, 'character')}`], () => jsonBlock(value));
}

/** @param {string} text */
function oneValue(text) {
  return el('code.hr-value', {}, text);
}

// How many members two lists share from their beginning.
/**
 * @param {string[]} one
 * @param {string[]} other
 */
function sharedFrom(one, other) {
  const at = one.findIndex((each, index) => each !== other[index]);
  return at < 0 ? one.length : at;
}

/**
 * @param {string[]} expected
 * @param {string[]} actual
 */
function byLine(expected, actual) {
  const head = sharedFrom(expected, actual);
  const rest = [expected.slice(head), actual.slice(head)];
  const tail = sharedFrom([...rest[0]].reverse(), [...rest[1]].reverse());
  const [mine, others] = rest.map((lines) => lines.slice(0, lines.length - tail));
  const kept = sharedLines(mine, others);
  return [mine, others].map((lines, side) => {
    const own = lines.map((line, index) => (kept[side].has(index) ? '' : `${head + index + 1}: ${inlineJson(line)}`)).filter(Boolean);
    const more = own.length - LINES_UP_TO;
    return own.length > 0 ? [el('code.hr-value', {}, own.slice(0, LINES_UP_TO).join('\n')), more > 0 && el('p.hr-note', {}, `and ${plural(more, 'more line', 'more lines')}`)] : el('em', {}, 'no such line');
  });
}

// The places of lines that both have in the same order, as many as there can be.
/**
 * @param {string[]} one
 * @param {string[]} other
 */
function sharedLines(one, other) {
  const places = [new Set(), new Set()];
  if (one.length * other.length > PAIRS_UP_TO) return places;
  const longest = Array.from({ length: one.length + 1 }, () => new Array(other.length + 1).fill(0));
  for (let i = one.length - 1; i >= 0; i -= 1) {
    for (let j = other.length - 1; j >= 0; j -= 1) longest[i][j] = one[i] === other[j] ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
  }
  let [i, j] = [0, 0];
  while (i < one.length && j < other.length) {
    if (one[i] === other[j]) {
      places[0].add(i);
      places[1].add(j);
      i += 1;
      j += 1;
    } else if (longest[i + 1][j] >= longest[i][j + 1]) i += 1;
    else j += 1;
  }
  return places;
}
