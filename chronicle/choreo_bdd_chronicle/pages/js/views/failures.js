// Failures by their cause, over all runs.

import { ask, topicPath } from '../api.js';
import { link } from '../address.js';
import { h } from '../dom.js';
import { ago, count, words } from '../format.js';
import { badge, nothing, pager, table, title } from '../parts.js';
import { said } from '../saying.js';

export const name = 'Failures';

const KINDS = words({ silent_timeout: 'nothing arrived', near_miss: 'wrong shape', over_budget: 'over budget', mismatch: 'wrong value', type_mismatch: 'wrong type', missing: 'field missing', predicate: 'rule not met' });

const COLUMNS = [
  { key: 'topic', title: 'Topic', value: (one) => one.topic, cell: (one) => link(`/topics/${topicPath(one.topic)}`, {}, {}, one.topic) },
  { key: 'cause', title: 'Cause', value: (one) => one.kind, cell: (one) => [badge(one.outcome === 'slow' ? 'slow' : 'bad', one.outcome), ' ', KINDS[one.kind] ?? one.kind, one.path ? [' at ', h('code', {}, one.path)] : null] },
  { key: 'count', title: 'Failures', number: true, value: (one) => one.count, cell: (one) => count(one.count) },
  { key: 'runs', title: 'Runs', number: true, value: (one) => one.run_count, cell: (one) => count(one.run_count) },
  { key: 'scenarios', title: 'Scenarios', cell: scenarios },
  { key: 'since', title: 'Since', value: (one) => one.first_seen_at, cell: (one) => h('span', { title: one.first_seen_at }, ago(one.first_seen_at)) },
  { key: 'last', title: 'Last', value: (one) => one.last_seen_at, cell: (one) => h('span', { title: one.last_seen_at }, ago(one.last_seen_at)) },
];

function scenarios(one) {
  const names = one.scenarios.map((each) => each.name);
  return names.length > 2 ? h('details', {}, h('summary', {}, `${names.length} scenarios`), h('ul', {}, names.map((each) => h('li', {}, each)))) : names.join(', ');
}

export async function view({ filters, query }) {
  const page = await ask('/failures', { ...filters, offset: query.get('offset') });
  return [
    title('Failures by cause'),
    h('p', { class: 'quiet' }, 'What failed in the last 100 runs that the filters let through: since when, and when last, among these.'),
    page.items.length > 0 ? table('Causes, the latest first', [...COLUMNS, said('failures', filters.tenant)], page.items, query) : nothing('No expectation failed.', 'In these runs every message was as expected.'),
    pager(page),
  ];
}
