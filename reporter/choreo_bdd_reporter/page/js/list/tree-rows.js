// The rows of the tree: groups, rules and entries, by feature or by transport, in the order of the filter.

import { transportsOf } from './query.js';

/**
 * @param {Page.Model} model
 * @param {Page.Entry[]} visible
 * @param {Set<string>} closed
 * @param {Pick<Page.View, "group" | "sort">} view
 * @returns {Page.TreeRow[]}
 */
export function treeRows(model, visible, closed, { group, sort }) {
  if (group === 'by-transport') return grouped(transportGroups(visible), closed, () => null);
  if (sort && sort !== 'written') return visible.map((entry) => ({ id: entry.id, level: 1, entry }));
  return grouped(featureGroups(visible), closed, (entry) => entry.rule);
}

/** @param {Page.Entry} entry */
export function ruleId(entry) {
  return `${entry.group.id}\nrule:${entry.rule}`;
}

/**
 * @param {Page.Entry[]} visible
 * @returns {Page.TreeGroup[]}
 */
function featureGroups(visible) {
  /** @type {Map<Page.OpenGroup, Page.Entry[]>} */
  const byGroup = new Map(visible.map((entry) => [entry.group, []]));
  for (const entry of visible) byGroup.get(entry.group)?.push(entry);
  return [...byGroup].map(([group, entries]) => ({ id: group.id, name: group.name, entries }));
}

// An entry that uses several transports stands under each of them.
/**
 * @param {Page.Entry[]} visible
 * @returns {Page.TreeGroup[]}
 */
function transportGroups(visible) {
  /** @type {Map<string, Page.TreeGroup>} */
  const groups = new Map();
  for (const entry of visible) {
    const names = transportsOf(entry);
    for (const name of names.length > 0 ? names : ['']) {
      const group = groups.get(name) ?? { id: `transport:${name}`, name: name || '(no transport)', transport: name || null, entries: [] };
      groups.set(name, group);
      group.entries.push(entry);
    }
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

/**
 * @param {Page.TreeGroup[]} groups
 * @param {Set<string>} closed
 * @param {(entry: Page.Entry) => string | null} ruleOf
 * @returns {Page.TreeRow[]}
 */
function grouped(groups, closed, ruleOf) {
  return groups.filter((group) => group.entries.length > 0).flatMap((group) => {
    /** @type {Page.TreeHead} */
    const head = { id: group.id, level: 1, label: group.name, transport: group.transport ?? null, entries: group.entries, open: !closed.has(group.id) };
    return head.open ? [head, ...ruleRows(group.entries, closed, ruleOf)] : [head];
  });
}

/**
 * @param {Page.Entry[]} entries
 * @param {Set<string>} closed
 * @param {(entry: Page.Entry) => string | null} ruleOf
 */
function ruleRows(entries, closed, ruleOf) {
  /** @type {Page.TreeRow[]} */
  const rows = [];
  let last = null;
  for (const entry of entries) {
    const rule = ruleOf(entry);
    if (rule && rule !== last) {
      rows.push({ id: ruleId(entry), level: 2, label: rule, keyword: 'Rule', entries: entries.filter((other) => other.rule === rule), open: !closed.has(ruleId(entry)) });
    }
    last = rule;
    if (!rule || !closed.has(ruleId(entry))) rows.push({ id: entry.id, level: rule ? 3 : 2, entry });
  }
  return rows;
}
