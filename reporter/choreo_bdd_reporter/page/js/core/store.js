// Everything about one scenario: at hand in a report of ordinary size, decoded on demand in a large one.
// A detail: { test, scenario, steps, parts, attachments, earlier }, of which the last are the attempts before this one, null where not kept; a part carries notes { handles, messages, spans, strays, surprises, broken, left, same, cut }.

import { blobOf, chunkText, inflated } from './embedded.js';

const DECODED_CHUNKS = 3;

/**
 * @param {Page.Index} index
 * @param {Page.Gherkin} gherkin
 * @returns {Page.Store}
 */
export function createStore(index, gherkin) {
  return index.chunks.length > 0 ? chunkStore(index.chunks) : wholeStore(gherkin);
}

/**
 * @param {Page.Gherkin} gherkin
 * @returns {Page.Store}
 */
function wholeStore(gherkin) {
  const described = (gherkin.features ?? []).flatMap((feature) => feature.scenarios ?? []);
  const scenarios = new Map(described.map((scenario) => [scenario.nodeid, scenario]));
  const details = gherkin.details ?? {};
  // a node id may be any word, also one that every object knows
  const attachments = new Map(Object.entries(gherkin.attachments ?? {}));
  const attempts = new Map(Object.entries(gherkin.attempts ?? {}));
  /** @type {(notes?: Page.ScopeNote[]) => (part: any, index: number) => Page.Notes} */
  const aligned = (notes) => (part, index) => alignNotes(part, notes?.[index]);
  /** @type {(kept: Page.KeptAttempt) => Page.Detail | null} */
  const attempt = ({ test, scenario, attachments: attached, details: notes }) => (test ? detailOf(test, scenario ?? null, attached ?? [], aligned(notes)) : null);
  return {
    whole: true,
    chunks: [],
    detail(entry) {
      entry.detail ??= detailOf(entry.whole, scenarios.get(entry.id) ?? null, attachments.get(entry.id) ?? [], aligned(details[entry.id]), (attempts.get(entry.id) ?? []).map(attempt));
      return entry.detail;
    },
  };
}

/**
 * @param {Page.Test} test
 * @param {Page.Described | null} scenario
 * @param {Page.Attachment[]} attachments
 * @param {(part: any, index: number) => Page.Notes} notesOf
 * @param {(Page.Detail | null)[]} earlier
 * @returns {Page.Detail}
 */
function detailOf(test, scenario, attachments, notesOf, earlier = []) {
  return { test, scenario, attachments, earlier, steps: scenario?.steps ?? [], parts: test.scenarios.map((part, index) => ({ ...part, notes: notesOf(part, index) })) };
}

/**
 * @param {Page.Scenario} part
 * @param {Partial<Page.ScopeNote>} [note]
 * @returns {Page.Notes}
 */
function alignNotes(part, { handles = [], timeline = [], messages = [], payloads = [], spans = [], surprises = [], strays = [], transport_failures: broken = [], left_out: left = {} } = {}) {
  /** @param {number} place */
  const message = (place) => (place < 0 ? null : withPayload(messages[place], () => JSON.parse(payloads[messages[place].payload])));
  const heard = part.timeline.map((_, index) => timeline[index] ?? -1);
  return {
    handles: part.handles.map((_, index) => ({ ...handles[index], messages: (handles[index]?.messages ?? []).map(message) })),
    messages: heard.map(message), same: (index) => (heard[index] < 0 ? null : messages[heard[index]].payload),
    spans, surprises, strays: strays.map((stray) => ({ ...stray, message: message(stray.message) })), broken, left, cut: false,
  };
}

// Of ten thousand bodies a reader looks at a few.
/**
 * @param {Page.StoredMessage} message
 * @param {() => any} read
 * @returns {Page.Message}
 */
function withPayload(message, read) {
  return { ...message, get payload() { return read(); } };
}

/**
 * @param {number[]} counts
 * @returns {Page.Store}
 */
