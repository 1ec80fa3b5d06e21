// A message as something to run: a step of the vocabulary, or a command of its broker's own tool.

import { bytesIn, readable } from '../core/values.js';

const ROWS_UP_TO = 30;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;
const PLAIN_KEY = /^[\w-]+$/;
const PER_RUN = new Set(['correlation_id', 'correlation-id', 'correlationId']);

/** @param {Page.Message} message */
export function expectationSnippet(message) {
  const head = `Then I expect "${message.topic}"${place(message)}`;
  if (bytesIn(message.payload)) return head;
  if (message.payload === null || typeof message.payload !== 'object') return `${head}:\n${docString(message.payload)}`;
  const cells = fields(message.payload, '').map(([path, value]) => [path, cellText(value)]);
  if (cells.length === 0) return head;
  return cells.length > ROWS_UP_TO ? `${head}:\n${docString(message.payload)}` : `${head}:\n${table([['field', 'value'], ...cells])}`;
}

/** @param {Page.Message} message */
export function publishSnippet(message) {
  const key = message.key == null ? '' : ` with key "${message.key}"`;
  const head = `When I publish "${message.topic}"${place(message)}${key}`;
  return bytesIn(message.payload) ? `${head} from file "body.bin"` : `${head}:\n${docString(message.payload)}`;
}

/** @param {Page.Message} message */
function place({ transport }) {
  return transport ? ` on ${transport}` : '';
}

/** @param {any} value */
function docString(value) {
  const lines = ['"""', ...readable(value ?? null, 2).replaceAll('"""', '\\"\\"\\"').split('\n'), '"""'];
  return lines.map((line) => `  ${line}`).join('\n');
}

// Each leaf with its path; what differs from run to run by its nature is left to the scope.
/**
 * @param {any} value
 * @param {string} path
 * @returns {[string, any][]}
 */
function fields(value, path) {
  if (value === null || typeof value !== 'object' || Object.keys(value).length === 0 || bytesIn(value)) return [[path, value]];
  if (Array.isArray(value)) return value.flatMap((item, index) => fields(item, `${path}[${index}]`));
  return Object.entries(value).filter(([key]) => path || !PER_RUN.has(key)).flatMap(([key, item]) => {
    const name = PLAIN_KEY.test(key) ? key : `'${key}'`;
    return fields(item, path ? `${path}.${name}` : name);
  });
}

// What is new in every run is expected by its kind, everything else as it came.
/** @param {any} value */
function cellText(value) {
  if (typeof value === 'string' && UUID.test(value)) return 'a uuid';
  if (typeof value === 'string' && TIMESTAMP.test(value)) return 'a timestamp';
  return readable(value);
}

/** @param {string[][]} rows */
function table(rows) {
  const escaped = rows.map((cells) => cells.map((cell) => cell.replaceAll('\\', '\\\\').replaceAll('|', '\\|')));
  const widths = [0, 1].map((column) => Math.max(...escaped.map((cells) => cells[column].length)));
  return escaped.map((cells) => `  | ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`).join('\n');
}

/** @type {[string, string, (facts: { topic: string, key: string | null, body: string, headers: [string, any][] }) => string][]} */
const TOOLS = [
  ['nats', 'nats pub', ({ topic, body, headers }) => `nats pub ${headers.map(([name, value]) => `-H ${shellQuoted(`${name}:${value}`)} `).join('')}${shellQuoted(topic)} ${body}`],
  ['kafka', 'kcat', ({ topic, body, headers, key }) => `printf %s ${body} | kcat -P -b localhost:9092 -t ${shellQuoted(topic)}${key === null ? '' : ` -k ${shellQuoted(key)}`}${headers.map(([name, value]) => ` -H ${shellQuoted(`${name}=${value}`)}`).join('')}`],
  ['rabbit', 'rabbitmqadmin', ({ topic, body }) => `rabbitmqadmin publish exchange=choreo routing_key=${shellQuoted(topic)} payload=${body}`],
  ['redis', 'redis-cli', ({ topic, body }) => `redis-cli PUBLISH ${shellQuoted(topic)} ${body}`],
];

// The command of the broker that the transport is one of, or is named after, or of every broker.
/**
 * @param {Page.Message} message
 * @param {Page.Model} model
 * @returns {[string, string][]}
 */
export function publishCommands(message, { defaultTransport, buses }) {
  const name = message.transport ?? defaultTransport ?? '';
  const kind = buses.get(name) ?? name.toLowerCase();
  if (kind === 'http') return [];
  const named = TOOLS.filter(([broker]) => kind.includes(broker));
  const facts = {
    topic: message.topic, key: message.key ?? null, body: shellQuoted(typeof message.payload === 'string' ? message.payload : readable(message.payload ?? null)),
    headers: Object.entries(message.headers ?? {}).filter(([, value]) => typeof value === 'string'),
  };
  return (named.length > 0 ? named : TOOLS).map(([, tool, command]) => [tool, command(facts)]);
}

/** @param {string} text */
export function shellQuoted(text) {
  return `'${String(text).replaceAll("'", "'\\''")}'`;
}
