// What changed, the newest first, with the commits that it came between.

import { ask, topicPath } from '../api.js';
import { link } from '../address.js';
import { h } from '../dom.js';
import { ago, change, commit, ms, words } from '../format.js';
import { badge, choice, nothing, pager, title } from '../parts.js';
import { saying } from '../saying.js';

export const name = 'Anomalies';

const METHODS = words({ change_point: 'the level changed', rolling_baseline: 'one run, not confirmed', budget: 'budget missed', outcome: 'not answered', silence: 'not seen any more' });
const METRICS = words({ mean_ms: ['mean', ms], p90_ms: ['p90', ms], p95_ms: ['p95', ms], run_factor: ['all topics', factor], failure_pct: ['failed', pct] });
/** What is no way from one value to another. */
const SAID = words({
  budget_violation_pct: (one) => [pct(one.current_value), ` of messages that have a budget missed it (limit ${pct(one.baseline_value)})`],
  absent_runs: (one) => [`${one.current_value} runs`, ' without a message'],
});
const SHOWN = words({ open: false, resolved: true });
const EVERY_TOPIC = '*';

function factor(value) {
  return `× ${value.toFixed(2)}`;
}

function pct(value) {
  return `${value.toFixed(0)} %`;
}

export async function view({ filters, query }) {
  const state = query.get('state') ?? 'open';
  const page = await ask('/anomalies', { ...filters, severity: query.get('severity'), resolved: SHOWN[state], offset: query.get('offset') });
  return [
    title('Anomalies'),
    h('div', { class: 'controls' },
      choice('Shown', 'state', [['open', 'Open'], ['resolved', 'Resolved'], ['all', 'All']], query, 'open'),
      choice('Severity', 'severity', [['', 'Any'], ['critical', 'Critical'], ['warning', 'Warning']], query)),
    page.items.length > 0 ? anomalyList(page.items, filters.tenant) : nothing(state === 'open' ? 'Nothing is open.' : 'There is none.', 'A change of a level is raised when four runs show it.'),
    pager(page),
  ];
}

/** Cards; with a tenant, each can be spoken of. */
export const anomalyList = (items, tenant = null) => h('ul', { class: 'anomalies' }, items.map((one) => card(one, tenant)));

function card(one, tenant) {
  const better = one.change_pct < 0;
  const kind = one.resolved ? 'quiet' : better ? 'good' : one.severity === 'critical' ? 'bad' : 'slow';
  const [figure, said] = (SAID[one.metric] ?? moved)(one);
  const place = one.topic === EVERY_TOPIC ? 'All topics' : link(`/topics/${topicPath(one.topic)}`, {}, {}, one.topic);
  return h('li', { class: `anomaly ${kind}` },
    h('div', { class: 'what' }, h('strong', {}, place), badge(kind, one.resolved ? 'resolved' : better ? 'better' : one.severity), one.state === 'open' || one.resolved ? null : badge('quiet', one.state), h('span', { class: 'quiet' }, METHODS[one.detection_method] ?? one.detection_method)),
    h('div', { class: 'how' }, h('strong', {}, figure), said),
    h('div', { class: 'whence' }, commits(one), one.branch ? h('span', {}, `on ${one.branch}`) : null, link(`/runs/${one.changed_at_run_id ?? one.run_id}`, {}, {}, one.changed_at_run_id ? 'first run with it' : 'the run'), one.changed_at ? h('span', { class: 'quiet', title: one.changed_at }, `began ${ago(one.changed_at)}`) : null, h('span', { class: 'quiet', title: one.detected_at }, `found ${ago(one.detected_at)}`),
      one.resolved_at ? h('span', { class: 'quiet' }, `over ${ago(one.resolved_at)}`) : null, one.owner ? h('span', {}, `owner ${one.owner}`) : null, one.reason ? h('span', {}, one.reason) : null, tenant ? saying('anomalies', one, tenant) : null));
}

function moved(one) {
  const [metric, shown] = METRICS[one.metric] ?? [one.metric, (value) => value.toFixed(1)];
  return [change(one.change_pct), ` ${metric} ${shown(one.baseline_value)} → ${shown(one.current_value)}`];
}

function commits(one) {
  if (!one.commit_to) return h('span', { class: 'quiet' }, 'commit not known');
  return h('span', {}, 'commit ', one.commit_from && one.commit_from !== one.commit_to ? [h('code', { title: one.commit_from }, commit(one.commit_from)), '..'] : null, h('code', { title: one.commit_to }, commit(one.commit_to)));
}
