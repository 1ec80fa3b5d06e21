// What pages are made of: tables that sort, pagers, figures, and the words for nothing and for trouble.

import { set } from './address.js';
import { h, heard } from './dom.js';
import { count } from './format.js';

/**
 * A table whose order is in the address. A column is { key, title, value, cell, number }: `value` sorts, `cell` shows.
 * The first cell of a row names it.
 */
export function table(caption, columns, rows, query) {
  const [key, falls] = order(query.get('sort'), columns);
  const column = columns.find((each) => each.key === key);
  const sorted = column ? [...rows].sort((a, b) => compare(column.value(a), column.value(b), falls)) : rows;
  return h('div', { class: 'scrolls', tabindex: '0', role: 'region', 'aria-label': caption },
    h('table', {}, h('caption', { class: 'heard' }, caption),
      h('thead', {}, h('tr', {}, columns.map((each) => head(each, key, falls)))),
      h('tbody', {}, sorted.map((row) => h('tr', {}, columns.map((each, index) => cell(each, row, index)))))));
}

function order(sort, columns) {
  const key = (sort ?? '').replace(/^-/, '');
  return columns.some((each) => each.key === key) ? [key, sort.startsWith('-')] : [null, false];
}

/** Missing values come last, whichever way. */
function compare(a, b, falls) {
  const missing = Number(a === null || a === undefined) - Number(b === null || b === undefined);
  if (missing !== 0 || a === null || a === undefined) return missing;
  const ordered = typeof a === 'number' ? a - b : String(a).localeCompare(String(b));
  return falls ? -ordered : ordered;
}

function head({ key, title, value, number }, sorted, falls) {
  const direction = key !== sorted ? null : falls ? 'descending' : 'ascending';
  const next = key === sorted && falls ? key : `-${key}`;
  const attributes = { scope: 'col', class: number ? 'number' : null, 'aria-sort': direction };
  if (!value) return h('th', attributes, title);
  const sign = direction === null ? '' : falls ? ' ▾' : ' ▴';
  return h('th', attributes, h('button', { type: 'button', click: () => set({ sort: next }) }, title, h('span', { 'aria-hidden': 'true' }, sign)));
}

function cell({ cell: shown, number }, row, index) {
  const attributes = { class: number ? 'number' : null };
  return index === 0 ? h('th', { ...attributes, scope: 'row' }, shown(row)) : h('td', attributes, shown(row));
}

export function pager({ total, limit, offset, items }) {
  if (total <= limit && offset === 0) return null;
  const turn = (title, to, possible) => h('button', { type: 'button', disabled: !possible, click: () => set({ offset: to > 0 ? to : null }) }, title);
  const last = offset + items.length;
  return h('nav', { class: 'pager', 'aria-label': 'Pages' },
    turn('Previous', offset - limit, offset > 0),
    h('span', {}, items.length > 0 ? `${count(offset + 1)}–${count(last)} of ${count(total)}` : `none of ${count(total)}`),
    turn('Next', offset + limit, last < total));
}

export const figures = (...pairs) => h('dl', { class: 'figures' }, pairs.map(([title, value, kind]) => h('div', { class: kind ?? null }, h('dt', {}, title), h('dd', {}, value))));

/** A name made of parts, which may be broken between them. */
export const parted = (name) => name.split(/(?<=[./_-])/).flatMap((part, index) => (index === 0 ? [part] : [h('wbr'), part]));

export const badge = (kind, text) => h('span', { class: `badge ${kind}` }, text);

export const nothing = (title, ...hints) => h('div', { class: 'nothing' }, h('p', {}, h('strong', {}, title)), hints.map((hint) => h('p', {}, hint)));

export function trouble(problem, again) {
  return h('div', { class: 'trouble', role: 'alert' },
    h('p', {}, h('strong', {}, problem.status === 404 ? 'Not found' : 'That did not work')),
    h('p', {}, problem.message),
    h('button', { type: 'button', click: again }, 'Try again'));
}

export const waiting = () => h('div', { class: 'waiting' }, heard('Loading'), h('div'), h('div'), h('div'));

export const title = (text, ...more) => h('div', { class: 'title' }, h('h1', { tabindex: '-1' }, text), ...more);

export function choice(label, name, options, query, otherwise = '') {
  const chosen = query.get(name) ?? otherwise;
  const select = h('select', { change: (event) => set({ [name]: event.target.value }) },
    options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)));
  return h('label', {}, h('span', {}, label), select);
}

/** A text to filter by, in the address once it is entered. */
export function entry(label, name, query, hint = '') {
  const input = h('input', { type: 'search', value: query.get(name) ?? '', placeholder: hint, autocomplete: 'off', change: (event) => set({ [name]: event.target.value.trim() }) });
  return h('label', {}, h('span', {}, label), input);
}
