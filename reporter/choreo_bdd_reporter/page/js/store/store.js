// Everything about one scenario: at hand in a report of ordinary size, decoded on demand in a large one.

import { readChunk, unpack } from './chunk.js';
import { alignNotes, detailOf } from './detail.js';
import { blobOf, chunkText, inflated } from '../core/embedded.js';

const DECODED_CHUNKS = 3;

/**
 * @param {Page.Index} index
 * @param {Page.Gherkin} gherkin
 * @returns {Page.Store}
 */
export function createStore(index, gherkin) {
  return index.chunks.length > 0 ? chunkStore(index.chunks) : wholeStore(gherkin, index.transports.length > 1);
}

/**
 * @param {Page.Gherkin} gherkin
 * @param {boolean} several
 * @returns {Page.Store}
 */
function wholeStore(gherkin, several) {
  const described = (gherkin.features ?? []).flatMap((feature) => feature.scenarios ?? []);
  const scenarios = new Map(described.map((scenario) => [scenario.nodeid, scenario]));
  const details = gherkin.details ?? {};
  // a node id may be any word, also one that every object knows
  const attachments = new Map(Object.entries(gherkin.attachments ?? {}));
  const attempts = new Map(Object.entries(gherkin.attempts ?? {}));
  /** @type {(notes?: Page.ScopeNote[]) => (part: any, index: number) => Page.Notes} */
  const aligned = (notes) => (part, index) => alignNotes(part, notes?.[index], several);
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
