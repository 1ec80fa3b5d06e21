// The run as the page needs it: one entry a scenario, grouped as Gherkin has them or, without Gherkin, by file.

import { isBroken } from './verdicts.js';

export function buildModel(results, gherkin) {
  const tests = new Map(results.tests.map((test) => [test.nodeid, test]));
  const details = gherkin.details ?? {};
  const groups = (gherkin.features ?? []).map((feature) => featureGroup(feature, tests, details));
  const described = new Set(groups.flatMap((group) => group.entries.map((entry) => entry.id)));
  const plain = results.tests.filter((test) => !described.has(test.nodeid));
  groups.push(...fileGroups(plain, details));
  const filled = groups.filter((group) => group.entries.length > 0);
  const entries = filled.flatMap((group) => group.entries);
  entries.forEach((entry, order) => { entry.order = order; });
  return {
    run: results.run,
    exit: gherkin.exit ?? null,
    noun: plain.length > 0 ? 'test' : 'scenario',
    groups: filled,
    entries,
    byId: new Map(entries.map((entry) => [entry.id, entry])),
    counts: countOutcomes(entries),
  };
}

function featureGroup(feature, tests, details) {
  const scenarios = feature.scenarios ?? [];
  const group = {
    id: `feature:${feature.uri ?? feature.name}`,
    name: feature.name || feature.uri,
    keyword: feature.keyword || 'Feature',
    description: feature.description ?? '',
    where: feature.uri ?? '',
  };
  group.entries = scenarios.map((scenario) => {
    const test = tests.get(scenario.nodeid) ?? testFromSteps(scenario, feature);
    return entryOf(test, scenario, group, details);
  });
  return group;
}

function fileGroups(tests, details) {
  const groups = new Map();
  for (const test of tests) {
    const file = test.file || '(no file)';
    if (!groups.has(file)) groups.set(file, { id: `file:${file}`, name: file, keyword: 'File', description: '', where: '', entries: [] });
    const group = groups.get(file);
    group.entries.push(entryOf(test, null, group, details));
  }
  return [...groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function entryOf(test, scenario, group, details) {
  const notes = details[test.nodeid] ?? [];
  const parts = test.scenarios.map((part, index) => ({ ...part, notes: alignNotes(part, notes[index]) }));
  return {
    id: test.nodeid,
    test,
    scenario,
    group,
    name: scenario?.name || (test.class ? `${test.class} › ${test.name}` : test.name) || test.nodeid,
    rule: scenario?.rule || null,
    tags: scenario ? (scenario.tags ?? []) : (test.choreo_meta?.tags ?? []),
    steps: scenario?.steps ?? [],
    parts,
    outcome: entryOutcome(test),
    durationMs: test.duration_ms,
    unchecked: !isBroken(test.outcome) && test.outcome !== 'skipped' && parts.some((part) => isBroken(part.outcome)),
  };
}

function alignNotes(part, note) {
  return {
    handles: part.handles.map((_, index) => note?.handles?.[index] ?? {}),
    messages: part.timeline.map((_, index) => note?.timeline?.[index]?.message ?? null),
  };
}

// The results document folds a timeout into "failed"; testers want to tell silence from a wrong message.
function entryOutcome(test) {
  if (test.outcome !== 'failed') return test.outcome;
  const broken = test.scenarios.filter((part) => isBroken(part.outcome));
  return broken.length > 0 && broken.every((part) => part.outcome === 'timeout') ? 'timeout' : 'failed';
}

// A scenario the runner never started has steps but no test.
function testFromSteps(scenario, feature) {
  const statuses = (scenario.steps ?? []).map((step) => step.status);
  const outcome = statuses.find(isBroken) ? 'errored' : statuses.includes('skipped') ? 'skipped' : 'untested';
  return {
    nodeid: scenario.nodeid, file: feature.uri ?? '', name: scenario.name, class: null, markers: [], choreo_meta: null,
    outcome, duration_ms: 0, traceback: null, stdout: '', stderr: '', log: '', skip_reason: null, worker_id: null, scenarios: [],
  };
}

export function countOutcomes(entries) {
  const counts = { total: entries.length };
  for (const entry of entries) counts[entry.outcome] = (counts[entry.outcome] ?? 0) + 1;
  return counts;
}

export function brokenCount(counts) {
  return (counts.failed ?? 0) + (counts.timeout ?? 0) + (counts.errored ?? 0);
}
