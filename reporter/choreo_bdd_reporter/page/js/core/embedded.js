// The data inside this file. What is large stands deflated in templates, or in files of a folder beside this one, and
// is read when it is asked for.

import { el } from './dom.js';

// where the script came from, if it is not inside this file; only then there is such a folder
/** @type {any} */
const SCRIPT = document.currentScript;
const FOLDER = SCRIPT?.src.replace(/[^/]*$/, '') ?? null;
/** @type {Map<string, (text: string) => void>} */
const awaited = new Map();
/** @type {any} */
const PAGE = globalThis;
/** @type {{ createPolicy(name: string, rules: object): any }} */
const POLICIES = { createPolicy: (_, rules) => rules };
// the page may run no other script than those of this folder, and says so to browsers that know trusted types
const scripts = FOLDER ? (PAGE.trustedTypes ?? POLICIES).createPolicy('choreo', { createScriptURL: ownFile }) : null;

/** @param {string} id */
function ownFile(id) {
  if (!/^\w+$/.test(id)) throw new Error(`not a part of this page: ${id}`);
  return `${FOLDER}${id}.js`;
}

/**
 * @param {string} id
 * @returns {string}
 */
export function embeddedText(id) {
  /** @type {any} */
  const holder = document.getElementById(id);
  return holder ? (holder.content ?? holder).textContent : '';
}

// JSON as it is, or base64 of its zlib stream.
/**
 * @param {string} id
 * @returns {Promise<any>}
 */
export async function embeddedJson(id) {
  const text = embeddedText(id);
  if (!text) return {};
  return JSON.parse(text.startsWith('{') ? text : await inflated(blobOf(text)));
}

/** @param {string} base64 */
export function blobOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return new Blob([bytes]);
}

/** @param {Blob} blob */
export function inflated(blob) {
  if (typeof DecompressionStream === 'undefined') {
    throw new Error('This report needs a newer browser: Chromium 80, Firefox 113, Safari 16.4 or later. results.json has the same data.');
  }
  return new Response(blob.stream().pipeThrough(new DecompressionStream('deflate'))).text();
}

/** @param {string} id */
export function chunkText(id) {
  return FOLDER ? fileText(id) : templateText(id);
}

// A file of the disk cannot be fetched, but run: it calls back with its text.
/**
 * @param {string} id
 * @returns {Promise<string>}
 */
function fileText(id) {
  /** @type {(name: string, text: string) => void} */
  PAGE.choreoChunk = (name, text) => awaited.get(name)?.(text);
  return new Promise((resolve, reject) => {
    awaited.set(id, resolve);
    /** @type {HTMLScriptElement} */
    const script = el('script', { on: {
      load: () => script.remove(),
      error: () => reject(new Error(`The file ${id}.js is missing from the folder beside this page, and with it the messages of this scenario.`)),
    } });
    script.src = scripts.createScriptURL(id);
    document.head.append(script);
  });
}

// A template is complete once something follows it or the parser is done.
/**
 * @param {string} id
 * @returns {Promise<string>}
 */
async function templateText(id) {
  const complete = () => document.readyState !== 'loading' || document.getElementById(id)?.nextElementSibling;
  if (!complete()) await new Promise((resolve) => { document.addEventListener('DOMContentLoaded', resolve, { once: true }); });
  /** @type {any} */
  const node = document.getElementById(id);
  if (!node) throw new Error('This file is not complete: the messages of this scenario are missing.');
  const text = node.content.textContent;
  node.remove();
  return text;
}
