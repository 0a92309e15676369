// A table of any length as an ARIA grid: only the rows in sight are elements.

const ROW_HEIGHT = 30; // CSS pixels; the style sheet reads it as --row-height
const SPARE_ROWS = 8; // above and below the rows in sight
const TALLEST = 12_000_000; // CSS pixels; browsers lay nothing out beyond about 17 million
const PRINTED_ROWS = 40;

let gridCount = 0;

class Grid {
  /**
   * columns: { key, title, hint, width (px, or minmax from px), numeric, text(row), node(row)? }; `order` holds the data's rows as shown.
   * open(row) is called by a double click, Enter, or a click into the first column; sortBy(key) by a column's button.
   */
  constructor({ label, columns, open, sortBy, rowClass }) {
    Object.assign(this, { label, columns, open, sortBy, rowClass });
    this.id = `grid${++gridCount}`;
    this.order = new Uint32Array(0);
    this.active = { row: 0, column: 0 };
    this.build();
  }

  build() {
    this.head = element('div', { class: 'grid-row grid-head', role: 'row', 'aria-rowindex': '1' });
    this.headers = this.columns.map((column, index) => {
      const button = element(
        'button',
        { type: 'button', title: column.hint ?? column.title, on: { click: () => this.sortBy(column.key) } },
        element('span', { text: column.title }),
        element('span', { class: 'sort-mark', 'aria-hidden': 'true' }),
      );
      const header = element(
        'div',
        { class: column.numeric ? 'number' : '', role: 'columnheader', 'aria-colindex': String(index + 1) },
        button,
      );
      this.head.append(header);
      return header;
    });
    this.body = element('div', { class: 'grid-body', role: 'rowgroup' });
    this.scroller = element(
      'div',
      {
        class: 'grid',
        role: 'grid',
        tabindex: '0',
        'aria-label': this.label,
        'aria-colcount': String(this.columns.length),
        'aria-describedby': `${this.id}-keys`,
      },
      element('div', { class: 'grid-top', role: 'rowgroup' }, this.head),
      this.body,
    );
    // Each row is a grid of its own: a width in common keeps the columns in line.
    const least = this.columns.reduce((sum, { width }) => sum + Number(/\d+/.exec(width)[0]), 0);
    this.scroller.style.setProperty('--columns', this.columns.map((column) => column.width).join(' '));
    this.scroller.style.setProperty('--row-width', `max(100%, ${least}px)`);
    this.scroller.style.setProperty('--row-height', `${ROW_HEIGHT}px`);
    this.keys = element('p', {
      class: 'grid-keys',
      id: `${this.id}-keys`,
      text: 'Arrow keys move in the table, Enter opens a feature.',
    });
    this.root = element('div', { class: 'grid-frame' }, this.scroller, this.keys);
    this.scroller.addEventListener('scroll', () => this.draw());
    this.scroller.addEventListener('keydown', (event) => this.key(event));
    this.body.addEventListener('click', (event) => this.click(event));
    this.body.addEventListener('dblclick', () => this.openActive());
    new ResizeObserver(() => this.draw()).observe(this.scroller);
  }

  /** Shows these rows of the data in this order, from the top. */
  show(order, sort) {
    this.order = order;
    this.active.row = 0;
    this.columns.forEach((column, index) => {
      const direction = sort?.key === column.key ? (sort.descending ? 'descending' : 'ascending') : 'none';
      this.headers[index].setAttribute('aria-sort', direction);
    });
    this.scroller.setAttribute('aria-rowcount', String(order.length + 1));
    this.scroller.scrollTop = 0;
    this.height = Math.min(order.length * ROW_HEIGHT, TALLEST);
    this.body.style.height = `${this.height}px`;
    this.drawn = null;
    this.draw();
  }

  /** Height of the rows in sight; before the first layout that of a usual window. */
  get window() {
    return Math.max(ROW_HEIGHT, (this.scroller.clientHeight || 480) - ROW_HEIGHT);
  }

  /** Rows above the window's top: in step with the scroll bar, which stands for more than its own pixels in a very long table. */
  get top() {
    const full = this.order.length * ROW_HEIGHT - this.window;
    const bar = this.height - this.window;
    return bar > 0 && full > bar ? this.scroller.scrollTop * (full / bar) : this.scroller.scrollTop;
  }

