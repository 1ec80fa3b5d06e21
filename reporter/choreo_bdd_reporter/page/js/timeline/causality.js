// From a flat timeline to a story: which message caused which delivery, verdict and reply.

import { addAbsent, linkExpectations } from './expected.js';
import { placeArrivals } from '../message/causes.js';
import { newRow } from '../message/new-row.js';
import { actRows, spanRows } from '../message/spans.js';
import { addStrays, insert } from '../message/strays.js';

/**
 * @param {Page.Part} part
 * @param {number} partIndex
 * @param {string | null} [header]
 */
export function causalRows(part, partIndex, header = null) {
  /** @type {Page.Story} */
  const story = { part, partIndex, rows: [], sent: new Map(), waiting: new Map(), triggers: new Map() };
  part.timeline.forEach((event, index) => READERS.get(event.action)?.(story, event, index));
  linkExpectations(story);
  insert(story.rows, actRows(part, partIndex));
  placeArrivals(story.rows, part.notes, header);
  markLate(story);
  addAbsent(story);
  addStrays(story.rows, part, partIndex);
  story.rows.push(...spanRows(story.rows, part, partIndex));
  for (const row of story.rows) row.parent?.children.push(row);
  return inTreeOrder(story.rows);
}

/** @typedef {(story: Page.Story, event: Page.TimelineEntry, index: number) => void} Reader */

/** @type {Map<string, Reader>} */
const READERS = new Map([
  ['published', readPublished], ['received', readReceived], ['matched', readJudged], ['mismatched', readJudged],
  ['replied', readReplied], ['reply_failed', readReplied], ['correlation_skipped', readSkipped], ['deadline', readDeadline],
]);

/**
 * @param {Page.Story} story
 * @param {Page.TimelineEntry} event
 * @param {number} index
 * @param {Pick<Page.NewRow, 'kind'> & Partial<Page.TimelineRow>} fields
 */
function addRow(story, event, index, fields) {
  const at = event.offset_ms;
  const row = newRow(at, {
    // a kernel's stamp of what came can be older than ours of what was sent
    start: Math.min(fields.parent?.end ?? at, at),
    id: `${story.partIndex}-${index}`, action: event.action, topic: event.topic ?? null, transport: event.transport ?? null,
    source: event.source ?? null, detail: event.detail, event,
    message: story.part.notes.messages[index] ?? null, same: story.part.notes.same(index), ...fields,
  });
  story.rows.push(row);
  return row;
}

/** @type {Reader} */
function readPublished(story, event, index) {
  const row = addRow(story, event, index, { kind: 'publish' });
  keepSent(story, event.topic, row);
}

/** @type {Reader} */
function readReceived(story, event, index) {
  const parent = emissionFor(story, event, index);
  const forReply = event.source === 'reply' || event.detail.startsWith('reply:');
  const row = addRow(story, event, index, { kind: 'delivery', forReply, parent });
  if (!forReply) keep(story.waiting, channel(event.topic, event.transport), row);
  else for (const transport of [row.transport, ANY]) story.triggers.set(channel(row.topic, transport), row);
}

// A verdict belongs to the oldest delivery on its channel that has none yet; the two share a row.
/** @type {Reader} */
function readJudged(story, event, index) {
  const same = story.part.notes.same(index);
  const waiting = story.waiting.get(channel(event.topic, event.transport)) ?? [];
  const delivery = (same !== null && waiting.find((row) => row.same === same)) || waiting[0];
  if (delivery) waiting.splice(waiting.indexOf(delivery), 1);
  const row = delivery ?? addRow(story, event, index, deliveryFields(story, event, index));
  Object.assign(row, { action: event.action, judged: event.offset_ms, detail: event.detail, message: row.message ?? story.part.notes.messages[index] });
}

/**
 * @param {Page.Story} story
 * @param {Page.TimelineEntry} event
 * @param {number} index
 * @returns {Pick<Page.TimelineRow, 'kind' | 'forReply' | 'parent'>}
 */
