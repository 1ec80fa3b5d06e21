// Rows of one height in a scrolling host, in sections with a head each or in one without. Short lists are drawn
// whole, so that the browser's own find and print see them; long ones only where the reader looks.

const WHOLE_BELOW = 500;
const OVERSCAN = 10;

// `draw` makes the nodes, draw.section(section) and draw.row(row, position), and knows the rowHeight in pixels;
// draw.after(drawn) follows each drawing.
export function createSections(host, draw) {
  const { rowHeight } = draw;
  let sections = [];
  let total = 0;
  let whole = false;
  let drawn = { from: 0, to: 0 };

  const range = () => {
    if (whole || total < WHOLE_BELOW) return { from: 0, to: total };
    const first = Math.floor(host.scrollTop / rowHeight);
    const count = Math.ceil((host.clientHeight || 600) / rowHeight);
    return { from: Math.max(0, first - OVERSCAN), to: Math.min(total, first + count + OVERSCAN) };
  };
  const drawAll = () => {
    drawn = range();
    const focused = host !== document.activeElement && host.contains(document.activeElement) ? document.activeElement.getAttribute('data-node-id') : null;
    for (const section of sections) drawSection(section, drawn, draw);
    if (focused) (host.querySelector(`[data-node-id="${focused}"]`) ?? host).focus({ preventScroll: true });
    draw.after?.(drawn);
  };
  const outgrown = () => {
    const next = range();
    return next.from < drawn.from || next.to > drawn.to;
  };
  new ResizeObserver(() => outgrown() && drawAll()).observe(host);
  host.addEventListener('scroll', () => requestAnimationFrame(() => outgrown() && drawAll()), { passive: true });

  return {
    set(next) {
      let position = 0;
      sections = next.map((section) => {
        const placed = { ...section, first: position + (section.head ? 1 : 0), node: draw.section(section) };
        position = placed.first + section.rows.length;
        placed.node.style.setProperty('height', `${(section.rows.length + (section.head ? 1 : 0)) * rowHeight}px`);
        return placed;
      });
      total = position;
      host.replaceChildren(...sections.map((section) => section.node));
      drawAll();
    },
    redraw: drawAll,
    drawWhole() {
      whole = true;
      drawAll();
    },
    get long() { return total >= WHOLE_BELOW; },
    get whole() { return whole; },
    get height() { return total * rowHeight; },
    reveal(position) {
      const top = position * rowHeight;
      const end = top + rowHeight - host.clientHeight;
      if (top < host.scrollTop) host.scrollTop = top;
      else if (end > host.scrollTop) host.scrollTop = end;
      if (position < drawn.from || position >= drawn.to) drawAll();
    },
  };
}

function drawSection(section, { from, to }, draw) {
  const rows = section.rows.slice(Math.max(0, from - section.first), Math.max(0, to - section.first));
  const first = Math.max(section.first, from);
  const nodes = rows.map((row, index) => {
    const node = draw.row(row, first + index);
    node.style.setProperty('--hr-top', `${(first + index - section.first + (section.head ? 1 : 0)) * draw.rowHeight}px`);
    return node;
  });
  section.node.replaceChildren(...(section.head ? [section.head] : []), ...nodes);
}
