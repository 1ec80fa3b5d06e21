// Captured output and the traceback: last, because the diagnosis above usually says it better.

import { terminalText } from './ansi.js';
import { el, lazyDetails } from '../core/dom.js';
import { bytes } from '../core/format.js';

/** @type {['stdout' | 'stderr' | 'log', string][]} */
const STREAMS = [['stdout', 'Standard output'], ['stderr', 'Standard error'], ['log', 'Log']];

/**
 * @param {Page.Entry} entry
 * @param {Page.Detail} detail
 */
export function renderOutput(entry, { test, parts }) {
  const explained = entry.findings.some((finding) => finding.handle !== undefined);
  const blocks = [
    ...STREAMS.map(([name, title]) => test[name] && fold(name, title, test[name], false)),
    test.traceback && fold('traceback', 'Traceback', test.traceback, !explained),
    ...parts.map((part) => part.summary_text && fold('summary', 'Summary of the engine', part.summary_text, false)),
  ].filter(Boolean);
  return blocks.length > 0 && el('section', {}, el('h3.hr-label', {}, 'Output'), blocks);
}

/**
 * @param {string} name
 * @param {string} title
 * @param {string} text
 * @param {boolean} open
 */
function fold(name, title, text, open) {
  return lazyDetails({ class: 'hr-fold hr-output', 'data-capture': name }, `${title}, ${bytes(text.length)}`,
    () => el('pre.hr-pre', { tabindex: '0' }, terminalText(text)), open);
}
