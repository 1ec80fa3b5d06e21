// What a condition asks for, in the words of a cell. The engine's matchers/words.py says the same.

import { inlineJson } from '../core/values.js';

const OPERATOR_WORDS = new Map(Object.entries({
  after: 'after {text}',
  all_of: 'all of {each}',
  any_element: 'some element {}',
  any_of: 'any of {each}',
  approx: 'approx {} ± {}',
  before: 'before {text}',
  between: 'between {} and {}',
  contains: 'contains {}',
  ends_with: 'ends with {}',
  every: 'every element {}',
  exactly: 'exactly {}',
  ge: '>= {}',
  gt: '> {}',
  in: 'one of {each}',
  iso8601: 'a timestamp',
  le: '<= {}',
  length: 'length {}',
  lt: '< {}',
  matches: 'matches /{text}/',
  ne: '!= {}',
  not: 'not {}',
  payload_contains_hex: 'bytes {text}',
  schema: 'schema {}',
  starts_with: 'starts with {}',
  unordered: 'in any order {each}',
  uuid: 'a uuid',
}));
const TYPE_WORDS = new Map(Object.entries({
  array: 'a list',
  boolean: 'a boolean',
  integer: 'an integer',
  list: 'a list',
  null: 'null',
  number: 'a number',
  object: 'an object',
  string: 'a string',
}));

/**
 * @param {any} shape
 * @returns {string}
 */
export function inWords(shape) {
  const asked = shape !== null && typeof shape === 'object' && !Array.isArray(shape) ? Object.entries(shape) : [];
  return (asked.length === 1 && said(asked[0][0], asked[0][1])) || inlineJson(shape);
}

/**
 * @param {string} name
 * @param {any} operand
 * @returns {string | false | undefined}
 */
function said(name, operand) {
  if (name === 'type') return TYPE_WORDS.get(String(operand));
  const words = OPERATOR_WORDS.get(name);
  if (!words?.includes('{')) return operand === true && (words ?? name.replaceAll('_', ' '));
  if (words.includes('{text}')) return typeof operand === 'string' && words.replace('{text}', () => operand);
  const places = words.split('{}').length - 1;
  const operands = places === 1 ? [operand] : operand;
  if (!Array.isArray(operands) || operands.length === 0 || (places > 0 && places !== operands.length)) return false;
  const texts = operands.map(inWords);
  return words.replace(/\{(each)?\}/g, (_, each) => (each ? texts.join(', ') : texts.shift() ?? ''));
}
