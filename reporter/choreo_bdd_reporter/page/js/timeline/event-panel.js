// One event of the timeline in full, and what can be taken along from it.

import { failureTable } from '../message/diff.js';
import { copyButton } from '../core/copying.js';
import { button, el, factList } from '../core/dom.js';
import { duration, localTime } from '../core/format.js';
import { causeText } from '../message/causes.js';
import { messageFacts } from '../message/message.js';
import { expectationSnippet, publishCommands, publishSnippet } from '../message/snippets.js';
import { isWait } from './timescale.js';
import { rowPhrase, tookText } from './rows.js';
import { transportBadge } from '../core/transports.js';
import { verdictBadge } from '../core/verdicts.js';
import { readable } from '../core/values.js';
import { linkTo } from '../core/view-state.js';

/**
 * @param {Page.TimelineRow} row
 * @param {Page.Part} part
 * @param {Page.Context} context
 * @param {() => void} close
 */
export function eventPanel(row, part, context, close) {
  const budget = row.handle?.budget_ms;
  /** @type {[string, Page.Child][]} */
  const facts = [
    ['at', duration(row.end)], ['judged', row.judged !== null && row.judged !== row.end && duration(row.judged)],
    ['took', tookText(row)], ['wall clock', row.event?.wall_clock && localTime(row.event.wall_clock, { fractionalSecondDigits: 3 })], ['detail', row.detail],
    ['budget', budget != null && duration(budget)], ['caused by', causeText(row)], ['moved', row.message?.moved && `${row.message.moved.how}, dead-lettered to ${row.topic}`],
    ['id of the scenario', part.correlation_id],
  ];
  return [
    el('div.hr-message-head', {}, el('h4', {}, rowPhrase(row)), transportBadge(context, row.transport),
      button('×', close, { class: 'hr-button', 'aria-label': 'Close the message' })),
    row.topic && !row.message && el('p', {}, el('code.hr-topic', {}, row.topic)),
    row.handle && el('p', {}, verdictBadge(row.handle.outcome), ' ', el('span.hr-note', {}, row.handle.matcher_description)),
    row.nearest && el('p', {}, `Closest to: ${row.nearest.matcher_description}. `, el('span.hr-note', {}, row.failures.length > 0 ? 'It differs in:' : 'Every field is right.')),
    row.failures.length > 0 && failureTable(row.failures),
    copies(row, context),
    factList(facts),
    body(row, part),
  ];
}

/**
 * @param {Page.TimelineRow} row
 * @param {Page.Part} part
 */
function body(row, part) {
  if (row.message) return messageFacts(row.message);
  if (isWait(row) || row.kind === 'span' || row.kind === 'act') return null;
  return el('p.hr-note', {}, part.notes.cut ? 'Bodies of passed scenarios are not in this page; results.json holds what was matched.' : 'The message body was not kept.');
}

/**
 * @param {Page.TimelineRow} row
 * @param {Page.Context} context
 */
function copies(row, context) {
  const link = copyButton('copy link', () => linkTo(context.views.current));
  if (!row.message || !row.topic) return el('p.hr-copies', {}, link);
  const message = { ...row.message, topic: row.topic, transport: row.transport ?? undefined };
  return el('p.hr-copies', {},
    copyButton('copy JSON', () => readable(message.payload, 2)),
    copyButton('copy as expectation', () => expectationSnippet(message)),
    copyButton('copy as publish step', () => publishSnippet(message)),
    publishCommands(message, context.model).map(([name, command]) => copyButton(`copy ${name}`, () => command)),
    link);
}
