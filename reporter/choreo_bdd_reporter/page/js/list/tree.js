// The tree on the left: feature, rule, scenario. One tab stop; the arrows move inside.

import { around, button, el, fill, find } from '../core/dom.js';
import { duration } from '../core/format.js';
import { treeMarks } from './marks.js';
import { countOutcomes } from '../core/model.js';
import { createSections } from '../core/sections.js';
import { transportBadge } from '../core/transports.js';
import { ruleId, treeRows } from './tree-rows.js';
import { caret, verdictBadge, verdictWord } from '../core/verdicts.js';

const ROW_HEIGHT = 32;

/**
 * @param {HTMLElement} root
 * @param {Page.Context} context
 */
export function createTree(root, context) {
  const { model, views } = context;
  /** @type {HTMLElement} */
  const host = find(root, '[data-slot="tree"]');
  /** @type {HTMLElement} */
  const empty = find(root, '[data-slot="tree-empty"]');
  /** @type {Set<string>} */
  const closed = new Set();
  /** @type {Page.TreeRow[]} */
  let rows = [];
  let visible = model.entries;
  let active = 0;
  const list = createSections(host, {
    rowHeight: ROW_HEIGHT,
    section: () => el('div.hr-windowed', { role: 'presentation' }),
    row: (row, index) => renderTreeRow(row, index, { selected: row.entry?.id === views.current.test && !views.current.tab, active: index === active, context }),
  });

  const layOut = () => {
    rows = treeRows(model, visible, closed, views.current);
    active = Math.min(active, Math.max(0, rows.length - 1));
    list.set([{ rows }]);
    markActive();
  };
  const markActive = () => {
    if (rows.length > 0) host.setAttribute('aria-activedescendant', treeRowId(active));
    else host.removeAttribute('aria-activedescendant');
  };
  /** @param {number} index */
  const moveTo = (index) => {
    active = Math.max(0, Math.min(rows.length - 1, index));
    if (!list.reveal(active)) list.redraw();
    markActive();
  };
  /**
   * @param {Page.TreeRow} row
   * @param {boolean} [open]
   */
  const toggle = (row, open = closed.has(row.id)) => {
    if (open) closed.delete(row.id);
    else closed.add(row.id);
    layOut();
  };
  /** @param {Page.TreeRow} row */
  const choose = (row) => {
    if (row.entry) views.open(row.entry.id);
    else toggle(row);
  };
  /** @param {number} index */
  const parentOf = (index) => rows.findLastIndex((row, at) => at < index && row.level < rows[index].level);

  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowDown: () => moveTo(active + 1),
    ArrowUp: () => moveTo(active - 1),
    Home: () => moveTo(0),
    End: () => moveTo(rows.length - 1),
    Enter: () => choose(rows[active]),
    ' ': () => choose(rows[active]),
    ArrowRight: () => {
      if (rows[active].entry) return;
      if (closed.has(rows[active].id)) toggle(rows[active], true);
      else moveTo(active + 1);
    },
    ArrowLeft: () => {
      if (!rows[active].entry && !closed.has(rows[active].id)) toggle(rows[active], false);
      else if (parentOf(active) >= 0) moveTo(parentOf(active));
    },
  };
  host.addEventListener('keydown', (event) => {
    if (rows.length === 0 || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  host.addEventListener('click', (event) => {
    const node = around(event, '[data-row]');
    if (!node) return;
    active = Number(node.getAttribute('data-row'));
    choose(rows[active]);
  });

  return {
    /** @param {Page.Entry[]} entries */
    show(entries) {
      visible = entries;
      host.hidden = entries.length === 0;
      empty.hidden = entries.length > 0;
      if (entries.length === 0) fill(empty, emptyTree(model, views));
      layOut();
    },
    // The chosen scenario is opened up and scrolled to, wherever it stands.
    /** @param {Page.Entry | null} entry */
    select(entry) {
      if (entry && rows.every((row) => row.entry !== entry)) {
        closed.delete(entry.group.id);
        closed.delete(ruleId(entry));
        layOut();
      }
      const index = rows.findIndex((row) => row.entry === entry);
      if (index >= 0) moveTo(index);
      else list.redraw();
    },
    /** @param {boolean} open */
    setAll(open) {
      closed.clear();
      if (!open) for (const row of treeRows(model, visible, closed, views.current)) if (row.entries) closed.add(row.id);
      layOut();
    },
  };
}

/** @param {number} index */
function treeRowId(index) {
  return `hr-row-${index}`;
}

/**
 * @param {Page.TreeRow} row
 * @param {number} index
 * @param {{ selected: boolean, active: boolean, context: Page.Context }} look
 */
function renderTreeRow(row, index, { selected, active, context }) {
  const common = { id: treeRowId(index), role: 'treeitem', 'data-row': index, 'aria-level': row.level, 'data-active': active, vars: { '--hr-level': row.level } };
  return row.entry ? scenarioRow(row.entry, common, selected) : groupRow(row, common, context);
}

/**
 * @param {Page.TreeHead} row
 * @param {Page.Options} common
 * @param {Page.Context} context
 */
function groupRow(row, common, context) {
  const counts = countOutcomes(row.entries);
  const { broken } = counts;
  return el('div', { ...common, class: `hr-row hr-row--${row.level === 1 ? 'group' : 'rule'}`, 'aria-expanded': String(row.open), title: row.label },
    caret(),
    transportBadge(context, row.transport, { full: false }),
    el('span.hr-row-name', {}, row.level === 2 && el('span.hr-row-keyword', {}, `${row.keyword} `), row.label),
    broken > 0 && el('span.hr-badge.hr-tone--fail', {}, `${broken} failed`),
    broken === 0 && counts.slow > 0 && el('span.hr-badge.hr-tone--slow', {}, `${counts.slow} slow`),
    el('span.hr-row-count', {}, String(counts.total)));
}

/**
 * @param {Page.Entry} entry
 * @param {Page.Options} common
 * @param {boolean} selected
 */
function scenarioRow(entry, common, selected) {
  return el('div', {
    ...common, class: 'hr-row hr-row--scenario', 'data-nodeid': entry.id, 'data-outcome': entry.recorded,
    'data-selected': selected, 'aria-selected': String(selected), title: entry.name,
  },
    verdictBadge(entry.outcome, 'hr-verdict--bare'),
    el('span.hr-row-name', {}, entry.name),
    treeMarks(entry),
    el('span.hr-row-time', {}, duration(entry.durationMs)));
}

/**
 * @param {Page.Model} model
 * @param {Page.Views} views
 */
function emptyTree(model, views) {
  if (model.entries.length === 0) return el('p', {}, 'Nothing ran. Check the paths and tag filters the runner was started with.');
  const { status, q, cause } = views.current;
  const reasons = [q && `the search “${q}”`, status.length > 0 && `the status ${status.map(verdictWord).join(' or ')}`, cause && 'the chosen cause'].filter(Boolean);
  return [
    el('p', {}, `No ${model.noun} matches ${reasons.join(' and ')}.`),
    button('Clear filters', () => views.set({ q: '', status: [], cause: null }, { remember: true }), { class: 'hr-button' }),
  ];
}
