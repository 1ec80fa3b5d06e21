// The right side: one scenario, from its verdict and the reason for it down to the captured output.

import { renderAttachments } from '../message/attachments.js';
import { copyButton } from '../core/copying.js';
import { append, button, el, fill } from '../core/dom.js';
import { differenceTable, failureTable } from '../message/diff.js';
import { renderExpectations } from './expectations.js';
import { causeLabel } from '../list/findings.js';
import { duration, plural } from '../core/format.js';
import { linkHighlights } from './highlights.js';
import { renderHistory } from './history.js';
import { tagName, termOf } from '../list/query.js';
import { markNotes } from '../list/marks.js';
import { renderOutput } from '../message/output.js';
import { jsonBlock } from '../message/json.js';
import { promptText } from './prompt.js';
import { renderReplies } from './replies.js';
import { gherkinText, runCommand, ticketText } from './scenario-text.js';
import { collectFailingTransports, failingReply, renderStageBreadcrumb } from './stage.js';
import { renderSteps } from './steps.js';
import { renderStrays } from './strays.js';
import { evidenceFor } from '../message/strays.js';
import { transportBadge } from '../core/transports.js';
import { caret, verdictBadge, verdictKind } from '../core/verdicts.js';
import { linkTo } from '../core/view-state.js';
import { renderWaterfall } from '../timeline/waterfall.js';

const FINDINGS_SHOWN = 5;

/**
 * @param {HTMLElement} host
 * @param {Page.Entry} entry
 * @param {Page.Detail} detail
 * @param {Page.Context} context
 * @param {Page.Child} attempts
 */
export function renderScenario(host, entry, detail, context, attempts) {
  const article = el('article.hr-article', { 'aria-labelledby': 'hr-scenario-title' },
    heading(entry, detail, context),
    attempts,
    detail.test.skip_reason && el('p.hr-callout.hr-callout--skip', {}, detail.test.skip_reason),
    entry.findings.slice(0, FINDINGS_SHOWN).map((finding, index) => findingCard(finding, detail, context, index === 0)),
    entry.findings.length > FINDINGS_SHOWN && el('p.hr-note', {}, `${plural(entry.findings.length - FINDINGS_SHOWN, 'more finding stands', 'more findings stand')} with the expectations below.`),
    markNotes(entry),
    el('div.hr-columns', {},
      detail.steps.length > 0 && renderSteps(entry, detail),
      partSections(detail, context)),
    detail.parts.map((part, index) => [renderWaterfall(part, index, entry, context), renderStrays(part, context)]),
    detail.parts.length === 0 && entry.outcome !== 'skipped' && el('p.hr-callout', {}, 'No messages: nothing was sent or expected here.'),
    renderAttachments(detail),
    renderOutput(entry, detail));
  fill(host, article);
  linkHighlights(article);
}

/**
 * @param {HTMLElement} host
 * @param {Page.Model} model
 */
export function renderNoScenario(host, model) {
  const text = model.entries.length === 0 ? 'There is nothing to show: the run recorded no scenarios.' : `Choose a ${model.noun} from the list.`;
  fill(host, el('div.hr-empty', {}, el('p', {}, text)));
}

/**
 * @param {Page.Entry} entry
 * @param {Page.Detail} detail
 * @param {Page.Context} context
 */
function heading(entry, detail, context) {
  const { group } = entry;
  return el('header.hr-scenario-head', {},
    el('p.hr-crumbs', {}, el('span', {}, `${group.keyword}: ${group.name}`), entry.rule && el('span', {}, `Rule: ${entry.rule}`)),
    el('div.hr-scenario-title', {},
      verdictBadge(entry.outcome, 'hr-verdict--large'),
      el('h2', { id: 'hr-scenario-title' }, entry.name),
      el('span.hr-scenario-time', {}, duration(entry.durationMs))),
    el('div.hr-scenario-meta', {},
      entry.tags.map((tag) => tagButton(tag, context)),
      entry.inherited.map((tag) => tagButton(tag, context, 'hr-tag hr-tag--inherited')),
      el('code.hr-nodeid', {}, entry.id),
      copyButton('copy id', () => entry.id),
      copyButton('copy link', () => linkTo({ ...context.views.current, test: entry.id })),
      copyButton('copy command', () => runCommand(entry, detail)),
      detail.steps.length > 0 && copyButton('copy Gherkin', () => gherkinText(entry, detail)),
      copyButton('copy as text', () => ticketText(entry, detail, context)),
      entry.findings.length > 0 && copyButton('copy as LLM prompt', () => promptText(entry, detail, context)),
      detail.test.worker_id && el('span.hr-note', {}, `worker ${detail.test.worker_id}`)),
    renderHistory(entry),
    detail.scenario?.description && el('p.hr-description', {}, detail.scenario.description.trim()));
}

/**
 * @param {string} name
 * @param {Page.Context} context
 * @param {string} [look]
 */
