// A table that sorts by the column whose heading is pressed, and draws its first rows until all are asked for.

import { button, el, fill } from '../core/dom.js';

const FIRST_ROWS = 100;

// Columns: [title, sortKey(row), cell(row) or nothing for the key itself, 'text' where cells are more than a number].
/**
 * @template Row
 * @param {string} label
 * @param {Page.Column<Row>[]} columns
 * @param {Row[]} rows
 * @param {number} by
 */
export function sortedTable(label, columns, rows, by) {
  let order = { column: by, down: true };
  let shown = FIRST_ROWS;
  const host = el('div.hr-table-wrap', { tabindex: '0', role: 'region', 'aria-label': label });
  /**
   * @param {Row} a
   * @param {Row} b
   */
  const compare = (a, b) => {
    const [one, other] = [columns[order.column][1](a), columns[order.column][1](b)];
    const rank = typeof one === 'number' && typeof other === 'number' ? one - other : String(one).localeCompare(String(other));
    return order.down ? -rank : rank;
  };
  /** @param {number} index */
  const sortBy = (index) => {
    order = { column: index, down: order.column === index ? !order.down : true };
    draw();
    /** @type {NodeListOf<HTMLElement>} */
    const headings = host.querySelectorAll('th button');
    headings[index].focus();
  };
  /** @param {Page.Column<Row>} column */
  const align = ([, key, , kind]) => (typeof key(rows[0]) === 'number' && kind !== 'text' ? 'hr-number' : null);
  /**
   * @param {Page.Column<Row>} column
   * @param {number} index
   */
  const heading = (column, index) => el('th', { scope: 'col', class: align(column), 'aria-sort': order.column !== index ? null : order.down ? 'descending' : 'ascending' },
    button(column[0], () => sortBy(index)));
  /** @type {(row: Row) => (column: Page.Column<Row>, index: number) => HTMLElement} */
  const cell = (row) => (column, index) => {
    const [, key, show] = column;
    return el(index === 0 ? 'th' : 'td', { scope: index === 0 ? 'row' : null, class: align(column) }, show ? show(row) : key(row));
  };
  const draw = () => {
    const sorted = [...rows].sort(compare);
    const more = button(`Show all ${rows.length}`, () => { shown = Infinity; draw(); });
    fill(host, el('table.hr-data', {}, el('thead', {}, el('tr', {}, columns.map(heading))),
      el('tbody', {}, sorted.slice(0, shown).map((row) => el('tr', {}, columns.map(cell(row)))))), rows.length > shown && more);
  };
  draw();
  return host;
}
