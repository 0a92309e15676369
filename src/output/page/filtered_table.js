// A grid with search, filters, order and export. What is chosen stands in the address.

class FilteredTable {
  /**
   * columns as of Grid, with value(row) to sort by and `descending`, whether a first click sorts the largest first.
   * controls: { key, kind: 'search' | 'number' | 'select' | 'check', label, options?, initial? }
   * matches(values): a function that says of a row whether it is shown, given the controls' values.
   * exports: { file, header, line(row), all?: { label, file, write } }.
   */
  constructor({ label, rows, columns, controls, matches, open, rowClass, exports }) {
    Object.assign(this, { rows, columns, controls, matches, exports });
    this.values = {};
    this.sort = null;
    this.grid = new Grid({ label, columns, open, rowClass, sortBy: (key) => this.toggleSort(key) });
    this.status = element('p', { class: 'table-status', role: 'status' });
    this.inputs = new Map();
    const fields = element(
      'div',
      { class: 'filters', role: 'search', 'aria-label': `Filters: ${label}` },
      ...controls.map((control) => this.field(control)),
    );
    const buttons = element(
      'div',
      { class: 'exports' },
      element('button', {
        type: 'button',
        class: 'export-shown',
        text: 'Export these rows',
        title: 'As CSV, in this order',
        on: { click: () => this.exportShown() },
      }),
    );
    if (exports.all) {
      const { label: text, file, write } = exports.all;
      buttons.append(
        element('button', {
          type: 'button',
          class: 'export-all',
          text,
          title: 'As CSV, every source and token type, without filters',
          on: { click: () => download(file, write()) },
        }),
      );
    }
    this.root = element(
      'div',
      { class: 'filtered-table' },
      fields,
      element('div', { class: 'table-line' }, this.status, buttons),
      this.grid.root,
    );
    this.follow(route.read());
  }

  field(control) {
    const changed = () => {
      this.values[control.key] = control.kind === 'check' ? (input.checked ? '1' : '') : input.value;
      this.update();
      route.note({ [control.key]: this.values[control.key] });
    };
    let input;
    if (control.kind === 'select') {
      input = element(
        'select',
        { on: { change: changed } },
        ...control.options.map(([value, text]) => element('option', { value, text })),
      );
    } else if (control.kind === 'check') {
      input = element('input', { type: 'checkbox', on: { change: changed } });
    } else {
      const type = control.kind === 'search' ? 'search' : 'number';
      input = element('input', {
        type,
        step: 'any',
        placeholder: control.placeholder,
        autocomplete: 'off',
        spellcheck: 'false',
        on: { input: changed },
      });
      if (control.kind === 'search') input.dataset.search = '';
    }
    this.inputs.set(control.key, input);
    return element('label', { class: `field field-${control.kind}` }, element('span', { text: control.label }), input);
  }

  /** Takes filters and order from the address. */
  follow(place) {
    for (const { key, kind } of this.controls) {
      const input = this.inputs.get(key);
      if (kind === 'check') input.checked = place[key] === '1';
      else input.value = place[key] ?? '';
      this.values[key] = kind === 'check' ? (input.checked ? '1' : '') : input.value;
    }
    const wanted = place.sort ?? '';
    const key = wanted.replace(/^-/, '');
    this.sort = this.columns.some((column) => column.key === key) ? { key, descending: wanted.startsWith('-') } : null;
    this.update();
  }

  /** First click: the column's usual direction; second: the other one; third: the data's order again. */
  toggleSort(key) {
    const { descending: first = false } = this.columns.find((column) => column.key === key);
    if (this.sort?.key !== key) this.sort = { key, descending: first };
    else if (this.sort.descending === first) this.sort = { key, descending: !first };
    else this.sort = null;
    this.update();
    route.note({ sort: this.sort ? `${this.sort.descending ? '-' : ''}${key}` : '' });
  }

  update() {
    const keep = this.matches(this.values);
    const order = new Uint32Array(this.rows);
    let shown = 0;
    for (let row = 0; row < this.rows; ++row) if (keep(row)) order[shown++] = row;
    this.order = this.sorted(order.slice(0, shown));
    this.grid.show(this.order, this.sort);
    this.status.textContent =
      shown === this.rows ? counted(shown, 'row') : `${count(shown)} of ${counted(this.rows, 'row')}`;
  }

  /** Rows with equal values keep the data's order, values that are no numbers come last. */
  sorted(order) {
    if (!this.sort) return order;
    const { value } = this.columns.find((column) => column.key === this.sort.key);
    const sign = this.sort.descending ? -1 : 1;
    const keys = new Array(this.rows);
    for (const row of order) keys[row] = value(row);
    return order.sort((a, b) => {
      const left = keys[a];
      const right = keys[b];
      if (Number.isNaN(left) || Number.isNaN(right)) return Number.isNaN(left) - Number.isNaN(right) || a - b;
      return left < right ? -sign : left > right ? sign : a - b;
    });
  }

  exportShown() {
    const parts = [this.exports.header];
    for (const row of this.order) parts.push(this.exports.line(row));
    download(this.exports.file, parts);
    announce(`${counted(this.order.length, 'row')} exported`);
  }
}

/** Numbers and words of a filter; an empty or unreadable number filters nothing. */
const atLeast = (text) => (text === '' || Number.isNaN(Number(text)) ? -Infinity : Number(text));
const atMost = (text) => (text === '' || Number.isNaN(Number(text)) ? Infinity : Number(text));

/** A test of features: the id starts with the words, or the words occur in the description. */
function featureSearch(table, words) {
  const wanted = words.trim().toLowerCase();
  if (wanted === '') return () => true;
  return (feature) =>
    String(feature).startsWith(wanted) || (table.described && table.searchText(feature).includes(wanted));
}
