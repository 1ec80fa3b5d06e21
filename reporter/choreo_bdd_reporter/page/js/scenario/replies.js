// Replies armed by the scenario: on which message they waited, how far each got.

import { el } from '../core/dom.js';
import { plural, shownOf } from '../core/format.js';
import { transportBadge } from '../core/transports.js';
import { glyph, verdictKind } from '../core/verdicts.js';

const STEPS = ['trigger received', 'matcher accepted', 'build callback', 'response published'];

// How far each state got: one status a lifecycle step.
const PROGRESS = new Map([
  ['replied', ['ok', 'ok', 'ok', 'ok']],
  ['dropped', ['ok', 'ok', 'na', 'na']],
  ['reply_failed', ['ok', 'ok', 'failed', 'skipped']],
  ['armed_matcher_mismatched', ['ok', 'no', 'skipped', 'skipped']],
  ['armed_no_match', ['no', 'skipped', 'skipped', 'skipped']],
]);

/** @type {Record<string, [string, string]>} */
const STATUS = {
  ok: ['done', 'M3 8.5l3.2 3.2L13 4.8'],
  no: ['no', 'M4 8h8'],
  failed: ['failed', 'M4 4l8 8M12 4l-8 8'],
  skipped: ['not reached', 'M8 7.9v.2'],
  na: ['does not apply', 'M8 7.9v.2'],
};

const WORDS = new Map([
  ['replied', ['replied', 'pass']], ['dropped', ['dropped', 'pass']], ['reply_failed', ['failed', 'fail']],
  ['armed_matcher_mismatched', ['not triggered', 'slow']], ['armed_no_match', ['not triggered', 'slow']],
]);

/**
 * @param {Page.Part} part
 * @param {Page.Context} context
 */
export function renderReplies(part, context) {
  if (part.replies.length === 0) return null;
  return el('div', { 'data-field': 'replies' },
    el('h3.hr-label', {}, shownOf(part.replies.length, part.notes.left.replies, 'Reply', 'Replies')),
    part.replies.map((reply) => replyRow(reply, context)));
}

/**
 * @param {Page.Reply} reply
 * @param {Page.Context} context
 */
function replyRow(reply, context) {
  const state = deedOf(reply);
  const [word, status] = WORDS.get(state) ?? [state, 'none'];
  const failed = reply.state === 'reply_failed';
  return el('details', {
    class: 'hr-reply-row', 'data-state': reply.state, 'data-trigger-topic': reply.trigger_topic, 'data-reply-topic': reply.reply_topic,
    'data-reply-publish-failed': failed && reply.response_transport ? 'true' : null, open: reply.state !== 'replied',
  },
    el('summary', {}, el('span.hr-reply-head', {},
      el('span', { class: `hr-verdict hr-tone--${verdictKind(status)}` }, glyph('M7 4L3 8l4 4M3 8h6a4 4 0 0 1 4 4'), el('span.hr-verdict-word', {}, word)),
      el('code.hr-topic', {}, reply.trigger_topic),
      transportBadge(context, reply.trigger_transport, { extraClass: 'hr-reply-transport-badge', 'data-reply-trigger-transport': reply.trigger_transport }),
      el('span.hr-note', {}, state === 'dropped' ? 'answers' : state === 'replied' ? 'answered on' : 'to be answered on'),
      el('code.hr-topic', {}, reply.reply_topic),
      transportBadge(context, reply.response_transport, {
        extraClass: `hr-reply-transport-badge${failed ? ' hr-reply-transport-badge--failed' : ''}`, 'data-reply-response-transport': reply.response_transport,
      }))),
    el('div.hr-reply-body', {},
      el('p', {}, replyOneLineSummary(reply), ' ', el('span.hr-note', {}, `Matcher: ${reply.matcher_description}`)),
      renderReplyLifecycle(reply),
      reply.correlation_overridden && el('p.hr-note', {}, 'The reply carried a correlation id of its own.')));
}

/**
 * The state of a reply; results.json has no word of its own for a service that drops what it takes.
 *
 * @param {Page.Reply} reply
 */
const deedOf = (reply) => reply.state === 'replied' && reply.reply_topic === '(nothing)' ? 'dropped' : reply.state;

/** @param {Page.Reply} reply */
export function replyOneLineSummary(reply) {
  switch (deedOf(reply)) {
    case 'dropped': return `Took ${plural(reply.match_count, 'message')} of ${reply.candidate_count} seen, silently.`;
    case 'replied': return `Answered ${plural(reply.match_count, 'message')} of ${reply.candidate_count} seen.`;
    case 'reply_failed': return `Building the reply failed${reply.builder_error ? ` with ${reply.builder_error}` : ''}; nothing was published.`;
    case 'armed_matcher_mismatched': return `${plural(reply.candidate_count, 'message')} came, none matched.`;
    case 'armed_no_match': return 'No message came on the trigger topic.';
    default: return '';
  }
}

/** @param {Page.Reply} reply */
export function renderReplyLifecycle(reply) {
  const progress = PROGRESS.get(deedOf(reply)) ?? STEPS.map(() => 'na');
  return el('ol.hr-reply-stages', {}, STEPS.map((name, index) => {
    const [word, path] = STATUS[progress[index]];
    return el('li.hr-reply-stage', { 'data-stage-status': progress[index] }, glyph(path), name, el('span.hr-sr', {}, `: ${word}`));
  }));
}
