// The first view: what got worse since yesterday, and which commit did it.

import { ask } from '../api.js';
import { link } from '../address.js';
import { h } from '../dom.js';
import { ago, commit, count, duration, moment, percent } from '../format.js';
import { figures, nothing, title } from '../parts.js';
import { anomalyList } from './anomalies.js';
import { failing, runTable } from './runs.js';

const DAY = 86_400_000;
const RUNS = 11;

export const name = 'Today';

export async function view({ filters, query }) {
  const [runs, anomalies] = await Promise.all([
    ask('/runs', { ...filters, limit: RUNS }),
    ask('/anomalies', { ...filters, resolved: false, limit: 100 }),
  ]);
  const [latest, ...before] = runs.items;
  const worse = anomalies.items.filter((one) => one.change_pct >= 0 && one.state !== 'muted');
  const fresh = worse.filter((one) => Date.now() - Date.parse(one.detected_at) < DAY);
  const older = worse.filter((one) => !fresh.includes(one));
  return [
    title(headline(fresh.length, latest, before.length)),
    fresh.length > 0 ? anomalyList(fresh) : null,
    latest ? latestRun(latest) : nothing('There are no runs here yet.', 'Widen the filters above, or push a report.'),
    older.length > 0 ? [h('h2', {}, 'Still open from before'), anomalyList(older)] : null,
    before.length > 0 ? [h('h2', {}, 'The runs before it'), runTable('The runs before the latest', before, query)] : null,
  ];
}

function headline(fresh, latest, before) {
  if (fresh > 0) return `${fresh === 1 ? 'One thing' : `${count(fresh)} things`} got worse since yesterday`;
  if (latest && before === 0 && broken(latest) > 0) return `${count(broken(latest))} of ${count(latest.total_tests)} failed in the first run`;
  return 'Nothing got worse since yesterday';
}

const broken = (run) => run.total_failed + run.total_errored;

function latestRun(run) {
  return h('section', { class: 'card', 'aria-labelledby': 'latest' },
    h('h2', { id: 'latest' }, 'Latest run, ', link(`/runs/${run.id}`, {}, {}, ago(run.started_at))),
    figures(
      ['Passed', `${count(run.total_passed)} of ${count(run.total_tests)} (${percent(run.pass_rate)})`, broken(run) > 0 ? 'bad' : 'good'],
      ['Failed', failing(run), broken(run) > 0 ? 'bad' : null], ['Slow', count(run.total_slow), run.total_slow > 0 ? 'slow' : null],
      ['Duration', duration(run.duration_ms)], ['Branch', run.branch ?? '–'], ['Commit', commit(run.git_sha)], ['Began', moment(run.started_at)],
    ));
}
