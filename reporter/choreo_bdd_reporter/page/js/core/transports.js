// Transports look the same everywhere: one colour and one letter each, never colour alone.

import { el } from './dom.js';

const COLOURS = 6;

/** @param {Page.Model} model */
export function transportStyles(model) {
  const sorted = [...new Set([...(model.run.transports ?? []), ...model.transports])].sort();
  return new Map(sorted.map((name, index) => [name, { colour: index % COLOURS, letter: letterOf(name, sorted) }]));
}

// The first letter, or the first two where the first is shared.
/**
 * @param {string} name
 * @param {string[]} all
 */
function letterOf(name, all) {
  const clash = all.some((other) => other !== name && other[0].toLowerCase() === name[0].toLowerCase());
  return name[0].toUpperCase() + (clash ? name.slice(1, 2) : '');
}

/**
 * @param {Page.Context} context
 * @param {string | null} name
 */
export function transportClass(context, name) {
  return `hr-t${context.transports.get(name ?? '')?.colour ?? 0}`;
}

/**
 * @param {Page.Context} context
 * @param {string | null | undefined} name
 * @param {Record<string, any>} [options]
 */
export function transportBadge(context, name, { extraClass = '', full = true, ...attributes } = {}) {
  if (!name) return null;
  const letter = context.transports.get(name)?.letter ?? '?';
  return el('span', {
    class: `hr-transport ${full ? '' : 'hr-transport--letter'} ${transportClass(context, name)} ${extraClass}`,
    role: 'img', 'aria-label': `transport: ${name}`, title: name, ...attributes,
  },
    el('b', {}, letter), full && name);
}
