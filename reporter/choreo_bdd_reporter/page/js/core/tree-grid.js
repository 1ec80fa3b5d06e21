// Keys of a treegrid whose rows take the focus: up and down, open and close, choose. Rows are known by id, for those
// out of sight are not drawn.

// `chart`: { order() ids in order, parentOf(id), focus(id), open(id, on), choose(id) }.
export function followTreegridKeys(grid, chart) {
  const idOf = (node) => node.getAttribute('data-node-id');
  const beside = (id, offset) => {
    const ids = chart.order();
    return ids[ids.indexOf(id) + offset];
  };
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
    const node = event.target.closest('[data-node-id]');
    if (!node || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    moves[event.key](idOf(node), node.getAttribute('aria-expanded'));
  });
  grid.addEventListener('click', (event) => {
    const node = event.target.closest('[data-node-id]');
    if (!node) return;
    chart.focus(idOf(node));
    if (event.target.closest('[data-toggle]') || idOf(node).startsWith('lane:')) chart.open(idOf(node), node.getAttribute('aria-expanded') === 'false');
    else chart.choose(idOf(node));
  });
}
