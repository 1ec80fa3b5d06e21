// One message in full: where it travelled, its headers and its body.

import { el, factList } from '../core/dom.js';
import { bytes } from '../core/format.js';
import { jsonBlock } from './json.js';
import { readable } from '../core/values.js';

/** @type {["key" | "partition" | "offset" | "size" | "broker_time", string, ((value: any) => string)?][]} */
const FACTS = [
  ['key', 'key'], ['partition', 'partition'], ['offset', 'offset'], ['size', 'size', (value) => bytes(value)], ['broker_time', 'broker time'],
];

/** @param {Page.Message} message */
export function messageFacts(message) {
  const facts = FACTS.filter(([name]) => message[name] !== null && message[name] !== undefined);
  const headers = Object.entries(message.headers ?? {});
  return [
    message.topic && el('p', {}, el('code.hr-topic', {}, message.topic)),
    factList(facts.map(([name, label, show = String]) => [label, el('code', {}, show(message[name]))])),
    headers.length > 0 && el('h4.hr-sublabel', {}, 'Headers'),
    factList(headers.map(([name, value]) => [name, el('code', {}, typeof value === 'string' ? value : readable(value))])),
    el('h4.hr-sublabel', {}, 'Payload'),
    message.payload === undefined ? el('p.hr-note', {}, 'not kept') : jsonBlock(message.payload, { 'aria-label': 'Payload' }, message.size),
  ];
}
