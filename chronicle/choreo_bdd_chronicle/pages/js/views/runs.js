// All runs, the latest first.

import { ask } from '../api.js';
import { link } from '../address.js';
import { h } from '../dom.js';
import { commit, count, duration, moment, ms, percent } from '../format.js';
import { nothing, pager, table, title } from '../parts.js';

export const name = 'Runs';

const COLUMNS = [
  { key: 'started', title: 'Began', value: (run) => Date.parse(run.started_at), cell: (run) => link(`/runs/${run.id}`, {}, {}, moment(run.started_at)) },
  { key: 'rate', title: 'Passed', number: true, value: (run) => run.pass_rate, cell: passed },
  { key: 'failed', title: 'Failed', number: true, value: broken, cell: failing },
  { key: 'slow', title: 'Passed slowly', number: true, value: (run) => run.total_slow, cell: (run) => marked(run.total_slow, 'slow') },
  { key: 'anomalies', title: 'Anomalies', number: true, value: (run) => run.anomaly_count, cell: (run) => marked(run.anomaly_count, 'bad') },
  { key: 'p95', title: 'p95', number: true, value: (run) => run.p95_ms, cell: (run) => ms(run.p95_ms) },
  { key: 'duration', title: 'Duration', number: true, value: (run) => run.duration_ms, cell: (run) => duration(run.duration_ms) },
  { key: 'branch', title: 'Branch', value: (run) => run.branch, cell: (run) => run.branch ?? '–' },
  { key: 'commit', title: 'Commit', value: (run) => run.git_sha, cell: (run) => h('code', {}, commit(run.git_sha)) },
  { key: 'environment', title: 'Environment', value: (run) => run.environment, cell: (run) => run.environment ?? '–' },
];

function broken(run) {
  return run.total_failed + run.total_errored;
}

function passed(run) {
  return `${count(run.total_passed)}/${count(run.total_tests)} · ${percent(run.pass_rate, 0)}`;
}

/** How many tests failed, and the way to them. */
export function failing(run) {
  return broken(run) > 0 ? link(`/runs/${run.id}`, { outcome: 'broken' }, {}, marked(broken(run), 'bad')) : marked(0);
}

export const runTable = (caption, runs, query) => table(caption, COLUMNS, runs, query);

const marked = (number, kind) => (number > 0 ? h('strong', { class: kind }, count(number)) : h('span', { class: 'quiet' }, '0'));

export async function view({ filters, query }) {
  const page = await ask('/runs', { ...filters, offset: query.get('offset') });
  return [
    title('Runs', page.items.length > 1 ? link('/compare', { before: page.items[1].id, after: page.items[0].id }, { class: 'action' }, 'Compare the last two') : null),
    page.items.length > 0
      ? runTable('Runs, the latest first', page.items, query)
      : nothing('No run matches.', 'Clear a filter above, or push a report: choreo-bdd chronicle push results.json'),
    pager(page),
  ];
}
