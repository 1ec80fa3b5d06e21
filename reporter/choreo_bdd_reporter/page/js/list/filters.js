// Search box, status pills and the choices above the tree. The choices write into the search, so that one language says it all.

import { CHANGES } from '../core/changes.js';
import { button, el, fill, find, lazyDetails } from '../core/dom.js';
import { hopName, plural } from '../core/format.js';
import { mistakesIn, tagName, termOf, transportsOf } from './query.js';
import { OUTCOMES, verdictGlyph, verdictKind, verdictWord } from '../core/verdicts.js';

/** @type {[string, string][]} */
const SORTS = [['', 'failing first'], ['written', 'as written'], ['severity', 'worst first'], ['duration', 'slowest first'], ['headroom', 'least headroom first'], ['name', 'by name']];

/**
 * @param {HTMLElement} root
 * @param {Page.Context} context
 * @param {Page.DeepSearch} deep
 */
export function createFilters(root, context, deep) {
  const { model, views } = context;
  const search = el('input', {
    type: 'search', class: 'hr-search', 'data-filter': 'search', 'aria-label': 'Search names, tags, steps, topics and payloads',
    placeholder: 's:failing @tag c:orders.* hop>50ms words', autocomplete: 'off', spellcheck: 'false',
  });
  search.addEventListener('input', () => views.set({ q: search.value }));
  const pills = OUTCOMES.filter((outcome) => model.counts[outcome] > 0).map((outcome) => pill(outcome, model.counts[outcome], views));
  const grouping = groupSwitch(views);
  const order = choice('sort', 'Order', SORTS, (value) => views.set({ sort: value || null }, { remember: true }));
  const deeper = button('', () => deep.run(deep.wordsLeft(search.value), (share) => { deeper.textContent = `Searching: ${Math.floor(share * 100)} %`; }), { hidden: true });
  /** @type {HTMLSelectElement} */
  const sort = find(order, 'select');
  fill(find(root, '[data-slot="filters"]'),
    el('div.hr-search-box', {}, search, el('kbd', { 'aria-hidden': 'true' }, '/')),
    deeper,
    el('div.hr-pills', { role: 'group', 'aria-label': 'Show only' }, pills),
    lazyDetails({ class: 'hr-fold' }, 'Filter, sort, group', () => el('div.hr-choice-list', {}, narrowing(model, views), order, grouping.node)));
  const shown = find(root, '[data-field="search-count"]');
  const mistakes = el('p.hr-note.hr-note--warn.hr-shown', { 'data-field': 'search-mistakes', role: 'status' });
  shown.after(mistakes);
  return {
    focus: () => search.focus(),
    /**
     * @param {Page.View} view
     * @param {number} visible
     */
    update(view, visible) {
      // the box is left alone while it holds what was typed, so the caret stays where it is
      if (search.value !== view.q) search.value = view.q;
      for (const node of pills) node.setAttribute('aria-pressed', String(view.status.includes(node.getAttribute('data-pill') ?? '')));
      sort.value = view.sort ?? '';
      grouping.update(view);
      deeper.hidden = deep.wordsLeft(view.q).length === 0;
      deeper.textContent = 'Search steps and messages too';
      fill(mistakes, mistakesIn(view.q).join('; '));
      const total = model.entries.length;
      shown.textContent = visible === total ? `${plural(total, model.noun)}` : `${visible.toLocaleString('en')} of ${plural(total, model.noun)} shown`;
    },
  };
}

/**
 * @param {string} outcome
 * @param {number} count
 * @param {Page.Views} views
 */
function pill(outcome, count, views) {
  const label = [verdictGlyph(outcome), `${verdictWord(outcome)} `, el('b', { 'data-field': outcome }, count.toLocaleString('en'))];
  return button(label, () => {
    const { status } = views.current;
    const next = status.includes(outcome) ? status.filter((other) => other !== outcome) : [...status, outcome];
    views.set({ status: next }, { remember: true });
  }, { class: `hr-pill hr-tone--${verdictKind(outcome)}`, 'data-pill': outcome, 'aria-pressed': 'false' });
}

// One list each for what the run has more than one of; choosing adds a term to the search.
/**
 * @param {Page.Model} model
 * @param {Page.Views} views
 */
function narrowing(model, views) {
  /** @type {Record<string, Set<string>>} */
  const seen = { markers: new Set(), transport: new Set(), topic: new Set(), change: new Set(Object.keys(CHANGES).filter((word) => model.entries.some(CHANGES[word]))) };
  for (const entry of model.entries) {
    for (const tag of entry.allTags()) seen.markers.add(tagName(tag));
    for (const name of transportsOf(entry)) seen.transport.add(name);
    for (const hop of entry.hops()) seen.topic.add(hopName(hop.topic));
  }
  /** @type {string[][]} */
  const lists = [['markers', 'Tag', '@'], ['transport', 'Transport', 't:'], ['topic', 'Topic', 'c:'], ['change', 'Change', 'is:']];
  return lists.filter(([name]) => seen[name].size > 0).map(([name, label, field]) =>
    choice(name, label, [['', 'any'], ...[...seen[name]].sort().map((value) => [value, field === '@' ? `@${value}` : value])], (value, select) => {
      select.value = '';
      if (value) views.set({ q: `${views.current.q} ${termOf(field, value)}`.trim() }, { remember: true });
    }));
}

/**
 * @param {string} name
 * @param {string} label
 * @param {string[][]} options
 * @param {(value: string, select: HTMLSelectElement) => void} onChoice
 */
function choice(name, label, options, onChoice) {
  const select = el('select.hr-select', { 'data-filter': name }, options.map(([value, text]) => el('option', { value }, text)));
  select.addEventListener('change', () => onChoice(select.value, select));
  return el('label.hr-choice', {}, label, select);
}

/** @type {[string, string][]} */
const GROUPINGS = [['by-scenario', 'Features'], ['by-transport', 'Transports']];

/** @param {Page.Views} views */
function groupSwitch(views) {
  const buttons = GROUPINGS.map(([mode, label]) =>
    button(label, () => views.set({ group: mode === 'by-scenario' ? null : mode }, { remember: true }), { class: null, 'data-grouping': mode }));
  return {
    node: el('div.hr-switch', { role: 'group', 'aria-label': 'Group by' }, buttons),
    /** @param {Page.View} view */
    update(view) {
      for (const node of buttons) node.setAttribute('aria-pressed', String(node.getAttribute('data-grouping') === (view.group ?? 'by-scenario')));
    },
  };
}
