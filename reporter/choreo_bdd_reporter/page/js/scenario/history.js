// The runs before this one: a strip with a verdict each, and the headroom of the tightest budget as a line.

import { CHANGES, isUnsteady, pastLetter, nowLetter } from '../core/changes.js';
import { el, svg } from '../core/dom.js';
import { localTime, percent, plural } from '../core/format.js';
import { leastHeadroom } from '../list/search.js';
import { verdictKind } from '../core/verdicts.js';

/** @type {Record<string, string>} */
const PAST_WORDS = { p: 'passed', s: 'slow', f: 'failed', e: 'errored', k: 'skipped', '.': 'not run' };
const ROOM_FROM = 48;
const ROOM_STEPS = 40;

/** @type {[Page.Ask, (entry: Page.Entry) => string][]} */
const SENTENCES = [
  [CHANGES.new, (entry) => `New: ${entry.before.runs.length === 1 ? 'the run before did not have it' : `none of the ${runsOf(entry)} before had it`}.`],
  [CHANGES.regressed, () => 'Regressed: it passed when it last ran.'],
  [CHANGES.fixed, () => 'Fixed: it failed when it last ran.'],
  [isUnsteady, () => 'Flaky: it has passed and failed at one commit.'],
];

/** @param {Page.Entry} entry */
export function renderHistory(entry) {
  const { runs } = entry.before;
  if (runs.length === 0) return null;
  const sentences = SENTENCES.filter(([applies]) => applies(entry)).map(([, sentence]) => sentence(entry));
  return el('div.hr-history', {}, entry.past && [el('span.hr-note', {}, `${runsOf(entry)} before, and this one`), strip(entry)], entry.past && sparkline(entry), sentences.length > 0 && el('p', {}, sentences.join(' ')));
}

/** @param {Page.Entry} entry */
function runsOf({ before }) {
  return plural(before.runs.length, 'run');
}

/** @param {Page.Entry} entry */
function strip(entry) {
  const letters = [...entry.before.runs.map((_, index) => pastLetter(entry, index)), nowLetter(entry)];
  const words = letters.map((letter) => PAST_WORDS[letter] ?? PAST_WORDS['.']);
  const label = `last ${runsOf(entry)}: ${words.slice(0, -1).join(', ')}; this run: ${words.at(-1)}`;
  /** @param {number} index */
  const when = (index) => {
    const [startedAt, sha] = entry.before.runs[index] ?? [];
    return startedAt ? `${localTime(startedAt)}${sha ? `, commit ${sha.slice(0, 8)}` : ''}` : 'this run';
  };
  return el('span.hr-strip', { role: 'img', 'aria-label': label }, letters.map((letter, index) =>
    el('span', { class: `hr-past hr-tone--${verdictKind(words[index])}`, title: `${words[index]}: ${when(index)}` }, letter === '.' ? '·' : letter === 'k' ? '–' : letter.toUpperCase())));
}

// From 0 % to 100 % of a budget; runs without one are left out.
/** @param {Page.Entry} entry */
function sparkline(entry) {
  const now = leastHeadroom(entry);
  const shares = [...[...entry.room].filter((mark) => mark !== ' ').map((mark) => (mark.charCodeAt(0) - ROOM_FROM) / ROOM_STEPS), ...(now > 1 ? [] : [Math.max(0, now)])];
  if (shares.length < 2) return null;
  const points = shares.map((share, index) => `${index},${1 - share}`).join(' ');
  const [first, last, least] = [shares[0], shares[shares.length - 1], Math.min(...shares)].map((share) => percent(share, 1));
  return [
    svg('svg.hr-spark', { viewBox: `0 0 ${shares.length - 1} 1`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `headroom of the tightest budget, from ${first} to ${last}` },
      svg('polyline', { points })),
    el('span.hr-note', {}, `headroom ${last}, least ${least}`),
  ];
}
