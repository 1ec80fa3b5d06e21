// The typed failure tree of a rejected message: field by field, what was expected and what arrived.

import { el } from '../core/dom.js';
import { plural } from '../core/format.js';
import { inlineJson } from '../core/values.js';
import { inWords } from './conditions.js';
import { bothSides } from './sides.js';

// Where it is known in which fields the closest near-miss differs, all of them stand in the table; else the first that was found.
/**
 * @param {Page.Handle | undefined} handle
 * @param {Page.OpenNote | undefined} note
 */
export function differenceTable(handle, note) {
  if (!handle?.failure) return null;
  const found = differencesOf(handle, note);
  const dropped = note?.differences_dropped ?? 0;
  return [failureTable(found), dropped > 0 && el('p.hr-note', {}, `${plural(dropped, 'more field')} ${dropped === 1 ? 'differs' : 'differ'}: see the bodies.`)];
}

/**
 * @param {Page.Handle} handle
 * @param {Page.OpenNote | undefined} note
 * @returns {Page.MatchFailure[]}
 */
export function differencesOf(handle, note) {
  const known = note?.differences ?? [];
  return known.length === 0 && handle.failure ? [handle.failure] : known;
}

/** @param {Page.MatchFailure[]} failures */
export function failureTable(failures) {
  const columns = ['Field', 'Expected', 'Arrived'].map((name) => el('th', { scope: 'col' }, name));
  return el('table.hr-diff', {},
    el('thead', {}, el('tr', {}, columns)),
    el('tbody', {}, failures.flatMap((failure) => failureRows(failure, 0))));
}

/**
 * @param {Page.MatchFailure} failure
 * @param {number} depth
 * @returns {HTMLElement[]}
 */
function failureRows(failure, depth) {
  const children = failure.children ?? [];
  if (failure.kind !== 'composed' || children.length === 0) return [leafRow(failure, depth)];
  return [groupTitle(failure, depth), ...children.flatMap((child) => failureRows(child, depth + 1))];
}

const TITLE_UP_TO = 120;
const GROUP_TITLES = new Map([
  ['all_of', 'all of these must hold'],
  ['any_of', 'one of these must hold'],
]);

/**
 * @param {Page.MatchFailure} failure
 * @param {number} depth
 */
function groupTitle(failure, depth) {
  const title = GROUP_TITLES.get(failure.path) ?? `${pathText(failure.path)}: ${expectedText(failure).slice(0, TITLE_UP_TO)}`;
  return el('tr.hr-diff-group', {}, el('th', { colspan: 3, scope: 'rowgroup', vars: { '--hr-depth': depth } }, title));
}

/**
 * @param {Page.MatchFailure} failure
 * @param {number} depth
 */
function leafRow(failure, depth) {
  const kind = failure.kind === 'missing' ? 'missing' : 'diff';
  const [expected, arrived] = bothSides(failure, expectedText(failure));
  return el('tr.hr-diff-line', { 'data-kind': kind },
    el('th', { scope: 'row', vars: { '--hr-depth': depth } }, el('code', {}, pathText(failure.path))),
    el('td.hr-diff-expected', {}, label('expected'), ' ', expected),
    el('td.hr-diff-actual', {}, label('arrived'), ' ', kind === 'missing' ? el('em', {}, 'not in the message') : [arrived, failure.kind === 'type_mismatch' && el('span.hr-note', {}, ` ${typeName(failure.actual)}`)]));
}

// Where the table is too narrow for columns, each value says what it is.
/** @param {string} text */
function label(text) {
  return el('span.hr-diff-label', {}, text);
}

/** @type {Record<string, string>} */
const TYPES = { '"': 'a string', '[': 'a list', '{': 'an object', t: 'a boolean', f: 'a boolean', n: 'null' };

/** @param {any} value */
function typeName(value) {
  return TYPES[inlineJson(value)[0]] ?? 'a number';
}

/** A path as authors write it; what has four digits is a key (a year, an id). @param {string} path */
export function pathText(path) {
  return path === '<root>' ? 'whole message' : path === '<raw>' ? 'raw bytes' : path.replace(/(?:^|\.)(-?\d{1,3})(?=\.|$)/g, '[$1]');
}

/**
 * @param {Page.MatchFailure} failure
 * @returns {string}
 */
export function expectedText({ kind, expected }) {
  return kind === 'mismatch' ? inlineJson(expected) : inWords(expected);
}
