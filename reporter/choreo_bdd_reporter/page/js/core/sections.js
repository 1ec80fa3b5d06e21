// Rows of one height in a scrolling host, in sections with a head each or in one without. Short lists are drawn
// whole, so that the browser's own find and print see them; long ones only where the reader looks.

const WHOLE_BELOW = 500;
const OVERSCAN = 4;

// `draw` makes the nodes, draw.section(section) and draw.row(row, position), and knows the rowHeight in pixels;
// draw.after(drawn) follows each drawing.
/**
 * @template Row
 * @param {HTMLElement} host
 * @param {Page.Drawing<Row>} draw
 */
export function createSections(host, draw) {
  const { rowHeight } = draw;
  /** @type {Page.DrawnSection<Row>[]} */
  let sections = [];
  let total = 0;
  let whole = false;
  let drawn = { from: 0, to: 0 };

  // the rows in sight, and so many around them
  const range = (around = 0) => {
    if (whole || total < WHOLE_BELOW) return { from: 0, to: total };
    const first = Math.floor(host.scrollTop / rowHeight);
    const count = Math.ceil((host.clientHeight || 600) / rowHeight);
    return { from: Math.max(0, first - around), to: Math.min(total, first + count + around) };
  };
  // rows that are still in sight are kept unless they have to be made anew
  const drawAll = (anew = true) => {
    drawn = range(OVERSCAN);
    const focus = document.activeElement;
    const focused = host !== focus && host.contains(focus) ? focus?.getAttribute('data-node-id') : null;
    for (const section of sections) drawSection(section, drawn, draw, anew);
    /** @type {HTMLElement | null} */
    const kept = focused ? host.querySelector(`[data-node-id="${focused}"]`) : null;
    if (focused) (kept ?? host).focus({ preventScroll: true });
    draw.after?.(drawn);
  };
  const outgrown = () => {
    const next = range();
    return next.from < drawn.from || next.to > drawn.to;
  };
  new ResizeObserver(() => outgrown() && drawAll(false)).observe(host);
  host.addEventListener('scroll', () => requestAnimationFrame(() => outgrown() && drawAll(false)), { passive: true });

  return {
    /** @param {Page.Section<Row>[]} wanted */
    set(wanted) {
      let position = 0;
      sections = wanted.map((section) => {
        /** @type {Page.DrawnSection<Row>} */
        const ready = { ...section, first: position + (section.head ? 1 : 0), node: draw.section(section), drawn: new Map() };
        position = ready.first + section.rows.length;
        ready.node.style.setProperty('height', `${(section.rows.length + (section.head ? 1 : 0)) * rowHeight}px`);
        return ready;
      });
      total = position;
      host.replaceChildren(...sections.map((section) => section.node));
      drawAll();
    },
    redraw: () => drawAll(),
    fit: () => draw.after?.(drawn),
    drawWhole() {
      whole = true;
      drawAll();
    },
    get long() { return total >= WHOLE_BELOW; },
    get whole() { return whole; },
    get height() { return total * rowHeight; },
    // true when it had to be drawn for that
    /** @param {number} position */
    reveal(position) {
      const top = position * rowHeight;
      const end = top + rowHeight - host.clientHeight;
      if (top < host.scrollTop) host.scrollTop = top;
      else if (end > host.scrollTop) host.scrollTop = end;
      const missing = position < drawn.from || position >= drawn.to;
      if (missing) drawAll();
      return missing;
    },
  };
}

/**
 * @template Row
 * @param {Page.DrawnSection<Row>} section
 * @param {Page.Stretch} drawn
 * @param {Page.Drawing<Row>} draw
 * @param {boolean} anew
 */
function drawSection(section, { from, to }, draw, anew) {
  const first = Math.max(section.first, from);
  const rows = section.rows.slice(first - section.first, Math.max(0, to - section.first));
  const nodes = new Map(rows.map((row, index) => {
    const position = first + index;
    return [position, (!anew && section.drawn.get(position)) || placed(draw.row(row, position), position - section.first + (section.head ? 1 : 0), draw)];
  }));
  section.drawn = nodes;
  section.node.replaceChildren(...(section.head ? [section.head] : []), ...nodes.values());
}

/**
 * @param {HTMLElement} node
 * @param {number} line
 * @param {{ rowHeight: number }} drawing
 */
function placed(node, line, { rowHeight }) {
  node.style.setProperty('--hr-top', `${line * rowHeight}px`);
  return node;
}
