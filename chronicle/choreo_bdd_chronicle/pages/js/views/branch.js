// A run beside the last runs of a branch.

import { ask, topicPath } from '../api.js';
import { link } from '../address.js';
import { h } from '../dom.js';
import { change, count, ms, words } from '../format.js';
import { badge, figures, nothing, parted, table } from '../parts.js';

const EVERY_TOPIC = '*';
const FATES = words({ new_failures: ['bad', 'new failure'], still_failing: ['slow', 'still failing'], fixed: ['good', 'fixed'], added: ['quiet', 'new'], removed: ['quiet', 'gone'] });

const TESTS = [
  { key: 'test', title: 'Test', value: (row) => row.nodeid, cell: (row) => row.nodeid },
  { key: 'fate', title: 'What became of it', value: (row) => row.place, cell: (row) => badge(...FATES[row.fate]) },
];

const TOPICS = [
  { key: 'topic', title: 'Topic', value: (one) => one.topic, cell: (one) => link(`/topics/${topicPath(one.topic)}`, {}, {}, parted(one.topic)) },
  { key: 'base', title: 'Branch', number: true, value: (one) => one.base_ms, cell: (one) => ms(one.base_ms) },
  { key: 'run', title: 'Run', number: true, value: (one) => one.run_ms, cell: (one) => ms(one.run_ms) },
  { key: 'change', title: 'Change', number: true, value: (one) => one.change_pct, cell: (one) => change(one.change_pct) },
  { key: 'clear', title: 'Further off than usual', value: (one) => Number(one.is_clear), cell: (one) => (one.is_clear ? badge(one.change_pct > 0 ? 'bad' : 'good', 'yes') : 'no') },
];

export async function againstBranch(tenant, run, base, query) {
  const found = await ask('/compare', { tenant, run, base });
  const tests = Object.keys(FATES).flatMap((fate, place) => found[fate].map((nodeid) => ({ nodeid, fate, place })));
  if (found.base_run_ids.length === 0) return [nothing(`The branch ${base} has no earlier run in this environment.`, 'Choose another branch, or two runs.')];
  const topics = found.topics.filter((one) => one.topic !== EVERY_TOPIC);
  return [
    figures(['New failures', count(found.new_failures.length), found.new_failures.length > 0 ? 'bad' : null], ['Fixed', count(found.fixed.length)],
      ['Still failing', count(found.still_failing.length)], [`Runs of ${base}`, count(found.base_run_ids.length)]),
    tests.length > 0 ? table('Tests that fared otherwise', TESTS, tests, query) : nothing('Every test fared as on the branch.'),
    h('h2', {}, 'Topics'),
    shared(found.topics.find((one) => one.topic === EVERY_TOPIC)),
    topics.length > 0 ? table('Mean latencies beside those of the branch', TOPICS, topics, query) : nothing('No topic was measured in both.'),
  ];
}

/** What the run has in common over all topics, of which each topic's change is told apart. */
function shared(whole) {
  if (!whole) return null;
  const far = change(Math.abs(whole.change_pct)).replace('+', '');
  const told = `All topics together are ${far} ${whole.change_pct < 0 ? 'faster' : 'slower'} than on the branch${whole.is_clear ? ', further off than usual' : ''}.`;
  return h('p', { class: 'quiet' }, `${told} Another machine may be the cause; the changes below are what each topic has beyond that.`);
}
