// From a flat timeline to a story: which message caused which delivery, verdict and reply.
// A row: { id, kind, action, topic, transport, source, detail, start, end, judged, parent, children, message, same, late, ref, handle, cause, failures }.

import { differencesOf } from '../message/diff.js';

export function causalRows(part, partIndex) {
  const story = { part, partIndex, rows: [], sent: new Map(), waiting: new Map() };
  part.timeline.forEach((event, index) => READERS.get(event.action)?.(story, event, index));
  linkExpectations(story);
  markLate(story);
  addAbsent(story);
  for (const row of story.rows) row.parent?.children.push(row);
  return inTreeOrder(story.rows);
}

const READERS = new Map([
  ['published', readPublished], ['received', readReceived], ['matched', readJudged], ['mismatched', readJudged],
  ['replied', readReplied], ['reply_failed', readReplied], ['correlation_skipped', readSkipped], ['deadline', readDeadline],
]);

function addRow(story, event, index, fields) {
  const row = {
    id: `${story.partIndex}-${index}`, action: event.action, topic: event.topic ?? null, transport: event.transport ?? null,
    source: event.source ?? null, detail: event.detail, wallClock: event.wall_clock,
    start: event.offset_ms, end: event.offset_ms, judged: null, parent: null, children: [],
    anchor: event.offset_ms, message: story.part.notes.messages[index] ?? null, same: story.part.notes.same(index), late: false, handle: null, cause: null, failures: [], ref: null, ...fields,
  };
  story.rows.push(row);
  return row;
}

function readPublished(story, event, index) {
  const row = addRow(story, event, index, { kind: 'publish' });
  keep(story.sent, channel(event.topic, event.transport), row);
}

function readReceived(story, event, index) {
  const parent = emissionFor(story, event, index);
  const forReply = event.source === 'reply' || event.detail.startsWith('reply:');
  const row = addRow(story, event, index, { kind: 'delivery', forReply, parent, start: parent?.end ?? event.offset_ms });
  if (!forReply) keep(story.waiting, channel(event.topic, event.transport), row);
}

// A verdict belongs to the oldest delivery on its channel that has none yet; the two share a row.
function readJudged(story, event, index) {
  const same = story.part.notes.same(index);
  const waiting = story.waiting.get(channel(event.topic, event.transport)) ?? [];
  const delivery = waiting.find((row) => same !== null && row.same === same) ?? waiting[0];
  if (delivery) waiting.splice(waiting.indexOf(delivery), 1);
  const row = delivery ?? addRow(story, event, index, deliveryFields(story, event, index));
  Object.assign(row, { action: event.action, judged: event.offset_ms, detail: event.detail, message: row.message ?? story.part.notes.messages[index] });
}

function deliveryFields(story, event, index) {
  const parent = emissionFor(story, event, index);
  return { kind: 'delivery', forReply: false, parent, start: parent?.end ?? event.offset_ms };
}

// What came after the wait for its topic had ended was not judged any more.
function markLate(story) {
  const ended = new Map();
  for (const row of story.rows) if (row.kind === 'deadline') ended.set(channel(row.topic, row.transport), row.end);
  for (const row of story.rows) {
    const end = ended.get(channel(row.topic, row.transport));
    if (row.action === 'received' && !row.forReply && end !== undefined) row.late = row.end >= end;
  }
}

function readReplied(story, event, index) {
  const { trigger, triggerTransport, response } = replyEnds(story.part, event);
  const parent = story.rows.findLast((row) => row.kind === 'delivery' && row.forReply && row.topic === trigger
    && (triggerTransport === null || row.transport === triggerTransport));
  const failed = event.action === 'reply_failed';
  const row = addRow(story, event, index, {
    kind: failed ? 'replyFailed' : 'reply', topic: response, parent: parent ?? null, start: parent?.end ?? event.offset_ms,
  });
  if (!failed) keep(story.sent, channel(response, event.transport), row);
}

// A stage names the response and points back at its trigger; a single harness does the reverse.
function replyEnds(part, event) {
  const [, role, topic] = /^(trigger|reply)=(\S*)/.exec(event.detail) ?? [];
  if (role === 'reply') return { trigger: event.topic, triggerTransport: null, response: topic };
  const trigger = role === 'trigger' ? topic : event.topic;
  const armed = part.replies.find((reply) => reply.trigger_topic === trigger && reply.reply_topic === event.topic
    && (reply.response_transport ?? null) === (event.transport ?? null));
  return { trigger, triggerTransport: armed?.trigger_transport ?? null, response: event.topic };
}

