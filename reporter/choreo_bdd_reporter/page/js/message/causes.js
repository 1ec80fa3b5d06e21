// What a message from outside came of: its headers tell, else it is placed after the message before it, and said to be.

const TRACE = 'traceparent';
/** @typedef {{ names: Set<string>, ids: Map<string, Page.TimelineRow>, traced: Map<string, Page.TimelineRow>, bodies: Map<string, Page.TimelineRow>, spans: Map<string, Page.Span> }} Seen */

const CAUSE_HEADERS = new Set(['causation-id', 'causation_id', 'causationid', 'x-causation-id', 'ce-causationid']);

/**
 * @param {Page.TimelineRow[]} rows
 * @param {Pick<Page.Notes, 'spans'>} notes
 * @param {string | null} [header]
 */
export function placeArrivals(rows, notes, header = null) {
  /** @type {Seen} */
  const seen = {
    names: new Set([...CAUSE_HEADERS, ...(header ? [header.toLowerCase()] : [])]),
    ids: new Map(), traced: new Map(), bodies: new Map(), spans: new Map(notes.spans.map((span) => [span.id, span])),
  };
  /** @type {Page.TimelineRow | null} */
  let last = null;
  /** @type {Page.TimelineRow | null} */
  let act = null;
  const messages = rows.filter(isMessage);
  const telling = messages.some((row) => row.message?.moved || headersOf(row).some(([name]) => name === TRACE || seen.names.has(name)));
  for (const row of messages) {
    if (act && act.end <= row.end) [last, act] = [act, null];
    if (row.kind === 'act') act = row;
    /** @type {Page.TimelineRow | null} */
    const twin = last && row.same !== null && row.same === last.same && row.topic === last.topic && row.transport === last.transport ? last : null;
    if (isFromOutside(row)) Object.assign(row, twin ? { after: twin.after, told: twin.told } : telling ? cameOf(row, seen, last) : { after: last });
    if (row.after) row.start = leftBy(row.after, row.end);
    if (!twin) last = row;
    if (telling) remember(row, seen);
  }
}

// When what came of a row at a time left: its end, or the beginning of an act that was under way then, and never later.
/**
 * @param {Page.TimelineRow} cause
 * @param {number} at
 */
export function leftBy(cause, at) {
  return cause.end <= at ? cause.end : Math.min(cause.start, at);
}

// A header is sure of it; the order of arrivals is not, and says so.
/** @param {Page.TimelineRow} row */
export function causeText(row) {
  const cause = row.parent ?? row.after;
  return cause ? `${row.after && !row.told ? 'perhaps what came before: ' : ''}${cause.topic}` : '';
}

/** @param {Page.TimelineRow} row */
function isMessage(row) {
  return ['publish', 'reply', 'delivery', 'arrival', 'act'].includes(row.kind);
}

/** @param {Page.TimelineRow} row */
function isFromOutside(row) {
  return row.parent === null && ['delivery', 'arrival'].includes(row.kind);
}

/** @param {Page.TimelineRow} row */
function headersOf(row) {
  return Object.entries(row.message?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]);
}

/**
 * @param {Page.TimelineRow} row
 * @param {Seen} seen
 */
function remember(row, { ids, traced, bodies, names }) {
  for (const key of bodyKeys(row.topic, row)) bodies.set(key, row);
  for (const [name, value] of headersOf(row)) {
    if (name === TRACE) traced.set(spanOf(value), row);
    else if (!names.has(name) && !ids.has(value)) ids.set(value, row);
  }
}

// What a dead letter is found by where it was before: its body there, else the topic alone.
/**
 * @param {string | null} topic
 * @param {Page.TimelineRow} row
 */
function bodyKeys(topic, { same }) {
  return [`${topic}\n${same}`, `${topic}`];
}

/** @param {string} traceparent */
function spanOf(traceparent) {
  return traceparent.split('-')[2];
}

// { after: the row it came of or came after, told: whether its headers say so }
/**
 * @param {Page.TimelineRow} row
 * @param {Seen} seen
 * @param {Page.TimelineRow | null} last
 */
function cameOf(row, { ids, traced, bodies, spans, names }, last) {
  const headers = headersOf(row);
  const origin = (row.message?.moved?.origins ?? []).flatMap((topic) => bodyKeys(topic, row)).map((key) => bodies.get(key)).find(Boolean);
  if (origin) return { after: origin, told: true };
  const named = headers.filter(([name]) => names.has(name)).map(([, value]) => ids.get(value)).find(Boolean);
  if (named) return { after: named, told: true };
  const sender = headers.filter(([name]) => name === TRACE).map(([, value]) => spanOf(value))[0];
  const past = new Set();
  for (let span = spans.get(sender); span && !past.has(span); span = spans.get(span.parent)) {
    past.add(span);
    if (traced.has(span.parent)) return { after: traced.get(span.parent), told: true };
  }
  // a service may hand the header on as it came: then it is the order within one trace
  return { after: traced.get(sender) ?? last, told: false };
}
