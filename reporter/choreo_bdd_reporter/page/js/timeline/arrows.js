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
    draw(rows, places, axis, track, height, drawn) {
      const links = rows.filter((row) => row.kind === 'reply' && row.parent && places.has(row.id) && places.has(row.parent.id));
      node.setAttribute('data-reply-arrow-count', links.length);
      node.setAttribute('viewBox', `0 0 ${track.width} ${height}`);
      for (const [name, value] of Object.entries({ left: track.left, width: track.width, height })) node.style.setProperty(name, `${value}px`);
      const near = (row) => places.get(row.id) >= drawn.from - 1 && places.get(row.id) <= drawn.to;
      node.replaceChildren(...links.filter((row) => near(row) || near(row.parent)).map((row) => arrow(row, places, axis, track.width)));
    },
  };
}

function middleOf(position) {
  return (position + 0.5) * LINE_HEIGHT;
}

/** @param {Page.TimelineRow} row */
function arrow(row, places, axis, width) {
  const x1 = axis.share(endOf(row.parent)) * width;
  const x2 = axis.share(row.end) * width;
  const y1 = middleOf(places.get(row.parent.id));
  const y2 = middleOf(places.get(row.id)) - Math.sign(middleOf(places.get(row.id)) - y1) * 7;
  const bend = (y1 + y2) / 2;
  const tip = Math.sign(y2 - y1) * -HEAD;
  return svg('path', {
    d: `M${x1},${y1} C${x1},${bend} ${x2},${bend} ${x2},${y2} M${x2 - HEAD},${y2 + tip} L${x2},${y2} L${x2 + HEAD},${y2 + tip}`,
    'data-reply-link-from': row.parent.id, 'data-reply-link-to': row.id,
  });
}
