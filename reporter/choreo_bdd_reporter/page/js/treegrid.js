// Keys of a treegrid whose rows take the focus: up and down, open and close, choose.

export function followTreegridKeys(grid, { activate, open, choose }) {
  const rows = () => [...grid.querySelectorAll('[data-node-id]')];
  const idOf = (node) => node.getAttribute('data-node-id');
  const focus = (node) => {
    if (!node) return;
    for (const other of rows()) other.setAttribute('tabindex', other === node ? '0' : '-1');
    activate(idOf(node));
    node.focus();
  };
  const byId = (id) => rows().find((node) => idOf(node) === id);
  const moves = {
    ArrowDown: (node, all) => focus(all[all.indexOf(node) + 1]),
    ArrowUp: (node, all) => focus(all[all.indexOf(node) - 1]),
    Home: (node, all) => focus(all[0]),
    End: (node, all) => focus(all.at(-1)),
    ArrowRight: (node, all) => {
      if (node.getAttribute('aria-expanded') === 'false') open(idOf(node), true);
      else if (node.getAttribute('aria-expanded') === 'true') focus(all[all.indexOf(node) + 1]);
    },
    ArrowLeft: (node) => {
      if (node.getAttribute('aria-expanded') === 'true') open(idOf(node), false);
      else if (node.hasAttribute('data-parent-id')) focus(byId(node.getAttribute('data-parent-id')));
    },
    Enter: (node) => choose(idOf(node)),
    ' ': (node) => choose(idOf(node)),
  };
  grid.addEventListener('keydown', (event) => {
    const node = event.target.closest('[data-node-id]');
    if (!node || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    moves[event.key](node, rows());
  });
  grid.addEventListener('click', (event) => {
    const node = event.target.closest('[data-node-id]');
    if (!node) return;
    focus(node);
    if (event.target.closest('[data-toggle]')) open(idOf(node), node.getAttribute('aria-expanded') === 'false');
    else choose(idOf(node));
  });
}
