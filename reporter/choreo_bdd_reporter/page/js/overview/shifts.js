// Hops whose latency shifted between two runs by more than two runs of one commit differ; `report diff` has the same rule.

import { duration } from '../core/format.js';
import { percentile } from './overview.js';

const FEWEST = 5;
const SURE = 2.576;
const NOISE_MS = 1;
const LEAST_SHARE = 0.2;

// { shifts: [{ group, before, by, share }], few } of hops that both runs measured; `share` is that of the tightest budget.
/**
 * @param {Map<string, Page.HopGroup>} older
 * @param {Map<string, Page.HopGroup>} newer
 */
export function shiftsBetween(older, newer) {
  const pairs = [...newer.values()].flatMap((group) => {
    const before = older.get(group.key);
    return before && group.latencies.length > 0 && before.latencies.length > 0 ? [{ group, before }] : [];
  });
  const shifts = pairs.filter(({ group, before }) => (isFew(group, before) ? group.over === group.latencies.length && before.over === 0 : differ(group.latencies, before.latencies)))
    .map(({ group, before }) => {
      const by = percentile(group.latencies, 0.5) - percentile(before.latencies, 0.5);
      return { group, before, by, share: group.budget ? by / group.budget : 0 };
    })
    .filter(({ before, by }) => Math.abs(by) > NOISE_MS && Math.abs(by) > LEAST_SHARE * Math.max(percentile(before.latencies, 0.5), NOISE_MS));
  return { shifts, hops: pairs.length, few: pairs.filter(({ group, before }) => isFew(group, before)).length };
}

/**
 * @param {Page.HopGroup} group
 * @param {Page.HopGroup} before
 */
function isFew(group, before) {
  return Math.min(group.latencies.length, before.latencies.length) < FEWEST;
}

// Mann-Whitney: the latencies of one lie so clearly above or below the other's that chance is ruled out.
/**
 * @param {number[]} one
 * @param {number[]} other
 */
function differ(one, other) {
  const all = [...one, ...other].sort((a, b) => a - b);
  const ranks = new Map();
  let ties = 0;
  for (let start = 0, end = 0; start < all.length; start = end) {
    while (all[end] === all[start]) end += 1;
    ranks.set(all[start], (start + 1 + end) / 2);
    ties += (end - start) ** 3 - (end - start);
  }
  const pairs = one.length * other.length;
  const surplus = one.reduce((sum, value) => sum + ranks.get(value), 0) - one.length * (one.length + 1) / 2 - pairs / 2;
  const variance = pairs / 12 * (all.length + 1 - ties / (all.length * (all.length - 1)));
  return variance > 0 && Math.abs(surplus) >= SURE * Math.sqrt(variance);
}

// Median, 95th percentile and largest of a hop's latencies.
/** @param {Page.HopGroup} group */
export function distribution({ latencies }) {
  return `${[0.5, 0.95, 1].map((share) => duration(percentile(latencies, share))).join(' / ')} of ${latencies.length}`;
}
