// Every node of the page is made here. Data becomes text nodes and attribute values, never markup.

const SVG_NAMESPACE = 'http://www.w3.org/2000/svg';

// Options: on = listeners by event name, vars = CSS custom properties; anything else is an attribute.
export function el(tag, options = {}, ...children) {
  return furnish(document.createElement(tag), options, children);
}

export function svg(tag, options = {}, ...children) {
  return furnish(document.createElementNS(SVG_NAMESPACE, tag), options, children);
}

function furnish(node, { on = {}, vars = {}, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? '' : String(value));
    }
  }
  for (const [name, value] of Object.entries(vars)) node.style.setProperty(name, String(value));
  for (const [event, listener] of Object.entries(on)) node.addEventListener(event, listener);
  append(node, children);
  return node;
}

// Nested lists are flattened; null and false leave no trace, so conditions can stand inline.
export function append(node, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
}

// Builds the body of a <details> the first time it opens: hidden bodies cost nothing.
export function lazyDetails(options, summary, build, open = false) {
  const node = el('details', options, el('summary', {}, summary));
  let built = false;
  const mount = () => {
    if (built) return;
    built = true;
    append(node, [build()]);
  };
  node.addEventListener('toggle', () => node.open && mount());
  if (open) {
    node.open = true;
    mount();
  }
  return node;
}

export function copyButton(label, text) {
  const button = el('button', { type: 'button', class: 'hr-link-button' }, label);
  button.addEventListener('click', async () => {
    const done = await copied(text());
    button.textContent = done ? 'copied' : 'copying is blocked here';
    setTimeout(() => { button.textContent = label; }, 1500);
  });
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