function readSkipped(story, event, index) {
  const parent = emissionFor(story, event, index);
  addRow(story, event, index, { kind: 'skipped', parent, start: parent?.end ?? event.offset_ms });
}

function readDeadline(story, event, index) {
  addRow(story, event, index, { kind: 'deadline' });
}

function channel(topic, transport) {
  return `${transport ?? ''}\n${topic}`;
}

function keep(lists, key, row) {
  if (!lists.has(key)) lists.set(key, []);
  lists.get(key).push(row);
}

// The latest earlier message on the same topic of the same transport, the same body preferred.
function emissionFor(story, event, index) {
  const sent = story.sent.get(channel(event.topic, event.transport)) ?? [];
  const same = story.part.notes.same(index);
  return sent.findLast((row) => same !== null && row.same === same) ?? sent.at(-1) ?? null;
}

// Each verdict in the timeline is one of the expectations; this finds out which.
function linkExpectations(story) {
  const { handles } = story.part;
  const used = new Set();
  const misses = new Map();
  for (const row of story.rows) {
    const here = [...handles.keys()].filter((index) => handles[index].topic === row.topic
      && (handles[index].transport ?? null) === row.transport);
    if (row.action === 'matched') attach(story, row, firstFree(handles, here, used, row.detail), used);
    if (row.action === 'mismatched') attachMiss(story, row, here, misses);
    if (row.kind === 'deadline' && row.topic) attachDeadline(story, row, here, used);
  }
}

function firstFree(handles, here, used, detail) {
  const free = here.filter((index) => !used.has(index) && ['pass', 'slow'].includes(handles[index].outcome));
  return free.find((index) => detail && detail.startsWith(handles[index].reason)) ?? free[0];
}

function attach(story, row, index, used) {
  if (index === undefined) return;
  used?.add(index);
  row.handle = story.part.handles[index];
  row.cause = story.part.notes.handles[index].cause ?? null;
  row.ref = `${story.partIndex}.${index}`;
  // nobody here sent it: the bar then shows the wait its latency is about
  const waited = row.handle.latency_ms;
  if (row.action === 'matched' && !row.parent && waited !== null) Object.assign(row, { kind: 'arrival', start: Math.max(0, row.judged - waited) });
}

function attachMiss(story, row, here, misses) {
  const { handles } = story.part;
  const index = here.find((candidate) => handles[candidate].attempts > (misses.get(candidate) ?? 0));
  if (index === undefined) return;
  const nth = misses.get(index) ?? 0;
  misses.set(index, nth + 1);
  attach(story, row, index);
  const { failures, attempts } = handles[index];
  const first = failures[nth] ? [failures[nth]] : [];
  row.failures = attempts === 1 && first.length > 0 ? differencesOf(handles[index], story.part.notes.handles[index]) : first;
}

function attachDeadline(story, row, here, used) {
  const { handles } = story.part;
  const index = here.find((candidate) => !used.has(candidate) && !['pass', 'slow'].includes(handles[candidate].outcome));
  attach(story, row, index, used);
  if (row.handle) row.start = Math.max(0, row.end - (row.handle.latency_ms ?? 0));
}

// What was expected and never came gets a row too, up to the deadline of the scope.
function addAbsent(story) {
  const { part, partIndex, rows } = story;
  const shown = new Set(rows.filter((row) => row.kind === 'deadline').map((row) => row.ref));
  const scopeEnd = rows.findLast((row) => row.kind === 'deadline' && !row.topic)?.end ?? null;
  part.handles.forEach((handle, index) => {
    const ref = `${partIndex}.${index}`;
    if (shown.has(ref) || !['timeout', 'fail'].includes(handle.outcome)) return;
    const end = scopeEnd ?? handle.latency_ms ?? 0;
    rows.push({
      id: `${partIndex}-h${index}`, kind: 'absent', action: 'absent', topic: handle.topic, transport: handle.transport ?? null, source: null,
      detail: handle.reason, start: Math.max(0, end - (handle.latency_ms ?? end)), end, judged: null, parent: null, children: [],
      message: null, handle, cause: part.notes.handles[index].cause ?? null, failures: [], ref,
    });
  });
}

function inTreeOrder(rows) {
  const ordered = [];
  const visit = (row, level) => {
    row.level = level;
    ordered.push(row);
    for (const child of row.children) visit(child, level + 1);
    row.last = Math.max(row.end, row.judged ?? 0, ...row.children.map((child) => child.last));
  };
  for (const row of rows) if (!row.parent) visit(row, 1);
  return ordered;
}