function chunkStore(counts) {
  const starts = counts.map((_, index) => counts.slice(0, index).reduce((sum, count) => sum + count, 0));
  /** @type {Map<number, Promise<Blob>>} */
  const blobs = new Map();
  /** @type {Map<number, Page.Chunk>} */
  const decoded = new Map();
  /** @param {Page.Entry} entry */
  const chunkOf = (entry) => starts.findLastIndex((start) => start <= entry.order);
  /** @param {number} number */
  const blob = async (number) => {
    const known = blobs.get(number) ?? chunkText(`c${number}`).then(blobOf);
    blobs.set(number, known);
    return known;
  };
  /** @param {number} number */
  const decode = async (number) => readChunk(await inflated(await blob(number)));
  /**
   * @param {number} number
   * @param {Page.Chunk} chunk
   */
  const keep = (number, chunk) => {
    decoded.delete(number);
    decoded.set(number, chunk);
    if (decoded.size > DECODED_CHUNKS) decoded.delete([...decoded.keys()][0]);
    return chunk;
  };
  /**
   * @param {Page.Chunk} chunk
   * @param {number} number
   * @param {Page.Entry} entry
   */
  const unpacked = (chunk, number, entry) => unpack(chunk, entry.order - starts[number]);
  return {
    whole: false,
    detail(entry) {
      const number = chunkOf(entry);
      const known = decoded.get(number);
      if (known) return unpacked(keep(number, known), number, entry);
      return decode(number).then((chunk) => unpacked(keep(number, chunk), number, entry));
    },
    chunks: counts.map((count, number) => ({ from: starts[number], count, decode: () => decode(number) })),
  };
}

// Lines of JSON, of which those are parsed that somebody looks at.
/**
 * @param {string} text
 * @returns {Page.Chunk}
 */
function readChunk(text) {
  const lines = text.split('\n');
  const [entries, payloads] = JSON.parse(lines[1]);
  /** @param {number} number */
  const line = (number) => JSON.parse(lines[number + 2]);
  /** @param {number} number */
  const payload = (number) => line(entries + number);
  const messages = new Map();
  return {
    texts: JSON.parse(lines[0]), entry: line, payload,
    message(number) {
      if (number < 0) return null;
      if (!messages.has(number)) {
        const message = line(entries + payloads + number);
        messages.set(number, withPayload(message, () => payload(message.payload)));
      }
      return messages.get(number);
    },
  };
}

/**
 * @param {Page.Chunk} chunk
 * @param {number} place
 * @returns {Page.Detail}
 */
export function unpack(chunk, place) {
  /**
   * @param {any[]} entry
   * @returns {Page.Detail}
   */
  const opened = ([test, scenario, attachments, earlier = []]) => {
    /** @type {Page.PackedPart[]} */
    const packed = test.scenarios;
    const parts = packed.map((part) => unpackPart(chunk, part));
    return detailOf({ ...test, scenarios: parts }, scenario, attachments, (part) => part.notes, earlier.map((/** @type {any[] | null} */ attempt) => attempt && opened(attempt)));
  };
  return opened(chunk.entry(place));
}

/**
 * @param {Page.Chunk} chunk
 * @param {Page.PackedPart} packed
 * @returns {Page.Part}
 */
function unpackPart(chunk, packed) {
  const { notes, same, heard, spans, strays, surprises, broken, left, ...part } = packed;
  const timeline = unpackTimeline(chunk, packed.timeline);
  const cut = heard === null;
  return {
    ...part,
    timeline,
    handles: part.handles.map((handle) => (handle.actual === null ? handle : { ...handle, actual: cut ? null : chunk.payload(handle.actual) })),
    notes: {
      handles: part.handles.map((_, index) => ({ ...notes[index], messages: (notes[index]?.messages ?? []).map(chunk.message) })),
      messages: timeline.map((_, index) => (cut ? null : chunk.message(heard[index] ?? -1))),
      strays: strays.map((stray) => ({ ...stray, message: chunk.message(stray.message) })),
      spans, surprises, broken, left, same: (index) => (same[index] >= 0 ? same[index] : null),
      cut,
    },
  };
}

/** @type {any} */
const EVENT = {
  detail: '',
  get wall_clock() {
    return this.told ?? new Date(this.began + this.offset_ms).toISOString();
  },
};

/** @type {("action" | "topic" | "detail" | "transport" | "source" | "logical_topic")[]} */
const COLUMNS = ['action', 'topic', 'detail', 'transport', 'source', 'logical_topic'];

/**
 * @param {Page.Chunk} chunk
 * @param {Page.PackedTimeline} packed
 * @returns {Page.TimelineEntry[]}
 */
function unpackTimeline(chunk, { step, clock, drift, ...columns }) {
  let offset = 0;
  const began = Date.parse(clock ?? '') - (step[0] ?? 0) / 1000;
  const known = COLUMNS.filter((name) => columns[name]);
  return step.map((ahead, index) => {
    offset += ahead;
    /** @type {any} */
    const event = { __proto__: EVENT, offset_ms: offset / 1000, began, told: drift[index] };
    for (const name of known) {
      const text = columns[name]?.[index] ?? -1;
      if (text >= 0) event[name] = chunk.texts[text];
    }
    return event;
  });
}
