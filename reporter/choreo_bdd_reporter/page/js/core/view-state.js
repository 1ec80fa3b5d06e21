// What is being looked at lives in the URL fragment, so that a view can be linked to and Back returns to it.

/** @type {("attempt" | "tab" | "q" | "sort" | "group" | "cause" | "event")[]} */
const TEXTS = ['attempt', 'tab', 'q', 'sort', 'group', 'cause', 'event'];
/** @type {Page.View} */
const EMPTY = { test: null, status: [], attempt: null, tab: null, q: '', sort: null, group: null, cause: null, event: null };

/** @param {string} [hash] */
function readView(hash = location.hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const texts = Object.fromEntries(TEXTS.map((name) => [name, given.get(name) ?? EMPTY[name]]));
  return { ...texts, test: given.get('test'), status: (given.get('status') ?? '').split(',').filter(Boolean) };
}

/** @param {Page.View} view */
function viewHash(view) {
  const parts = new URLSearchParams();
  if (view.test) parts.set('test', view.test);
  if (view.status.length > 0) parts.set('status', view.status.join(','));
  for (const name of TEXTS) if (view[name]) parts.set(name, view[name]);
  return `#${parts}`;
}

/** @param {Page.View} view */
export function linkTo(view) {
  return location.href.replace(/#.*$/, '') + viewHash(view);
}

// `onChange(view, previous)` runs after each change, also after Back; `complete` fills in what a link leaves open.
/**
 * @param {(view: Page.View, previous: Page.View) => void} onChange
 * @param {(view: Page.View) => Page.View} complete
 * @returns {Page.Views}
 */
export function createViewState(onChange, complete) {
  const fromLink = () => complete({ ...EMPTY, ...readView() });
  let view = fromLink();
  /** @param {Page.View} next */
  const change = (next) => {
    const previous = view;
    view = next;
    onChange(view, previous);
  };
  addEventListener('hashchange', () => change(fromLink()));
  // A step in the history for a choice, none for typing and for the page's own preselection.
  /**
   * @param {Partial<Page.View>} patch
   * @param {{ remember?: boolean }} [options]
   */
  const set = (patch, { remember = false } = {}) => {
    // without a word on it, of another scenario the attempt that counts is looked at
    const next = { ...view, attempt: (patch.test ?? view.test) === view.test ? view.attempt : null, ...patch };
    writeHash(viewHash(next), remember);
    change(next);
  };
  return {
    get current() { return view; },
    set,
    open: (test) => set({ test, event: null, tab: null }, { remember: true }),
  };
}

/**
 * @param {string} hash
 * @param {boolean} remember
 */
function writeHash(hash, remember) {
  if (hash === location.hash || (hash === '#' && !location.hash)) return;
  try {
    history[remember ? 'pushState' : 'replaceState'](null, '', hash);
  } catch {
    // some embedded viewers forbid history; the page works on without deep links
  }
}
