// What came by beside the expected: messages no scope was waiting for, and what a transport could not do. Neither has a
// time of its own, so they stand below the timeline and not in it.

import { el } from '../core/dom.js';
import { bytes, plural, shownOf } from '../core/format.js';
import { transportBadge } from '../core/transports.js';

const REASONS = new Map([
  ['unknown_scope', 'with another id: no scenario here has it'], ['timeout_race', 'late: its scenario had ended'],
  ['no_correlation_field', 'without a correlation id'], ['no_extractor', 'on a topic whose correlation id nobody reads'],
]);

/**
 * @param {Page.Part} part
 * @param {Page.Context} context
 */
export function renderStrays({ notes }, context) {
  const { surprises, broken, left } = notes;
  return [
    broken.length > 0 && el('section', {}, el('h3.hr-label', {}, left.transport_failures ? shownOf(broken.length, left.transport_failures, 'Transport failure') : 'Transport failures'), el('ul.hr-strays', {}, broken.map((failure) => el('li', {},
      el('code.hr-topic', {}, failure.topic), ' ', transportBadge(context, failure.transport), ' ', failure.reason)))),
    surprises.length > 0 && el('section', {}, el('h3.hr-label', {}, 'Late and foreign messages'), el('ul.hr-strays', {}, surprises.map((stray) => el('li', {},
      el('code.hr-topic', {}, stray.topic), ` ${plural(stray.count, 'time')} ${REASONS.get(stray.classification) ?? stray.classification}`, el('span.hr-note', {}, `, ${bytes(stray.size)}`))))),
  ];
}
