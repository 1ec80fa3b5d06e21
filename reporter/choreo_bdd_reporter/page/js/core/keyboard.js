// Keys of the whole page. They rest while something is being typed and never shadow the browser's own.

/** @param {Record<string, () => unknown>} actions */
export function followPageKeys(actions) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const typing = event.target instanceof Element && event.target.matches('input, textarea, select');
    if (typing && event.key !== 'Escape') return;
    if (!Object.hasOwn(actions, event.key)) return;
    if (actions[event.key]() !== false) event.preventDefault();
  });
}
