// Words in steps and messages of a large report: every chunk is decoded once, one after the other, and dropped again.

import { parseQuery } from './query.js';
import { detailTexts } from './search.js';
import { unpack } from '../store/chunk.js';

/**
 * @param {Page.Store} store
 * @param {() => void} onFound
 * @returns {Page.DeepSearch}
 */
export function createDeepSearch(store, onFound) {
  const found = new Map();
  let running = 0;
  return {
    found,
    wordsLeft(query) {
      if (store.whole) return [];
      return parseQuery(query).words.map(({ word }) => word).filter((word) => !found.has(word));
    },
    async run(words, onProgress) {
      const turn = ++running;
      /** @type {Page.DeepSearch["found"]} */
      const hits = new Map(words.map((word) => [word, new Set()]));
      for (const [number, chunk] of store.chunks.entries()) {
        searchChunk(await chunk.decode(), chunk, hits);
        if (turn !== running) return;
        onProgress((number + 1) / store.chunks.length);
      }
      for (const [word, orders] of hits) found.set(word, orders);
      onFound();
    },
  };
}

/**
 * @param {Page.Chunk} decoded
 * @param {Page.ChunkAhead} ahead
 * @param {Page.DeepSearch["found"]} hits
 */
function searchChunk(decoded, { from, count }, hits) {
  for (let place = 0; place < count; place += 1) {
    const text = detailTexts(unpack(decoded, place)).join('\n').toLowerCase();
    for (const [word, orders] of hits) if (text.includes(word)) orders.add(from + place);
  }
}