function deliveryFields(story, event, index) {
  return { kind: 'delivery', forReply: false, parent: emissionFor(story, event, index) };
}

// What came after the wait for its topic had ended was not judged any more.
/** @param {Page.Story} story */
function markLate(story) {
  const ended = new Map();
  for (const row of story.rows) if (row.kind === 'deadline') ended.set(channel(row.topic, row.transport), row.end);
  for (const row of story.rows) {
    const end = ended.get(channel(row.topic, row.transport));
    if (row.action === 'received' && !row.forReply && end !== undefined) row.late = row.end >= end;
  }
}

/** @type {Reader} */
function readReplied(story, event, index) {
  const { trigger, triggerTransport, response } = replyEnds(story.part, event);
  const parent = story.triggers.get(channel(trigger, triggerTransport ?? ANY));
  const failed = event.action === 'reply_failed';
  const row = addRow(story, event, index, { kind: failed ? 'replyFailed' : 'reply', topic: response, parent: parent ?? null });
  if (!failed) keepSent(story, response, row);
}

// A stage names the response and points back at its trigger; a single harness does the reverse.
/**
 * @param {Page.Part} part
 * @param {Page.TimelineEntry} event
 */
function replyEnds(part, event) {
  const [, role, topic] = /^(trigger|reply)=(\S*)/.exec(event.detail) ?? [];
  if (role === 'reply') return { trigger: event.topic, triggerTransport: null, response: topic };
  const trigger = role === 'trigger' ? topic : event.topic;
  const armed = part.replies.find((reply) => reply.trigger_topic === trigger && reply.reply_topic === event.topic
    && (reply.response_transport ?? null) === (event.transport ?? null));
  return { trigger, triggerTransport: armed?.trigger_transport ?? null, response: event.topic };
}

/** @type {Reader} */
function readSkipped(story, event, index) {
  addRow(story, event, index, { kind: 'skipped', parent: emissionFor(story, event, index) });
}

/** @type {Reader} */
function readDeadline(story, event, index) {
  addRow(story, event, index, { kind: 'deadline' });
}

// no transport has this name
const ANY = '*';

/**
 * @param {string | null | undefined} topic
 * @param {string | null | undefined} transport
 */
function channel(topic, transport) {
  return `${transport ?? ''}\n${topic}`;
}

/**
 * @param {Map<string, Page.TimelineRow[]>} lists
 * @param {string} key
 * @param {Page.TimelineRow} row
 */
function keep(lists, key, row) {
  const list = lists.get(key) ?? [];
  list.push(row);
  lists.set(key, list);
}

// The latest earlier message on the same topic of the same transport, the same body preferred.
/**
 * @param {Page.Story} story
 * @param {Page.TimelineEntry} event
 * @param {number} index
 */
function emissionFor(story, event, index) {
  const same = story.part.notes.same(index);
  const sent = story.sent.get(channel(event.topic, event.transport));
  return sent?.bodies.get(same) ?? sent?.last ?? null;
}

/**
 * @param {Page.Story} story
 * @param {string | null | undefined} topic
 * @param {Page.TimelineRow} row
 */
function keepSent({ sent }, topic, row) {
  const place = channel(topic, row.transport);
  const kept = sent.get(place) ?? { last: row, bodies: new Map() };
  kept.last = row;
  if (row.same !== null) kept.bodies.set(row.same, row);
  sent.set(place, kept);
}

/** @param {Page.TimelineRow[]} rows */
function inTreeOrder(rows) {
  /** @type {Page.TimelineRow[]} */
  const ordered = [];
  /**
   * @param {Page.TimelineRow} row
   * @param {number} level
   */
  const visit = (row, level) => {
    row.level = level;
    ordered.push(row);
    for (const child of row.children) visit(child, level + 1);
    row.last = Math.max(row.end, row.judged ?? 0, ...row.children.map((child) => child.last));
  };
  for (const row of rows) if (!row.parent) visit(row, 1);
  return ordered;
}
