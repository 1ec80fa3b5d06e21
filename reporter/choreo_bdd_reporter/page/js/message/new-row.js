// A row of the timeline: { id, kind, action, topic, transport, source, detail, start, end, judged, parent, children, message, same, late, ref, handle, cause, failures, after, told }:
// `after` is what a message from outside came of or after.

// One that happens at `at` ms, with nothing known of it but `fields`.
/**
 * @param {number} at
 * @param {Page.NewRow} fields
 * @returns {Page.TimelineRow}
 */
export function newRow(at, fields) {
  return {
    start: at, end: at, anchor: at, transport: null, source: null, judged: null, parent: null, children: [], after: null, told: false,
    message: null, same: null, late: false, handle: null, cause: null, failures: [], ref: null, order: 0, level: 1, last: at, ...fields,
  };
}
