// A list of rows of one height in a scrolling host. Short lists are drawn whole, so that the browser's own
// find and print see them; long ones only where the reader looks.

import { el } from './dom.js';

const WHOLE_UP_TO = 500;
const OVERSCAN = 12;

export function createWindowedList(host, rowHeight, renderRow) {
  const canvas = el('div', { class: 'hr-windowed', role: 'presentation' });
  host.replaceChildren(canvas);
  let rows = [];
  let drawn = { from: 0, to: 0 };

  const range = () => {
    if (rows.length <= WHOLE_UP_TO) return { from: 0, to: rows.length };
    const first = Math.floor(host.scrollTop / rowHeight);
    const count = Math.ceil((host.clientHeight || 800) / rowHeight);
    return { from: Math.max(0, first - OVERSCAN), to: Math.min(rows.length, first + count + OVERSCAN) };
  };
  const draw = () => {
    drawn = range();
    canvas.replaceChildren(...rows.slice(drawn.from, drawn.to).map((row, offset) => {
      const node = renderRow(row, drawn.from + offset);
      node.style.setProperty('--hr-top', `${(drawn.from + offset) * rowHeight}px`);
      return node;
    }));
  };
  const outgrown = () => {
    const next = range();
    return next.from !== drawn.from || next.to !== drawn.to;
  };
  host.addEventListener('scroll', () => requestAnimationFrame(() => outgrown() && draw()), { passive: true });
  new ResizeObserver(() => outgrown() && draw()).observe(host);

  return {
    setRows(next) {
      rows = next;
      canvas.style.setProperty('height', `${rows.length * rowHeight}px`);
      draw();
    },
    redraw: draw,
    reveal(index) {
      const top = index * rowHeight;
      const view = host.clientHeight;
      if (top < host.scrollTop) host.scrollTop = top - rowHeight;
      else if (top + rowHeight > host.scrollTop + view) host.scrollTop = top + 2 * rowHeight - view;
      if (index < drawn.from || index >= drawn.to || outgrown()) draw();
    },
  };
}
