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
  const yesterday = Date.now() - DAY;
  const [runs, anomalies, earlier] = await Promise.all([
    ask('/runs', { ...filters, limit: RUNS }),
    ask('/anomalies', { ...filters, resolved: false, limit: 100 }),
    ask('/runs', { ...filters, to: new Date(yesterday).toISOString(), limit: 1 }),
  ]);
  const [latest, ...before] = runs.items;
  const worse = anomalies.items.filter((one) => one.change_pct >= 0 && one.state !== 'muted');
  const fresh = worse.filter((one) => Date.parse(one.detected_at) > yesterday);
  const older = worse.filter((one) => !fresh.includes(one));
  return [
    title(headline(fresh, runs, earlier.total > 0 ? yesterday : null)),
    fresh.length > 0 ? anomalyList(fresh) : null,
    latest ? latestRun(latest) : nothing('There are no runs here yet.', 'Widen the filters above, or push a report.'),
    older.length > 0 ? [h('h2', {}, 'Still open from before'), anomalyList(older)] : null,
    before.length > 0 ? [h('h2', {}, 'The runs before it'), runTable('The runs before the latest', before, query)] : null,
  ];
}

/** What is new; without a `yesterday`, since the first run there is. */
function headline(fresh, { total, items: [latest] }, yesterday) {
  if (!latest) return 'No runs';
  const since = yesterday ? 'since yesterday' : 'since the first run';
  const isOld = (one) => yesterday && one.changed_at && Date.parse(one.changed_at) < yesterday;
  const things = fresh.length === 1 ? 'One thing' : `${count(fresh.length)} things`;
  if (fresh.some(isOld)) return `${things} that got worse ${fresh.length === 1 ? 'was' : 'were'} found ${since}`;
  if (fresh.length > 0) return `${things} got worse ${since}`;
  if (total > 1) return `Nothing got worse ${since}`;
  return broken(latest) > 0 ? `${count(broken(latest))} of ${count(latest.total_tests)} failed in the first run` : 'Nothing failed in the first run';
}

const broken = (run) => run.total_failed + run.total_errored;

function latestRun(run) {
  return h('section', { class: 'card', 'aria-labelledby': 'latest' },
    h('h2', { id: 'latest' }, 'Latest run, ', link(`/runs/${run.id}`, {}, {}, ago(run.started_at))),
    figures(
      ['Passed', `${count(run.total_passed)} of ${count(run.total_tests)} (${percent(run.pass_rate)})`, broken(run) > 0 ? 'bad' : 'good'],
      ['Failed', failing(run), broken(run) > 0 ? 'bad' : null], ['Passed slowly', count(run.total_slow), run.total_slow > 0 ? 'slow' : null],
      ['Duration', duration(run.duration_ms)], ['Branch', run.branch ?? '–'], ['Commit', commit(run.git_sha)], ['Began', moment(run.started_at)],
    ));
}