function tagButton(name, { views }, look = 'hr-tag') {
  const tag = `@${tagName(name)}`;
  return button(tag, () => views.set({ q: termOf('@', tagName(name)) }, { remember: true }), { class: look, title: `Show only ${tag}` });
}

// What an exception says is shown as it was raised; file names in it keep their case.
const VERBATIM = new Set(['failed', 'error', 'step failed']);

// The first is the worst and stands open; the others are a line until they are asked for.
/**
 * @param {Page.Finding} finding
 * @param {Page.Detail} detail
 * @param {Page.Context} context
 * @param {boolean} first
 */
function findingCard(finding, detail, context, first) {
  const { part: partIndex = -1, handle: handleIndex = -1 } = finding;
  const part = detail.parts[partIndex];
  const handle = part?.handles[handleIndex];
  const note = part?.notes.handles[handleIndex];
  const step = detail.steps[finding.step ?? -1];
  const stepText = note?.step_text || (step && `${step.keyword.trim()} ${step.text}`);
  const cause = [verdictBadge(finding.status), el('strong', {}, causeLabel(finding)), transportBadge(context, finding.transport)];
  const sentence = el(first ? 'p.hr-finding-sentence' : 'span.hr-finding-sentence.hr-note', {}, VERBATIM.has(finding.cause) ? finding.sentence : sentenceCase(finding.sentence));
  const body = [
    handle && closest(part, partIndex, handleIndex, context),
    differenceTable(handle, note),
    stepText && el('p.hr-finding-step', {}, 'in ', el('q', {}, stepText)),
    handle && otherMisses(handle, note, part),
    step?.message?.includes('\n') && el('pre.hr-pre', { tabindex: '0' }, step.message.trim()),
  ];
  const tone = `hr-finding hr-tone--${verdictKind(finding.status)}`;
  if (first) return el('section', { class: tone }, el('p.hr-finding-cause', {}, cause), sentence, body);
  return el('details', { class: `${tone} hr-finding-more` }, el('summary.hr-finding-cause', {}, caret(), cause, sentence), body);
}

// A message that met nothing and explains it: what differs, else its body, and the way to it in the timeline.
/**
 * @param {Page.Part} part
 * @param {number} partIndex
 * @param {number} handleIndex
 * @param {Page.Context} context
 */
function closest(part, partIndex, handleIndex, { views }) {
  const [first, ...more] = evidenceFor(part, partIndex, handleIndex);
  if (!first || part.handles[handleIndex].failure) return null;
  return el('div', { 'data-field': 'evidence' },
    el('p', {}, `This message ${first.phrase}: `, button(`${first.message.topic} at ${duration(first.at)}`, () => views.set({ event: first.id }, { remember: true })),
      more.length > 0 && el('span.hr-note', {}, `(${plural(more.length, 'more', 'more')} in the message timeline)`)),
    first.differences.length > 0 ? failureTable(first.differences) : jsonBlock(first.message.payload, { 'aria-label': 'Payload' }, first.message.size));
}

// Which near-miss the table is about, and where the others are: not in the timeline if it was not kept whole.
/**
 * @param {Page.Handle} handle
 * @param {Page.OpenNote} note
 * @param {Page.Part} part
 */
function otherMisses({ failures, failures_dropped: dropped }, note, part) {
  if (failures.length < 2) return null;
  const kept = part.timeline.filter((event) => event.action === 'mismatched').length;
  const all = failures.length + dropped;
  const where = part.timeline_dropped === 0 ? 'the others are in the message timeline' : `the message timeline has ${plural(kept, 'near-miss', 'near-misses')}, ${plural(part.timeline_dropped, 'event')} ${part.timeline_dropped === 1 ? 'is' : 'are'} not kept`;
  return el('p.hr-note', {}, `This is the ${note?.differences ? 'closest' : 'latest'} of ${plural(all, 'near-miss', 'near-misses')}; ${where}.`);
}

/** @param {string} text */
function sentenceCase(text) {
  return /^[a-z][a-z ]/.test(text) ? text[0].toUpperCase() + text.slice(1) : text;
}

/**
 * @param {Page.Detail} detail
 * @param {Page.Context} context
 */
function partSections(detail, context) {
  return el('div.hr-column', {}, detail.parts.map((part, index) => {
    const section = el('section.hr-scenario', { 'data-scenario-name': part.name, 'data-outcome': part.outcome });
    const failing = collectFailingTransports(part);
    append(section, [
      detail.parts.length > 1 && el('h3.hr-part-title', {}, verdictBadge(part.outcome), part.name),
      renderStageBreadcrumb(part, context),
      failing.length > 0 && el('p.hr-scenario-failing-side', { 'data-failing-transports': failing.join(' ') },
        'broke on ', failing.map((name) => transportBadge(context, name))),
      failingReply(part, context),
      !part.completed_normally && el('p.hr-callout.hr-callout--slow', {}, 'The scenario ended before it finished waiting: what is unresolved here was aborted, not awaited.'),
      renderExpectations(part, index, context),
      renderReplies(part, context),
    ]);
    return section;
  }));
}
