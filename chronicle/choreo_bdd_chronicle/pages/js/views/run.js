// One run: its scenarios, and the way to the report itself.

import { ask, askOr } from '../api.js';
import { link } from '../address.js';
import { h } from '../dom.js';
import { commit, count, duration, moment, percent, words } from '../format.js';
import { badge, choice, entry, figures, nothing, table, title } from '../parts.js';

export const name = 'Run';

const BAD = words({ passed: 'good', pass: 'good', slow: 'slow', skipped: 'quiet' });
/** What a scenario came to, and how it is coloured: as its test has it, which may fail what was only slow. */
const verdict = (one) => (one.failed ? ['bad', one.outcome === 'pass' ? 'test failed' : one.outcome] : [BAD[one.outcome] ?? 'bad', one.outcome]);
const OUTCOMES = [['', 'All'], ['broken', 'Failed'], ['slow', 'Slow'], ['pass', 'Passed']];

const COLUMNS = [
  { key: 'name', title: 'Scenario', value: (one) => one.name, cell: (one) => [h('span', {}, one.name), h('small', {}, one.test_nodeid)] },
  { key: 'outcome', title: 'Outcome', value: (one) => one.outcome, cell: (one) => badge(...verdict(one)) },
  { key: 'handles', title: 'Expectations', number: true, value: (one) => one.handle_count, cell: (one) => count(one.handle_count) },
  { key: 'duration', title: 'Duration', number: true, value: (one) => one.duration_ms, cell: (one) => duration(one.duration_ms) },
];

export async function view({ rest: [id], query, api, filters }) {
  const run = await ask(`/runs/${encodeURIComponent(id)}`);
  const [before] = (await askOr({ items: [] }, '/runs', { tenant: run.tenant_slug, environment: filters.environment, branch: run.branch, to: run.started_at, limit: 2 })).items.filter((one) => one.id !== run.id);
  const shown = run.scenarios.filter((one) => matches(one, query));
  return [
    title(headline(run),
      h('a', { class: 'action primary', href: `${api}/runs/${encodeURIComponent(id)}/report`, 'data-leaves': true }, 'Open the report'),
      h('a', { class: 'action', href: `${api}/runs/${encodeURIComponent(id)}/raw`, download: `results-${id}.json`, 'data-leaves': true }, 'results.json'),
      before ? link('/compare', { before: before.id, after: run.id }, { class: 'action' }, 'Compare with the run before') : null),
    figures(['Began', moment(run.started_at)], ['Duration', duration(run.duration_ms)], ['Passed', percent(run.pass_rate)], ['Topics', count(run.topic_count)],
      ['Branch', run.branch ?? '–'], ['Commit', commit(run.git_sha)], ['Environment', run.environment ?? '–'], ['Transports', (run.transports ?? [run.transport]).filter(Boolean).join(', ') || '–'],
      ['Project', run.project_name ?? '–']),
    h('div', { class: 'controls' }, choice('Outcome', 'outcome', OUTCOMES, query), entry('Find', 'find', query, 'a name')),
    shown.length > 0 ? table('Scenarios of the run', COLUMNS, shown, query) : nothing('No scenario to show.', run.scenarios.length > 0 ? 'The filters hide all of them.' : 'The report has none.'),
  ];
}

function headline(run) {
  const broken = run.total_failed + run.total_errored;
  return broken > 0 ? `${count(broken)} of ${count(run.total_tests)} tests failed` : `All ${count(run.total_passed + run.total_slow)} tests passed`;
}

function matches(one, query) {
  const outcome = query.get('outcome') ?? '';
  const find = (query.get('find') ?? '').toLowerCase();
  const is = { '': true, broken: one.failed, slow: one.outcome === 'slow', pass: one.outcome === 'pass' && !one.failed };
  return (is[outcome] ?? true) && `${one.name} ${one.test_nodeid}`.toLowerCase().includes(find);
}
