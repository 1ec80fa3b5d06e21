// Two runs side by side, or a run beside a branch: what became of each scenario.

import { ask, topicPath } from '../api.js';
import { link, set } from '../address.js';
import { h } from '../dom.js';
import { change, commit, count, duration, moment, ms, words } from '../format.js';
import { badge, choice, entry, figures, nothing, parted, table, title } from '../parts.js';
import { againstBranch } from './branch.js';

export const name = 'Compare';

const WORDS = words({ failing: ['bad', 'new failure'], fixed: ['good', 'fixed'], still: ['slow', 'still failing'], added: ['quiet', 'new'], gone: ['quiet', 'gone'], same: ['quiet', 'unchanged'] });
const ORDER = Object.keys(WORDS);

const COLUMNS = [
  { key: 'name', title: 'Scenario', value: (row) => row.name, cell: (row) => [h('span', {}, row.name), h('small', {}, row.nodeid)] },
  { key: 'what', title: 'What became of it', value: (row) => ORDER.indexOf(row.what), cell: (row) => badge(...WORDS[row.what]) },
  { key: 'before', title: 'Before', value: (row) => row.before?.duration_ms, number: true, cell: (row) => (row.before ? duration(row.before.duration_ms) : '–') },
  { key: 'after', title: 'After', value: (row) => row.after?.duration_ms, number: true, cell: (row) => (row.after ? duration(row.after.duration_ms) : '–') },
];

const HOPS = [
  { key: 'topic', title: 'Topic', value: (hop) => hop.topic, cell: (hop) => [ofTopic(hop.topic), hop.transport ? h('small', {}, hop.transport) : null] },
  { key: 'old', title: 'Before', number: true, value: (hop) => hop.old_ms, cell: (hop) => ms(hop.old_ms) },
  { key: 'new', title: 'After', number: true, value: (hop) => hop.new_ms, cell: (hop) => ms(hop.new_ms) },
  { key: 'change', title: 'Change', number: true, value: (hop) => hop.change_pct, cell: (hop) => badge(hop.change_pct > 0 ? 'bad' : 'good', change(hop.change_pct)) },
];

/** Topics that differ only in an id are told as one here, which has no page. */
const ofTopic = (name) => (name.includes('{id}') ? h('span', {}, parted(name)) : link(`/topics/${topicPath(name)}`, {}, {}, parted(name)));

export async function view({ filters, query }) {
  const runs = await ask('/runs', { ...filters, limit: 200 });
  const ids = chosen(runs.items, query);
  if (!ids.every(Boolean)) return [title('Compare'), nothing('There are not two runs to compare.', 'Push another report, or widen the filters above.')];
  const base = query.get('base');
  if (base) return branchView(filters, query, ids[1], runs.items, base);
  const [before, after, found] = await Promise.all([...ids.map((id) => ask(`/runs/${encodeURIComponent(id)}`)), ask('/compare', { tenant: filters.tenant, base_run: ids[0], run: ids[1] })]);
  const rows = compared(before.scenarios, after.scenarios);
  const what = query.get('what') ?? 'changed';
  const shown = rows.filter((row) => what === 'all' || (what === 'changed' ? row.what !== 'same' : row.what === what));
  return [
    title('Compare two runs', h('button', { type: 'button', class: 'action', click: () => set({ before: after.id, after: before.id }) }, 'Swap')),
    h('div', { class: 'controls' }, picker('Before', 'before', before, runs.items), picker('After', 'after', after, runs.items), entry('or a branch', 'base', query, 'main'),
      choice('Shown', 'what', [['changed', 'What changed'], ['failing', 'New failures'], ['fixed', 'Fixed'], ['all', 'All']], query, 'changed')),
    figures(['New failures', count(rows.filter((row) => row.what === 'failing').length), rows.some((row) => row.what === 'failing') ? 'bad' : null],
      ['Fixed', count(rows.filter((row) => row.what === 'fixed').length)], ['Still failing', count(rows.filter((row) => row.what === 'still').length)],
      ...['p50_ms', 'p95_ms'].map((key) => [key.replace('_ms', ''), `${ms(before[key])} → ${ms(after[key])}${before[key] && after[key] ? ` (${change((after[key] / before[key] - 1) * 100)})` : ''}`]),
      ['Commits', [link(`/runs/${before.id}`, {}, {}, commit(before.git_sha)), ' → ', link(`/runs/${after.id}`, {}, {}, commit(after.git_sha))]]),
    shown.length > 0 ? table('Scenarios of both runs', COLUMNS, shown, query) : nothing(what === 'changed' ? 'Every scenario fared as before.' : 'No scenario is of that kind.'),
    h('h2', {}, 'Topics that became slower or faster'),
    found.hops.length > 0 ? table('Medians of both runs', HOPS, found.hops, query) : nothing('None by more than 20 % and more than chance.'),
  ];
}

/** The runs that are asked for, or else the latest one and the one before it on its branch. */
function chosen(runs, query) {
  const after = runs.find((run) => run.id === query.get('after')) ?? runs[0];
  const others = runs.filter((run) => run !== after);
  const alike = (run) => run.branch === after.branch && run.environment === after.environment;
  const before = runs.slice(runs.indexOf(after) + 1).find(alike) ?? others[0];
  return [query.get('before') ?? before?.id, query.get('after') ?? after?.id];
}

async function branchView({ tenant }, query, id, runs, base) {
  const run = await ask(`/runs/${encodeURIComponent(id)}`);
  return [
    title('Compare with a branch', h('button', { type: 'button', class: 'action', click: () => set({ base: null }) }, 'Compare two runs')),
    h('div', { class: 'controls' }, entry('Branch', 'base', query), picker('Run', 'after', run, runs)),
    ...(await againstBranch(tenant, id, base, query)),
  ];
}

function picker(label, key, chosen, runs) {
  const all = runs.some((run) => run.id === chosen.id) ? runs : [chosen, ...runs];
  const options = all.map((run) => [run.id, `${moment(run.started_at)} · ${run.branch ?? 'no branch'} · ${commit(run.git_sha)}`]);
  return choice(label, key, options, new URLSearchParams({ [key]: chosen.id }));
}

/** Every scenario of both runs by its test and name; equal ones are told apart by their order. */
export function compared(before, after) {
  const old = keyed(before);
  const now = keyed(after);
  const rows = [...new Set([...now.keys(), ...old.keys()])].map((key) => {
    const [was, is] = [old.get(key), now.get(key)];
    return { name: (is ?? was).name, nodeid: (is ?? was).test_nodeid, before: was, after: is, what: became(was, is) };
  });
  return rows.sort((a, b) => ORDER.indexOf(a.what) - ORDER.indexOf(b.what));
}

function keyed(scenarios) {
  const seen = new Map();
  const found = new Map();
  for (const one of scenarios) {
    const key = JSON.stringify([one.test_nodeid, one.name]);
    const times = seen.get(key) ?? 0;
    seen.set(key, times + 1);
    found.set(`${key}#${times}`, one);
  }
  return found;
}

function became(was, is) {
  if (!was) return is.failed ? 'failing' : 'added';
  if (!is) return 'gone';
  if (is.failed) return was.failed ? 'still' : 'failing';
  return was.failed ? 'fixed' : 'same';
}
