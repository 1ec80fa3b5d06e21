// A scenario as plain text: for a terminal, a ticket or a chat.
// A ticket says besides where it came from and how it is seen again.

import { causeLabel } from '../list/findings.js';
import { expectedText, pathText } from '../message/diff.js';
import { duration } from '../core/format.js';
import { inlineJson } from '../core/values.js';
import { linkTo } from '../core/view-state.js';
import { shellQuoted } from '../message/snippets.js';
import { verdictWord } from '../core/verdicts.js';

/**
 * @param {Page.Entry} entry
 * @param {Page.Detail} detail
 */
export function runCommand(entry, { scenario }) {
  if (scenario && entry.nodeid.startsWith(`${entry.group.where}::`)) return `behave ${shellQuoted(`${entry.group.where}:${scenario.line}`)}`;
  return `pytest ${shellQuoted(entry.nodeid)}`;
}

// The scenario as it stands in its feature file.
/**
 * @param {Page.Entry} entry
 * @param {Page.Detail} detail
 */
export function gherkinText(entry, { scenario, steps }) {
  const tags = entry.tags.map((tag) => `@${String(tag).replace(/^@/, '')}`).join(' ');
  const lines = [tags, scenario && `${scenario.keyword}: ${scenario.name}`, ...steps.filter((step) => !step.background).flatMap((step) => [
    `  ${step.keyword.trim()} ${step.text}`, ...blockLines(step).map((line) => `    ${line}`),
  ])];
  return lines.filter(Boolean).join('\n');
}

/**
 * @param {Page.Entry} entry
 * @param {Page.Detail} detail
 * @param {Page.Context} context
 */
export function ticketText(entry, detail, { model, views }) {
  return [
    `${verdictWord(entry.outcome)}  ${entry.group.name}: ${entry.name}  (${duration(entry.durationMs)})`,
    entry.id,
    linkTo({ ...views.current, test: entry.id }),
    runCommand(entry, detail),
    ...surroundings(model, detail),
    ...entry.findings.map((finding) => `\n${causeLabel(finding)}: ${finding.sentence}`),
    ...section('Steps', detail.steps.map(stepLine)),
    ...detail.parts.flatMap((part) => section('Message timeline', part.timeline.map(eventLine))),
    ...detail.parts.flatMap((part) => section('Differing messages', part.handles.flatMap((handle, index) => (handle.failure ? [differing(handle, part.notes.handles[index])] : [])))),
  ].join('\n');
}

/**
 * @param {string} title
 * @param {string[]} lines
 */
function section(title, lines) {
  return lines.length > 0 ? ['', `${title}:`, ...lines.map((line) => `  ${line}`)] : [];
}

/** @param {Page.Step} step */
export function stepLine(step) {
  return `${verdictWord(step.status).padEnd(8)}${step.keyword.trim()} ${step.text}${block(step)}`;
}

/** @param {Page.Step} step */
function block(step) {
  return blockLines(step).map((line) => `\n          ${line}`).join('');
}

/** @param {Page.Step} step */
function blockLines({ docstring, table }) {
  if (docstring) return ['"""', ...docstring.split('\n'), '"""'];
  return (table ?? []).map((cells) => `| ${cells.map((cell) => String(cell).replaceAll('\\', '\\\\').replaceAll('|', '\\|')).join(' | ')} |`);
}

/** @param {Page.TimelineEntry} event */
export function eventLine(event) {
  return [duration(event.offset_ms).padStart(9), event.action, event.topic, event.transport && `[${event.transport}]`, event.detail].filter(Boolean).join('  ');
}

/**
 * @param {Page.Handle} handle
 * @param {Page.OpenNote} note
 */
function differing(handle, note) {
  const fields = (note.differences ?? []).map((failure) => `\n    ${pathText(failure.path)}: expected ${expectedText(failure)}, ${failure.kind === 'missing' ? 'it was not in the message' : `arrived ${inlineJson(failure.actual)}`}`);
  return `${handle.topic}${fields.join('')}\n    expected ${inlineJson(handle.expected)}\n    arrived  ${inlineJson(handle.actual)}`;
}

// The run that a scenario is of, a fact a line.
/**
 * @param {Page.Model} model
 * @param {Page.Detail} detail
 */
export function surroundings({ run, transports }, { parts, test }) {
  const stages = parts.map((part) => part.stage).filter(Boolean);
  return [
    ['transports', (stages[0]?.transports ?? transports).join(', ')], ['joined by', stages[0]?.bridge_class],
    ['correlation id', parts[0]?.correlation_id], ['choreo_bdd', run.harness_version], ['Python', run.python_version],
    ['commit', run.git_sha], ['branch', run.git_branch], ['environment', run.environment], ['started', run.started_at],
    ['parallel workers', run.xdist?.workers], ['worker', test.worker_id],
  ].filter(([, value]) => value).map(([name, value]) => `${name}: ${value}`);
}
