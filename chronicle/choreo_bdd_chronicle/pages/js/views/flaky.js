// Which scenarios cannot be trusted: flaky, broken, and fixed again.

import { ask } from '../api.js';
import { h } from '../dom.js';
import { commit, count, percent, words } from '../format.js';
import { badge, choice, nothing, pager, table, title } from '../parts.js';
import { said } from '../saying.js';

export const name = 'Flaky';

const KINDS = words({ flaky: 'slow', broken: 'bad', fixed: 'good', stable: 'quiet' });

const COLUMNS = [
  { key: 'name', title: 'Scenario', value: (one) => one.name, cell: (one) => [h('span', {}, one.name), h('small', {}, one.test_nodeid)] },
  { key: 'condition', title: 'Condition', value: (one) => one.condition, cell: (one) => badge(KINDS[one.condition] ?? 'quiet', one.condition) },
  { key: 'rate', title: 'Failed', number: true, value: (one) => one.rate, cell: (one) => percent(one.rate, 0) },
  { key: 'transitions', title: 'Changes', number: true, value: (one) => one.transitions, cell: (one) => count(one.transitions) },
  { key: 'evidence', title: 'Passed and failed at', cell: evidence },
];

function evidence(one) {
  const commits = one.evidence.map((each) => each.commit).filter(Boolean);
  return commits.length === 0 ? '–' : [commits.slice(0, 3).map((sha, index) => [index > 0 ? ' ' : null, h('code', {}, commit(sha))]), commits.length > 3 ? ` and ${commits.length - 3} more` : null];
}

export async function view({ filters, query }) {
  const page = await ask('/flaky', { ...filters, condition: query.get('condition'), offset: query.get('offset') });
  return [
    title('Flaky scenarios'),
    h('p', { class: 'quiet' }, 'Flaky means passed and failed at one commit, in the last 100 runs that the filters let through. Runs in which nearly all failed count for none.'),
    h('div', { class: 'controls' }, choice('Condition', 'condition', [['', 'Flaky'], ['broken', 'Broken'], ['fixed', 'Fixed']], query)),
    page.items.length > 0 ? table('Scenarios, the worst first', [...COLUMNS, said('flaky', filters.tenant)], page.items, query) : nothing('None.', page.reason),
    pager(page),
  ];
}
