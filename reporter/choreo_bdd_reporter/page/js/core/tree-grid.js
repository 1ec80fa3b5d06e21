// Keys of a treegrid whose rows take the focus: up and down, open and close, choose. Rows are known by id, for those
// out of sight are not drawn.

import { around } from './dom.js';

// `chart`: { order() ids in order, parentOf(id), focus(id), open(id, on), choose(id) }.
/**
 * @param {HTMLElement} grid
 * @param {Page.Navigable} chart
 */
export function followTreegridKeys(grid, chart) {
  /** @param {Element} node */
  const idOf = (node) => node.getAttribute('data-node-id') ?? '';
  /**
   * @param {string} id
   * @param {number} offset
   */
  const beside = (id, offset) => {
    const ids = chart.order();
    return ids[ids.indexOf(id) + offset];
  };
  /** @type {Record<string, (id: string, expanded: string | null) => void>} */
  const moves = {
    ArrowDown: (id) => chart.focus(beside(id, 1)),
    ArrowUp: (id) => chart.focus(beside(id, -1)),
    Home: () => chart.focus(chart.order()[0]),
    End: () => chart.focus(chart.order().at(-1)),
    ArrowRight: (id, expanded) => {
      if (expanded === 'false') chart.open(id, true);
      else if (expanded === 'true') chart.focus(beside(id, 1));
    },
    ArrowLeft: (id, expanded) => {
      if (expanded === 'true') chart.open(id, false);
      else chart.focus(chart.parentOf(id));
    },
    Enter: (id) => chart.choose(id),
    ' ': (id) => chart.choose(id),
  };
  grid.addEventListener('keydown', (event) => {
    const node = around(event, '[data-node-id]');
    if (!node || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    moves[event.key](idOf(node), node.getAttribute('aria-expanded'));
  });
  grid.addEventListener('click', (event) => {
    const node = around(event, '[data-node-id]');
    if (!node) return;
    chart.focus(idOf(node));
    if (around(event, '[data-toggle]') || idOf(node).startsWith('lane:')) chart.open(idOf(node), node.getAttribute('aria-expanded') === 'false');
    else chart.choose(idOf(node));
  });
}
