// Pointing at a step lights the expectations and messages it is about, and back.

import { around } from '../core/dom.js';

/** @param {Element | null} node */
function refsOf(node) {
  return node?.getAttribute('data-refs')?.split(' ') ?? [];
}

/** @param {HTMLElement} article */
export function linkHighlights(article) {
  /**
   * @param {Event} event
   * @param {boolean} on
   */
  const lit = (event, on) => {
    const refs = refsOf(around(event, '[data-refs]'));
    if (refs.length === 0) return;
    for (const node of article.querySelectorAll('[data-refs]')) {
      const related = refsOf(node).some((ref) => refs.includes(ref));
      if (related) node.toggleAttribute('data-lit', on);
    }
  };
  article.addEventListener('mouseover', (event) => lit(event, true));
  article.addEventListener('mouseout', (event) => lit(event, false));
}
