// The data inside this file. What is large stands deflated in templates and is read when it is asked for.

export function embeddedText(id) {
  const holder = document.getElementById(id);
  return holder ? (holder.content ?? holder).textContent.trim() : '';
}

// JSON as it is, or base64 of its zlib stream.
export async function embeddedJson(id) {
  const text = embeddedText(id);
  if (!text) return {};
  return JSON.parse(text.startsWith('{') ? text : await inflated(blobOf(text)));
}

export function blobOf(base64) {
  return new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))]);
}

export function inflated(blob) {
  if (typeof DecompressionStream === 'undefined') {
    throw new Error('This report needs a newer browser: Chromium 80, Firefox 113, Safari 16.4 or later. results.json beside it holds the same data.');
  }
  return new Response(blob.stream().pipeThrough(new DecompressionStream('deflate'))).text();
}

// A template is complete once something follows it or the parser is done.
export async function templateText(id) {
  const complete = () => document.readyState !== 'loading' || document.getElementById(id)?.nextElementSibling;
  if (!complete()) await new Promise((resolve) => { document.addEventListener('DOMContentLoaded', resolve, { once: true }); });
  const node = document.getElementById(id);
  if (!node) throw new Error('This file is not complete: the messages of this scenario are missing from its end.');
  const text = node.content.textContent;
  node.remove();
  return text;
}
