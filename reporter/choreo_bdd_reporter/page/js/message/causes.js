// What a message from outside came of: its headers tell, else it is placed after the message before it, and said to be.

const TRACE = 'traceparent';
const CAUSE_HEADERS = new Set(['causation-id', 'causation_id', 'causationid', 'x-causation-id', 'ce-causationid']);

/**
 * @param {Page.TimelineRow[]} rows in the order of their arrival
 * @param {any} notes with the spans that services told of, if any
 * @param {string | null} header which the project names its causes in
 */
export function placeArrivals(rows, notes, header = null) {
  const seen = {
    names: new Set([...CAUSE_HEADERS, header?.toLowerCase()]),
    ids: new Map(), traced: new Map(), spans: new Map((notes.spans ?? []).map((span) => [span.id, span])),
  };
  const messages = rows.filter(isMessage);
  const telling = messages.some((row) => headersOf(row).some(([name]) => name === TRACE || seen.names.has(name)));
  let last = null;
  for (const row of messages) {
    const again = last !== null && row.same !== null && row.same === last.same && row.topic === last.topic && row.transport === last.transport;
    if (isFromOutside(row)) Object.assign(row, again ? { after: last.after, told: last.told } : telling ? cameOf(row, seen, last) : { after: last });
    if (row.after) row.start = row.after.end;
    if (!again) last = row;
    if (telling) remember(row, seen);
  }
}

// A header is sure of it; the order of arrivals is not, and says so.
/** @param {Page.TimelineRow} row */
export function causeText(row) {
  const cause = row.parent ?? row.after;
  return cause ? `${row.after && !row.told ? 'perhaps by what came before: ' : ''}${cause.topic}` : '';
}

/** @param {Page.TimelineRow} row */
function isMessage(row) {
  return ['publish', 'reply', 'delivery', 'arrival'].includes(row.kind);
}

/** @param {Page.TimelineRow} row */
function isFromOutside(row) {
  return row.parent === null && ['delivery', 'arrival'].includes(row.kind);
}

/** @param {Page.TimelineRow} row */
function headersOf(row) {
  return Object.entries(row.message?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]);
}

/** @param {Page.TimelineRow} row */
function remember(row, { ids, traced, names }) {
  for (const [name, value] of headersOf(row)) {
    if (name === TRACE) traced.set(spanOf(value), row);
    else if (!names.has(name) && !ids.has(value)) ids.set(value, row);
  }
}

function spanOf(traceparent) {
  return traceparent.split('-')[2];
}

// { after: the row it came of or came after, told: whether its headers say so }
/** @param {Page.TimelineRow} row */
function cameOf(row, { ids, traced, spans, names }, last) {
  const headers = headersOf(row);
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
