// A scenario that was run again: its attempts are tabs, the last one first, and each is shown as the scenario is.

import { button, el } from '../core/dom.js';
import { verdictBadge } from '../core/verdicts.js';

// The attempt that the address names, by its number; without one, or of one that is not kept, the last.
/**
 * @param {Page.Entry} entry
 * @param {Page.Detail} detail
 * @param {Page.View} view
 * @returns {[Page.Entry, Page.Detail]}
 */
export function shownAttempt(entry, detail, { attempt }) {
  const earlier = detail.earlier[Number(attempt) - 1];
  if (!earlier) return [entry, detail];
  const { outcome, duration_ms: durationMs, findings } = entry.attempts[Number(attempt) - 1];
  return [/** @type {any} */ ({ __proto__: entry, outcome, durationMs, findings }), earlier];
}

/**
 * @param {Page.Entry} entry
 * @param {Page.Detail} detail
 * @param {Page.Views} views
 */
export function attemptTabs(entry, detail, views) {
  if (!detail.earlier.some(Boolean)) return null;
  const chosen = detail.earlier[Number(views.current.attempt) - 1] ? views.current.attempt : null;
  /** @type {(number: string | null, outcome: string, label: string) => Page.Child} */
  const tab = (number, outcome, label) => button([verdictBadge(outcome), ` ${label}`], () => views.set({ attempt: number, event: null }, { remember: true }),
    { class: 'hr-tab', 'data-attempt': number ?? 'last', 'aria-current': String(chosen === number) });
  const earlier = entry.attempts.map(({ outcome }, index) => detail.earlier[index] && tab(String(index + 1), outcome, `attempt ${index + 1}`));
  return el('div.hr-tabs.hr-attempts', { role: 'group', 'aria-label': 'Attempts' }, tab(null, entry.outcome, `attempt ${earlier.length + 1}, the last`), earlier.reverse());
}
