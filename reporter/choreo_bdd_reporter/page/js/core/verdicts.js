// The words, glyphs and colours of a verdict; all three always appear together.

import { el, svg } from './dom.js';

/** @type {Record<string, { word: string, path: string }>} */
const KINDS = {
  pass: { word: 'PASS', path: 'M3 8.5l3.2 3.2L13 4.8' },
  slow: { word: 'SLOW', path: 'M8 2.2L14.2 13.2H1.8zM8 6.4v3.4M8 11.4v.4' },
  fail: { word: 'FAIL', path: 'M4 4l8 8M12 4l-8 8' },
  timeout: { word: 'TIMEOUT', path: 'M4 2.2h8M4 13.8h8M5 2.4c0 4.4 6 6.8 6 11.2M11 2.4c0 4.4-6 6.8-6 11.2' },
  error: { word: 'ERROR', path: 'M8 2.5v6.8M8 12.7v.5' },
  skip: { word: 'SKIP', path: 'M8 2.3a5.7 5.7 0 1 0 0 11.4 5.7 5.7 0 1 0 0-11.4M4.1 11.9l7.8-7.8' },
  none: { word: 'NOT RUN', path: 'M4 8h8' },
};

const BY_STATUS = new Map(Object.entries({
  passed: 'pass', pass: 'pass', slow: 'slow', failed: 'fail', fail: 'fail', timeout: 'timeout',
  errored: 'error', undefined: 'error', skipped: 'skip', untested: 'none', pending: 'none',
}));

// The verdicts that a word of the search means: an outcome, or what pills and badges say; none for a word that is neither.
/**
 * @param {string} word
 * @returns {string | null}
 */
export function verdictNamed(word) {
  return BY_STATUS.get(word) ?? Object.keys(KINDS).find((kind) => kind === word || KINDS[kind].word.toLowerCase() === word) ?? null;
}

const OTHER_WORDS = new Map([['undefined', 'UNDEFINED'], ['pending', 'PENDING']]);

// Worst first: the order of every list and bar of verdicts.
export const OUTCOMES = ['failed', 'timeout', 'errored', 'slow', 'passed', 'skipped', 'untested'];
const BROKEN = new Set(['fail', 'timeout', 'error']);

/**
 * @param {string} status
 * @returns {string}
 */
export function verdictKind(status) {
  return BY_STATUS.get(status) ?? 'none';
}

/**
 * @param {string} status
 * @returns {string}
 */
export function verdictWord(status) {
  return OTHER_WORDS.get(status) ?? KINDS[verdictKind(status)].word;
}

/** @param {string} status */
export function isBroken(status) {
  return BROKEN.has(verdictKind(status));
}

/** @param {string} status */
export function verdictGlyph(status) {
  return glyph(KINDS[verdictKind(status)].path);
}

/** @param {string} path */
export function glyph(path) {
  return svg('svg.hr-glyph', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, svg('path', { d: path }));
}

/** @param {Page.Options} [attributes] */
export function caret(attributes = {}) {
  return el('span.hr-caret', attributes, glyph('M6 4l4 4-4 4'));
}

// In lists what went well stays quiet, so that the rest stands out.
/** @param {string} status */
export function listVerdict(status) {
  return verdictBadge(status, ['pass', 'skip', 'none'].includes(verdictKind(status)) ? 'hr-verdict--bare' : '');
}

/**
 * @param {string} status
 * @param {string} [extraClass]
 */
export function verdictBadge(status, extraClass = '') {
  return el('span', { class: `hr-verdict hr-tone--${verdictKind(status)} ${extraClass}` },
    verdictGlyph(status), el('span.hr-verdict-word', {}, verdictWord(status)));
}
