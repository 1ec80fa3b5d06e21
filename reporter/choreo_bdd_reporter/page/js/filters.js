// Search box and status pills above the tree.

import { el, fill } from './dom.js';
import { plural } from './format.js';
import { OUTCOMES, verdictGlyph, verdictKind, verdictWord } from './verdicts.js';

export function createFilters(root, model, views) {
  const search = el('input', {
    type: 'search', class: 'hr-search', 'data-filter': 'search', 'aria-label': 'Search names, tags, steps, topics and payloads',
    placeholder: 'Search names, steps, topics, payloads', autocomplete: 'off', spellcheck: 'false',
  });
  search.addEventListener('input', () => views.set({ q: search.value }));
  const pills = OUTCOMES.filter((outcome) => model.counts[outcome] > 0).map((outcome) => pill(outcome, model.counts[outcome], views));
  fill(root.querySelector('[data-slot="filters"]'),
    el('div', { class: 'hr-search-box' }, search, el('kbd', { 'aria-hidden': 'true' }, '/')),
    el('div', { class: 'hr-pills', role: 'group', 'aria-label': 'Show only' }, pills));
  const shown = root.querySelector('[data-field="search-count"]');
  return {
    focus: () => search.focus(),
    update(view, visible) {
      // the box is left alone while it holds what was typed, so the caret stays where it is
      if (search.value !== view.q) search.value = view.q;
      for (const button of pills) button.setAttribute('aria-pressed', String(view.status.includes(button.getAttribute('data-pill'))));
      const total = model.entries.length;
      shown.textContent = visible === total ? `${plural(total, model.noun)}` : `${visible} of ${plural(total, model.noun)} shown`;
    },
  };
}

function pill(outcome, count, views) {
  const button = el('button', {
    type: 'button', class: `hr-pill hr-pill--${verdictKind(outcome)}`, 'data-pill': outcome, 'aria-pressed': 'false',
  }, verdictGlyph(outcome), `${verdictWord(outcome)} `, el('b', {}, count.toLocaleString('en')));
  button.addEventListener('click', () => {
    const { status } = views.current;
    const next = status.includes(outcome) ? status.filter((other) => other !== outcome) : [...status, outcome];
    views.set({ status: next }, { remember: true });
  });
  return button;
}
