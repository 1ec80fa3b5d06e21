// Causes: what the index says went wrong, put into words and groups.

import { causeKey } from './search.js';

// a name that nobody chose, and nobody knows again
const INBOX = /^(queue:)?(_INBOX\.|choreo\.reply\.|amq\.gen-|amq\.rabbitmq\.reply-to\.)/;

/** @param {Page.Finding} finding */
export function causeLabel({ cause, topic }) {
  if (!topic) return cause;
  return `${cause} ${cause.endsWith('?') ? '' : 'on '}${INBOX.test(topic) ? 'the inbox of the request' : topic}`;
}

// Entries that broke for the same reason on the same topic, most frequent first.
/** @param {Page.Entry[]} entries */
export function causeGroups(entries) {
  /** @type {Map<string, Page.CauseGroup>} */
  const groups = new Map();
  for (const entry of entries) {
    if (!entry.failing) continue;
    const [finding] = entry.findings;
    const key = causeKey(finding);
    const group = groups.get(key) ?? { key, finding, status: finding.status, entries: [] };
    groups.set(key, group);
    group.entries.push(entry);
  }
  return [...groups.values()].sort((a, b) => b.entries.length - a.entries.length);
}
