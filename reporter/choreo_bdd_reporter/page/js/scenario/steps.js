// The scenario as it is written, each step with its verdict and time.

import { el, inParts, lazyDetails } from '../core/dom.js';
import { duration, plural } from '../core/format.js';
import { isBroken, listVerdict, verdictKind } from '../core/verdicts.js';

/**
 * @param {Page.Entry} entry
 * @param {Page.Detail} detail
 */
export function renderSteps({ warnings }, { steps, scenario }) {
  /** @param {Page.Step[]} shown */
  const stepList = (shown) => el('ol.hr-steps', {}, inParts(shown, (step) => stepItem(step, warnings.filter(([index]) => steps[index] === step)), 'li'));
  const background = steps.filter((step) => step.background);
  const own = steps.filter((step) => !step.background);
  return el('section.hr-steps-section', {},
    el('h3.hr-label', {}, 'Steps'),
    background.length > 0 && el('h4.hr-sublabel', {}, 'Background'),
    background.length > 0 && stepList(background),
    background.length > 0 && own.length > 0 && el('h4.hr-sublabel', {}, scenario?.keyword || 'Scenario'),
    own.length > 0 && stepList(own));
}

/**
 * @param {Page.Step} step
 * @param {[number, string][]} warnings
 */
function stepItem(step, warnings) {
  const { message } = step;
  const refs = (step.checks ?? []).map(({ scenario, handle }) => `${scenario}.${handle}`).join(' ');
  return el('li', { class: `hr-step hr-step--${verdictKind(step.status)}`, 'data-outcome': step.status, 'data-refs': refs || null },
    el('span', {}, listVerdict(step.status)),
    el('span.hr-step-text', {}, el('b.hr-step-keyword', {}, `${step.keyword.trim()} `), quoted(step.text)),
    el('span.hr-step-time', {}, step.duration_ms > 0 ? duration(step.duration_ms) : ''),
    warnings.map(([, text]) => el('p.hr-step-more.hr-note--warn', {}, text)),
    stepArguments(step),
    message && isBroken(step.status) && stepFold('message', () => textBlock(message.trim())));
}

// Quoted words in a step are its values; they stand out as they do in an editor.
/** @param {string} text */
function quoted(text) {
  return text.split(/("[^"]*")/).map((piece, index) => (index % 2 === 1 ? el('span.hr-step-value', {}, piece) : piece));
}

/** @param {Page.Step} step */
function stepArguments({ docstring, table }) {
  return [
    docstring && stepFold(`doc string, ${plural(docstring.split('\n').length, 'line')}`, () => textBlock(docstring)),
    table && stepFold(`table, ${plural(table.length, 'row')}`, () => dataTable(table)),
  ];
}

/**
 * @param {string} title
 * @param {() => Page.Child} build
 */
function stepFold(title, build) {
  return lazyDetails({ class: 'hr-fold hr-step-more' }, title, build);
}

/** @param {string} text */
function textBlock(text) {
  return el('pre.hr-pre', { tabindex: '0' }, text);
}

/** @param {string[][]} rows */
function dataTable(rows) {
  return el('div.hr-table-wrap', { tabindex: '0' }, el('table.hr-table', {},
    rows.map((cells) => el('tr', {}, cells.map((cell) => el('td', {}, String(cell)))))));
}
