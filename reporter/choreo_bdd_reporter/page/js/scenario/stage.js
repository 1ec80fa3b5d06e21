// What joins several transports in one scenario: the bridge and its wire ids.

import { el } from '../core/dom.js';
import { transportBadge } from '../core/transports.js';

// as features have it
const SHARED_ID = 'SharedId';

/**
 * @param {Page.Part} part
 * @param {Page.Context} context
 */
export function renderStageBreadcrumb(part, context) {
  const { stage } = part;
  if (!stage) return null;
  const pills = stage.transports.flatMap((name, index) => [
    index > 0 && stage.transports.length === 2 && el('span', { 'aria-hidden': 'true' }, ' ⇄ '),
    transportBadge(context, name, { extraClass: 'hr-stage-transport-badge', 'data-stage-transport': name }),
  ]);
  return el('div', {
    class: 'hr-stage-breadcrumb', 'data-stage-bridge-class': stage.bridge_class, 'data-stage-transports': stage.transports.join(' '),
  }, pills, el('span.hr-stage-tag', {}, stage.bridge_class === SHARED_ID ? 'joined by one correlation id' : `joined by ${stage.bridge_class}`), correlationIds(stage, context));
}

/**
 * @param {Page.Stage} stage
 * @param {Page.Context} context
 */
function correlationIds(stage, context) {
  const ids = Object.entries(stage.correlation_ids);
  if (ids.length === 0) return null;
  return el('details.hr-stage-correlation-ids', {},
    el('summary.hr-stage-correlation-ids-summary', {}, 'correlation ids'),
    el('dl', {}, ids.map(([name, id]) => [el('dt', {}, transportBadge(context, name)), el('dd', {}, el('code', {}, id))])));
}

// The first reply that could not be sent, on the transport it was meant for.
/**
 * @param {Page.Part} part
 * @param {Page.Context} context
 */
export function failingReply(part, context) {
  const failed = part.replies.find((reply) => reply.state === 'reply_failed' && reply.response_transport);
  return failed && el('p.hr-scenario-failing-reply', { 'data-failing-reply-response-transport': failed.response_transport },
    'reply failed on ', transportBadge(context, failed.response_transport));
}

// Sorted transports on which something failed or stayed silent.
/** @param {Page.Part} part */
export function collectFailingTransports(part) {
  if (part.outcome !== 'fail' && part.outcome !== 'timeout') return [];
  const failing = part.handles.filter((handle) => handle.transport && handle.outcome !== 'pass' && handle.outcome !== 'slow');
  return [...new Set(failing.map((handle) => handle.transport))].sort();
}
