// Which entries a view shows.

import { findingsOf } from './findings.js';

export function filterEntries(entries, view) {
  const wanted = new Set(view.status);
  const words = view.q.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter((entry) =>
    (wanted.size === 0 || wanted.has(entry.outcome))
    && (!view.cause || findingsOf(entry)[0]?.key === view.cause)
    && words.every((word) => searchText(entry).includes(word)));
}

// Built at the first search and kept: names, tags, steps, topics and payloads in one lower-case text.
function searchText(entry) {
  entry.searchText ??= searchParts(entry).join('\n').toLowerCase();
  return entry.searchText;
}

function searchParts(entry) {
  return [
    entry.name, entry.id, entry.group.name, entry.rule ?? '', ...entry.tags, ...entry.test.markers,
    ...entry.steps.flatMap((step) => [`${step.keyword.trim()} ${step.text}`, step.docstring ?? '', (step.table ?? []).flat().join(' '), step.message ?? '']),
    ...entry.parts.flatMap(partTexts),
    ...findingsOf(entry).map((finding) => finding.sentence),
  ];
}

function partTexts(part) {
  return [
    part.name, part.correlation_id ?? '',
    ...part.handles.flatMap((handle) => [handle.topic, handle.matcher_description, handle.reason, JSON.stringify(handle.actual), JSON.stringify(handle.expected)]),
    ...part.replies.flatMap((reply) => [reply.trigger_topic, reply.reply_topic]),
    ...part.timeline.map((event) => `${event.topic ?? ''} ${event.detail}`),
    ...part.notes.messages.map((message) => (message ? JSON.stringify(message) : '')),
  ];
}
