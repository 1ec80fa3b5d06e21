// Texts that go to the clipboard, or stand there to be copied where there is none.

import { button, el } from './dom.js';

/**
 * @param {string} label
 * @param {() => string} text
 * @returns {HTMLButtonElement}
 */
export function copyButton(label, text) {
  const node = button(label, async () => {
    const wanted = text();
    const done = await copied(wanted, node);
    if (!done) return;
    node.textContent = 'copied';
    setTimeout(() => { node.textContent = label; }, 1500);
  }, { class: 'hr-link-button hr-no-print' });
  return node;
}

// A page that is served over plain http has no clipboard of its own; the older way works there. Where neither does, the
// text is shown, selected, beside the button.
/**
 * @param {string} text
 * @param {HTMLElement} node
 */
async function copied(text, node) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el('textarea.hr-copy', { readonly: true, 'aria-label': 'Text to copy', rows: 6 });
    area.value = text;
    node.parentNode?.querySelector('.hr-copy')?.remove();
    node.after(area);
    area.select();
    const done = commanded();
    if (done) {
      area.remove();
      node.focus();
    }
    return done;
  }
}

function commanded() {
  try {
    return document.execCommand('copy');
  } catch {
    return false;
  }
}
