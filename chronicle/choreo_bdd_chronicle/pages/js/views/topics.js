// All topics with how reliable and how fast they are.

import { ask, topicPath } from '../api.js';
import { link } from '../address.js';
import { h } from '../dom.js';
import { ago, count, ms, percent } from '../format.js';
import { badge, entry, nothing, pager, parted, table, title } from '../parts.js';

export const name = 'Topics';

const bad = (topic) => topic.timeout_count + topic.fail_count;
const reliability = (topic) => (topic.sample_count > 0 ? 1 - bad(topic) / topic.sample_count : null);
const kept = (topic) => (topic.sample_count > 0 ? 1 - topic.budget_violation_count / topic.sample_count : null);

const COLUMNS = [
  { key: 'topic', title: 'Topic', value: (topic) => topic.topic, cell: (topic) => link(`/topics/${topicPath(topic.topic)}`, {}, {}, parted(topic.topic)) },
  { key: 'reliability', title: 'Met', number: true, value: reliability, cell: (topic) => [percent(reliability(topic)), ' ', state(reliability(topic))] },
  { key: 'budget', title: 'In budget', number: true, value: kept, cell: (topic) => percent(kept(topic)) },
  { key: 'p50', title: 'p50', number: true, value: (topic) => topic.latest_p50_ms, cell: (topic) => ms(topic.latest_p50_ms) },
  { key: 'p95', title: 'p95', number: true, value: (topic) => topic.latest_p95_ms, cell: (topic) => ms(topic.latest_p95_ms) },
  { key: 'p99', title: 'p99', number: true, value: (topic) => topic.latest_p99_ms, cell: (topic) => ms(topic.latest_p99_ms) },
  { key: 'messages', title: 'Expectations', number: true, value: (topic) => topic.sample_count, cell: (topic) => count(topic.sample_count) },
  { key: 'seen', title: 'Last seen', value: (topic) => Date.parse(topic.latest_run_at), cell: (topic) => h('span', { class: 'whole', title: topic.latest_run_at }, ago(topic.latest_run_at)) },
];

function state(share) {
  if (share === null || share >= 0.98) return null;
  return share < 0.9 ? badge('bad', 'failing') : badge('slow', 'degraded');
}

export async function view({ filters, query }) {
  const find = (query.get('find') ?? '').toLowerCase();
  const page = await ask('/topics', find ? { ...filters, limit: 500 } : { ...filters, limit: 100, offset: query.get('offset') });
  const shown = page.items.filter((topic) => topic.topic.toLowerCase().includes(find));
  return [
    title('Topics'),
    h('div', { class: 'controls' }, entry('Find', 'find', query, 'part of a name')),
    shown.length > 0 ? table('Topics, the latest seen first', COLUMNS, shown, query) : nothing('No topic to show.', 'No run has measured one that matches.'),
    find ? null : pager(page),
  ];
}
