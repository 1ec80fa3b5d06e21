// Reply arrows between lanes: from the message that triggered a reply to the reply. Drawn in pixels of the track, so
// they are laid out again whenever the track changes its width, the rows their places or the axis its stretch.

import { el, svg } from '../core/dom.js';
import { endOf } from './timescale.js';

const HEAD = 5;
export const LINE_HEIGHT = 30;

export function createArrows() {
  const node = svg('svg.hr-waterfall-reply-arrows', { 'aria-hidden': 'true' });
  const holder = el('div.hr-arrows', {}, node);
  return {
    holder,
    // `places`: row id -> position; `track`: { left, width } of the time axis inside the rows
    /**
     * @param {Page.TimelineRow[]} rows
     * @param {Map<string, number>} places
     * @param {Page.Axis} axis
     * @param {{ left: number, width: number }} track
     * @param {number} height
     * @param {Page.Stretch} drawn
     */
    draw(rows, places, axis, track, height, drawn) {
      const links = rows.flatMap((row) => {
        const [from, to] = [places.get(row.parent?.id ?? ''), places.get(row.id)];
        return row.kind === 'reply' && row.parent && from !== undefined && to !== undefined ? [{ row, trigger: row.parent, from, to }] : [];
      });
      node.setAttribute('data-reply-arrow-count', String(links.length));
      node.setAttribute('viewBox', `0 0 ${track.width} ${height}`);
      for (const [name, value] of Object.entries({ left: track.left, width: track.width, height })) node.style.setProperty(name, `${value}px`);
      /** @param {number} position */
      const near = (position) => position >= drawn.from - 1 && position <= drawn.to;
      node.replaceChildren(...links.filter(({ from, to }) => near(from) || near(to)).map((link) => arrow(link, axis, track.width)));
    },
  };
}

/** @param {number} position */
function middleOf(position) {
  return (position + 0.5) * LINE_HEIGHT;
}

/**
 * @param {{ row: Page.TimelineRow, trigger: Page.TimelineRow, from: number, to: number }} link
 * @param {Page.Axis} axis
 * @param {number} width
 */
function arrow({ row, trigger, from, to }, axis, width) {
  const x1 = axis.share(endOf(trigger)) * width;
  const x2 = axis.share(row.end) * width;
  const y1 = middleOf(from);
  const y2 = middleOf(to) - Math.sign(to - from) * 7;
  const bend = (y1 + y2) / 2;
  const tip = Math.sign(y2 - y1) * -HEAD;
  return svg('path', {
    d: `M${x1},${y1} C${x1},${bend} ${x2},${bend} ${x2},${y2} M${x2 - HEAD},${y2 + tip} L${x2},${y2} L${x2 + HEAD},${y2 + tip}`,
    'data-reply-link-from': trigger.id, 'data-reply-link-to': row.id,
  });
}
