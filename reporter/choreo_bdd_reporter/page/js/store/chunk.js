// A part of a large report, as it is kept: texts once, timelines in columns, bodies by number.

import { detailOf, withPayload } from './detail.js';
import { exactJson } from '../core/values.js';

// Lines of JSON, of which those are parsed that somebody looks at.
/**
 * @param {string} text
 * @returns {Page.Chunk}
 */
export function readChunk(text) {
  const lines = text.split('\n');
  const [entries, payloads] = JSON.parse(lines[1]);
  /** @param {number} number */
  const line = (number) => JSON.parse(lines[number + 2]);
  /** @param {number} number */
  const payload = (number) => exactJson(lines[entries + number + 2]);
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
  const { notes, same, heard, spans, strays, surprises, broken, left, bus, exact, ...part } = packed;
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
      spans, surprises, broken, left, bus, exact, same: (index) => (same[index] >= 0 ? same[index] : null),
      cut,
    },
  };
}

/** @type {any} */
const EVENT = {
  get wall_clock() {
    return this.told ?? new Date(this.began + this.offset_ms).toISOString();
  },
};

// Of ten thousand events each has the same members, in one literal: an engine makes those many times faster.
/**
 * @param {Page.Chunk} chunk
 * @param {Page.PackedTimeline} packed
 * @returns {Page.TimelineEntry[]}
 */
function unpackTimeline({ texts }, { step, clock, drift, ...columns }) {
  let offset = 0;
  const began = Date.parse(clock ?? '') - (step[0] ?? 0) / 1000;
  /**
   * @param {number[] | undefined} column
   * @param {number} index
   * @returns {any}
   */
  const text = (column, index) => (column && column[index] >= 0 ? texts[column[index]] : undefined);
  return step.map((ahead, index) => {
    offset += ahead;
    /** @type {any} */
    const event = {
      __proto__: EVENT, offset_ms: offset / 1000, began, told: drift[index],
      action: text(columns.action, index), topic: text(columns.topic, index), detail: text(columns.detail, index) ?? '',
      transport: text(columns.transport, index), source: text(columns.source, index), logical_topic: text(columns.logical_topic, index),
    };
    return event;
  });
}
