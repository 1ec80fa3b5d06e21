// How the rows of a timeline are laid out: as a tree of causes, or in one lane a transport.

import { el } from '../core/dom.js';
import { transportBadge, transportClass } from '../core/transports.js';
import { plural } from '../core/format.js';
import { isWait } from './timescale.js';

// Sections as sections.js takes them; `attributes` go to the section's node.
/**
 * @param {Page.TimelineRow[]} rows
 * @param {Set<string>} closed
 */
export function causeSections(rows, closed) {
  return [{ rows: rows.filter((row) => !hiddenBelow(row, closed)), attributes: {} }];
}

/**
 * @param {Page.TimelineRow} row
 * @param {Set<string>} closed
 */
function hiddenBelow(row, closed) {
  for (let above = row.parent; above; above = above.parent) if (closed.has(above.id)) return true;
  return false;
}

// Every registered transport has its lane, also an empty one; what belongs to no transport stands in the last.
/**
 * @param {Page.TimelineRow[]} rows
 * @param {Page.Part} part
 * @param {Set<string>} closed
 * @param {Page.Context} context
 */
export function laneSections(rows, part, closed, context) {
  const inOrder = [...rows].sort((a, b) => Number(isWait(a)) - Number(isWait(b)) || a.start - b.start || a.order - b.order);
  const names = part.stage?.transports ?? [];
  const lanes = names.map((name) => lane(name, inOrder.filter((row) => row.transport === name), closed, context));
  const rest = inOrder.filter((row) => !names.includes(row.transport ?? ''));
  return rest.length > 0 ? [...lanes, lane(null, rest, closed, context)] : lanes;
}

/**
 * @param {string | null} name
 * @param {Page.TimelineRow[]} rows
 * @param {Set<string>} closed
 * @param {Page.Context} context
 */
function lane(name, rows, closed, context) {
  const id = `lane:${name ?? ''}`;
  const open = !closed.has(id);
  const attributes = { class: `hr-rows hr-waterfall-lane ${transportClass(context, name)}`, 'data-transport': name, 'data-scope-lane': name ? null : 'true' };
  return { rows: open ? rows : [], head: laneHead(id, name, rows, open, context), attributes };
}

/**
 * @param {string} id
 * @param {string | null} name
 * @param {Page.TimelineRow[]} rows
 * @param {boolean} open
 * @param {Page.Context} context
 */
function laneHead(id, name, rows, open, context) {
  return el('div.hr-lane-head', { role: 'row', tabindex: '-1', 'aria-level': 1, 'aria-expanded': String(open), 'data-node-id': id },
    el('span', { role: 'gridcell' }, name ? transportBadge(context, name) : withoutTransport(rows), ' ', el('span.hr-note', {}, plural(rows.length, 'row'))));
}

/** @param {Page.TimelineRow[]} rows */
function withoutTransport(rows) {
  if (rows.every((row) => row.kind === 'span')) return 'services, as they tell it';
  return rows.some((row) => row.kind === 'span') ? 'the scenario itself, and services' : 'the scenario itself';
}

/** @param {Page.Section<Page.TimelineRow>} section */
export function laneNode(section) {
  return el('div.hr-rows', { role: 'rowgroup', ...section.attributes });
}
