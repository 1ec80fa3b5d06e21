// What to know of a scenario beside its verdict: a short mark in the tree, a sentence above the scenario.

import { CHANGES, isUnsteady } from '../core/changes.js';
import { el } from '../core/dom.js';
import { plural } from '../core/format.js';

/** @type {[string, string, (entry: Page.Entry) => boolean, (entry: Page.Entry) => string | null][]} */
const MARKS = [
  ['failed', 'fail', (entry) => entry.outcome === 'slow' && entry.failing, () => null],
  ['unchecked', 'fail', (entry) => entry.unchecked, () => 'The scenario passed although an expectation failed: no step or assertion checked its verdict.'],
  ['flaky', 'slow', (entry) => entry.flaky, (entry) => `Flaky: it passed only when it was run again. ${attempts(entry)}`],
  ['flaky', 'slow', (entry) => !entry.flaky && isUnsteady(entry), () => null],
  ['regressed', 'fail', CHANGES.regressed, () => null],
  ['rerun', 'slow', (entry) => entry.attempts.length > 0 && !entry.flaky, (entry) => `It was run ${entry.attempts.length + 1} times; this is the last. ${attempts(entry)}`],
  ['vacuous', 'slow', (entry) => entry.warnings.length > 0, (entry) => `${plural(entry.warnings.length, 'step')} can pass whatever the system does; the warning stands with the step.`],
];

/** @param {Page.Entry} entry */
export function treeMarks(entry) {
  return marksOf(entry).map(([word, tone, , sentence]) => el('span', { class: `hr-badge hr-tone--${tone}`, title: sentence(entry) }, word));
}

/** @param {Page.Entry} entry */
export function markNotes(entry) {
  return marksOf(entry).map(([, , , sentence]) => sentence(entry)).filter(Boolean).map((text) => el('p.hr-callout.hr-callout--slow', {}, text));
}

/** @param {Page.Entry} entry */
function marksOf(entry) {
  return MARKS.filter(([, , applies]) => applies(entry));
}

/** @param {Page.Entry} entry */
function attempts(entry) {
  return entry.attempts.map(({ outcome, reason }, index) => `Attempt ${index + 1} ${outcome === 'timeout' ? 'timed out' : outcome}${reason && `: ${reason}`}.`).join(' ');
}
