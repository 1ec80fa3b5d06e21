// What went wrong in an entry, each finding with one plain sentence, the worst and most certain first.

import { duration, inlineJson, plural } from './format.js';
import { isBroken, verdictKind } from './verdicts.js';

const WORST_FIRST = ['error', 'fail', 'timeout', 'slow', 'none', 'pass', 'skip'];

// A finding: { status, sentence, key, handle?, note?, step?, part?, partIndex?, handleIndex? }.
export function findingsOf(entry) {
  entry.findings ??= collectFindings(entry);
  return entry.findings;
}

function collectFindings(entry) {
  const found = entry.parts.flatMap((part, partIndex) =>
    part.handles.flatMap((handle, handleIndex) =>
      handle.outcome === 'pass' ? [] : [handleFinding(part, partIndex, handle, handleIndex)]));
  found.push(...entry.parts.flatMap(replyFindings));
  if (!found.some((finding) => isBroken(finding.status)) && isBroken(entry.outcome)) found.unshift(testFinding(entry));
  return found.sort((a, b) => rank(a) - rank(b));
}

function rank(finding) {
  return WORST_FIRST.indexOf(verdictKind(finding.status));
}

function handleFinding(part, partIndex, handle, handleIndex) {
  const note = part.notes.handles[handleIndex];
  const cause = note.cause || handle.diagnosis?.kind || handle.outcome;
  return {
    status: handle.outcome,
    sentence: note.sentence || describeHandle(handle),
    key: [cause, handle.topic, handle.transport, handle.failure?.path].join('\n'),
    handle, note, part, partIndex, handleIndex,
  };
}

function describeHandle(handle) {
  const where = handle.transport ? `${handle.topic} (${handle.transport})` : handle.topic;
  if (handle.outcome === 'slow') return describeSlow(where, handle);
  if (handle.outcome === 'timeout') return `Nothing arrived on ${where} within ${duration(handle.latency_ms)}.`;
  if (handle.failure) return `${plural(handle.attempts, 'message')} arrived on ${where}, none matched: ${describeFailure(handle.failure)}.`;
  return handle.reason || `The expectation on ${where} was not met.`;
}

function describeSlow(where, { latency_ms: latency, budget_ms: budget }) {
  if (budget === null) return `The message on ${where} took ${duration(latency)}.`;
  return `The message on ${where} took ${duration(latency)}, ${duration(latency - budget)} over its budget of ${duration(budget)}.`;
}

function describeFailure(failure) {
  const [first] = failure.children ?? [];
  if (failure.kind === 'composed' && first) return describeFailure(first);
  if (failure.kind === 'missing') return `${failure.path} is missing`;
  return `${failure.path} was ${short(failure.actual)}, expected ${expectedText(failure)}`;
}

function short(value) {
  const text = inlineJson(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

// Operator objects such as {"gt": 5} read as conditions, everything else as a literal.
export function expectedText({ kind, expected }) {
  const literal = kind === 'mismatch' || expected === null || typeof expected !== 'object';
  const [name, ...more] = literal ? [] : Object.keys(expected);
  const operator = more.length === 0 ? OPERATORS.get(name) : undefined;
  return operator ? operator(expected[name]) : short(expected);
}

const OPERATORS = new Map(Object.entries({
  in: (value) => `one of ${short(value)}`,
  gt: (value) => `more than ${short(value)}`,
  lt: (value) => `less than ${short(value)}`,
  gte: (value) => `at least ${short(value)}`,
  lte: (value) => `at most ${short(value)}`,
  ne: (value) => `anything but ${short(value)}`,
  regex: (value) => `text like ${short(value)}`,
  exists: (value) => (value ? 'present' : 'absent'),
  type: (value) => `a ${value}`,
  min_length: (value) => `at least ${plural(value, 'item')}`,
  not: (value) => `not ${short(value)}`,
  all_of: (value) => `all of ${short(value)}`,
  any_of: (value) => `any of ${short(value)}`,
  every: (value) => `every item ${short(value)}`,
  any_element: (value) => `some item ${short(value)}`,
  payload_contains_hex: (value) => `bytes ${value}`,
}));

function replyFindings(part) {
  return part.replies.filter((reply) => reply.state === 'reply_failed').map((reply) => {
    const sentence = `The reply to ${reply.trigger_topic} failed with ${reply.builder_error ?? 'an error'}; nothing was published on ${reply.reply_topic}.`;
    return { status: 'errored', sentence, key: `reply\n${reply.trigger_topic}\n${reply.reply_topic}`, part };
  });
}

// No expectation explains the verdict: the step's own message does, or the last line of the traceback.
function testFinding(entry) {
  const step = entry.steps.find((candidate) => isBroken(candidate.status));
  const sentence = stepSentence(step) || lastLine(entry.test.traceback) || 'It failed without a message.';
  return { status: entry.outcome, sentence, key: sentence.replace(/\d+(\.\d+)?/g, '#'), step };
}

function stepSentence(step) {
  if (step?.status === 'undefined') return `No step matches "${step.keyword.trim()} ${step.text}".`;
  return step?.message?.trim().split('\n')[0];
}

function lastLine(text) {
  return text?.trim().split('\n').at(-1);
}

// Entries that broke for the same reason, most frequent first.
export function causeGroups(entries) {
  const groups = new Map();
  for (const entry of entries.filter((candidate) => isBroken(candidate.outcome))) {
    const [finding] = findingsOf(entry);
    const group = groups.get(finding.key) ?? { key: finding.key, status: finding.status, sentence: finding.sentence, entries: [] };
    group.entries.push(entry);
    groups.set(finding.key, group);
  }
  return [...groups.values()].sort((a, b) => b.entries.length - a.entries.length);
}