  draw() {
    const top = this.top;
    const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - SPARE_ROWS);
    const end = Math.min(this.order.length, Math.ceil((top + this.window) / ROW_HEIGHT) + SPARE_ROWS);
    const offset = this.scroller.scrollTop - top;
    const drawn = `${first} ${end} ${offset}`;
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const rows = [];
    for (let position = first; position < end; ++position) {
      const row = this.rowElement(position);
      row.style.transform = `translateY(${position * ROW_HEIGHT + offset}px)`;
      rows.push(row);
    }
    this.body.replaceChildren(...rows);
    this.mark();
  }

  rowElement(position) {
    const row = this.order[position];
    const made = element('div', {
      class: `grid-row ${position % 2 ? 'odd' : ''} ${this.rowClass?.(row) ?? ''}`,
      role: 'row',
      'aria-rowindex': String(position + 2),
      'data-position': String(position),
    });
    this.columns.forEach((column, index) => {
      const cell = element('div', {
        class: column.numeric ? 'number' : 'words',
        role: 'gridcell',
        id: `${this.id}-${position}-${index}`,
        'aria-colindex': String(index + 1),
      });
      if (column.node) cell.append(column.node(row));
      else cell.textContent = column.text(row);
      made.append(cell);
    });
    return made;
  }

  /** Shows which cell the arrow keys are at. */
  mark() {
    this.body.querySelectorAll('.active').forEach((cell) => cell.classList.remove('active'));
    const cell = byId(`${this.id}-${this.active.row}-${this.active.column}`);
    cell?.classList.add('active');
    if (cell) this.scroller.setAttribute('aria-activedescendant', cell.id);
    else this.scroller.removeAttribute('aria-activedescendant');
    return cell;
  }

  move(row, columnIndex) {
    this.active.row = Math.max(0, Math.min(this.order.length - 1, row));
    this.active.column = Math.max(0, Math.min(this.columns.length - 1, columnIndex));
    const y = this.active.row * ROW_HEIGHT;
    const top = this.top;
    const wanted = y < top ? y : y + ROW_HEIGHT > top + this.window ? y + ROW_HEIGHT - this.window : top;
    const full = this.order.length * ROW_HEIGHT - this.window;
    const bar = this.height - this.window;
    if (wanted !== top) this.scroller.scrollTop = bar > 0 && full > bar ? wanted * (bar / full) : wanted;
    this.draw();
    this.revealColumn(this.mark());
  }

  /** Scrolls sideways where the cell lies outside, or under the first column, which stays in place. */
  revealColumn(cell) {
    if (!cell || this.active.column === 0) return;
    const frozen = this.headers[0].offsetWidth;
    const left = cell.offsetLeft;
    const view = this.scroller;
    if (left < view.scrollLeft + frozen) view.scrollLeft = left - frozen;
    else if (left + cell.offsetWidth > view.scrollLeft + view.clientWidth)
      view.scrollLeft = left + cell.offsetWidth - view.clientWidth;
  }

  key(event) {
    if (event.target !== this.scroller || event.altKey || event.metaKey) return;
    const { row, column } = this.active;
    const page = Math.max(1, Math.floor(this.window / ROW_HEIGHT) - 1);
    const last = this.order.length - 1;
    const far = event.ctrlKey;
    const moves = {
      ArrowDown: [far ? last : row + 1, column],
      ArrowUp: [far ? 0 : row - 1, column],
      ArrowRight: [row, column + 1],
      ArrowLeft: [row, column - 1],
      PageDown: [row + page, column],
      PageUp: [row - page, column],
      Home: [far ? 0 : row, 0],
      End: [far ? last : row, this.columns.length - 1],
    };
    if (event.key in moves) {
      event.preventDefault();
      if (last >= 0) this.move(...moves[event.key]);
    } else if (event.key === 'Enter' && last >= 0) {
      event.preventDefault();
      this.openActive();
    }
  }

  click(event) {
    const cell = event.target.closest('[role=gridcell]');
    if (!cell) return;
    const position = Number(cell.parentElement.dataset.position);
    const columnIndex = Number(cell.getAttribute('aria-colindex')) - 1;
    this.active = { row: position, column: columnIndex };
    this.mark();
    if (columnIndex === 0) this.openActive();
  }

  openActive() {
    if (this.active.row < this.order.length) this.open(this.order[this.active.row]);
  }

  /** The first rows laid out one below the other, as paper needs them. */
  printed() {
    const rows = [];
    for (let position = 0; position < Math.min(PRINTED_ROWS, this.order.length); ++position) {
      rows.push(this.order[position]);
    }
    const table = plainTable(
      this.label,
      this.columns.map((column) => [column.title, column.numeric ? 'number' : '']),
      rows.map((row) => this.columns.map((column) => (column.node ? column.node(row) : column.text(row)))),
    );
    const more = this.order.length - rows.length;
    return element(
      'div',
      {},
      table,
      more > 0 ? element('p', { class: 'muted', text: `${counted(more, 'further row')} not printed.` }) : null,
    );
  }
}
