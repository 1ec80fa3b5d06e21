// What a link asks for and the page does not show: a scenario that this run does not have, or that the filter hides.

import { el, fill, find } from '../core/dom.js';

/**
 * @param {HTMLElement} root
 * @param {Page.Model} model
 */
export function createMissing(root, model) {
  const place = el('div', { role: 'status', 'data-slot': 'missing' });
  find(root, '[data-slot="notices"]').after(place);
  /** @type {{ test: string, instead?: string | null } | null} */
  let wanted = null;
  let fromLink = false;
  /** @param {string} text */
  const notice = (text) => el('p.hr-notice', { 'data-visible': 'true' }, text);
  return {
    // what the link says, before a scenario is chosen in the place of one that is not there
    /** @param {Page.View} view */
    look({ test }) {
      fromLink = true;
      wanted = test === null || model.byId.has(test) ? null : { test, instead: undefined };
    },
    /**
     * @param {Page.View} view
     * @param {Page.Entry[]} visible
     */
    update(view, visible) {
      if (wanted && wanted.instead === undefined) wanted.instead = view.test;
      if (wanted && wanted.instead !== view.test) wanted = null;
      const hidden = fromLink && !wanted && view.test !== null && !visible.some((entry) => entry.id === view.test);
      fill(place,
        wanted && notice(`This report does not have ${wanted.test}: the link is from another run, or the ${model.noun} was renamed.${wanted.instead === null ? '' : ' Another one is shown.'}`),
        hidden && notice(`The ${model.noun} of the link is not in the list: the filter in the link hides it.`));
      fromLink = false;
    },
  };
}
