// Puts the view that the address names onto the page. Views that are not shown are not built.

const VIEWS = [
  ['summary', 'Summary', summaryView],
  ['features', 'Features', featuresView],
  ['overlap', 'Overlap', overlapView],
  ['labels', 'Labels', labelsView],
  ['contrast', 'Contrast', contrastView],
];
const TABLE_VIEWS = ['features', 'labels', 'contrast'];

class Page {
  constructor(run) {
    this.run = run;
    this.tables = run.tables.map((data, index) => new FeatureTable(data, run, index));
    this.dialog = byId('feature');
    const models = run.models.map((model) => visibleLine(model.name)).join(', ');
    byId('subtitle').textContent = shortened(
      `${models || 'no model'} · ${counted(run.tables.length, 'table')} · ${run.created.slice(0, 10)}`,
      200,
    );
    document.title = shortened(`SAE feature report: ${models}`, 120);
    byId('footer-program').textContent =
      `Written by ${visibleLine(run.program.name)} ${visibleLine(run.program.version)}.`;
    this.fillPicker();
    theme.start(() => this.view?.recolor?.());
    route.start(() => this.show());
    document.addEventListener('keydown', (event) => this.key(event));
    document.addEventListener('scroll', () => tooltip.hide(), { capture: true, passive: true });
    document.addEventListener('pointerout', (event) => {
      if (event.target.closest?.('.chart')) tooltip.hide();
    });
    byId('skip').addEventListener('click', (event) => {
      event.preventDefault();
      byId('main').focus();
    });
    this.dialog.addEventListener('close', () => this.closed());
    this.dialog.addEventListener('click', (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
    matchMedia('print').addEventListener('change', (event) => (event.matches ? this.print() : this.show(true)));
    this.show();
  }

  fillPicker() {
    const picker = byId('table-select');
    const groups = new Map();
    this.tables.forEach((table) => {
      const { source, token } = table.data;
      if (!groups.has(source)) groups.set(source, element('optgroup', { label: shortened(visibleLine(source), 80) }));
      groups
        .get(source)
        .append(
          element('option', { value: String(table.index), text: shortened(visibleLine(`${source} · ${token}`), 100) }),
        );
    });
    picker.append(...groups.values());
    picker.addEventListener('change', () => {
      const { source, token } = this.tables[Number(picker.value)].data;
      route.go({ source, token });
    });
  }

  /** The table that the address names, else the first. */
  tableOf(place) {
    return (
      this.tables.find(({ data }) => data.source === place.source && data.token === place.token) ??
      this.tables.find(({ data }) => data.source === place.source) ??
      this.tables[0]
    );
  }

  show(again = false) {
    tooltip.hide();
    const place = route.read();
    const [name, title, build] = VIEWS.find(([key]) => key === place.view) ?? VIEWS[0];
    this.table = this.tableOf(place);
    const shown = TABLE_VIEWS.includes(name) ? `${name} ${this.table?.index}` : name;
    if (shown !== this.shown || again) {
      this.view?.leave?.();
      this.shown = shown;
      this.view = build(this);
      byId('main').replaceChildren(this.view.root);
      this.showNavigation(name);
      if (!again) scrollTo(0, 0);
      announce(title);
      if (this.searchNext) document.querySelector('[data-search]')?.focus();
      this.searchNext = false;
    } else {
      this.view.follow?.(place);
    }
    this.showFeature(place.feature);
  }

  showNavigation(shown) {
    byId('views').replaceChildren(
      ...VIEWS.map(([name, title]) =>
        element('a', {
          href: route.address({ view: name }),
          text: title,
          'aria-current': name === shown ? 'page' : null,
        }),
      ),
    );
    byId('table-picker').hidden = !TABLE_VIEWS.includes(shown) || this.tables.length === 0;
    if (this.table) byId('table-select').value = String(this.table.index);
  }

  openFeature(feature, table = this.table) {
    route.go({ source: table.data.source, token: table.data.token, feature: String(feature) }, true);
  }

  showFeature(text) {
    const feature = /^\d{1,10}$/.test(text ?? '') ? Number(text) : null;
    if (feature === null || !this.table) {
      if (this.dialog.open) this.dialog.close();
      return;
    }
    this.dialog.replaceChildren(...featureView(this, this.table, feature, () => this.dialog.close()));
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
    byId('feature-title').focus();
  }

  /** The dialog was closed by its button, Escape or the address. */
  closed() {
    this.dialog.replaceChildren();
    if (route.read().feature !== undefined) route.go({ feature: '' }, true);
  }

  key(event) {
    const typing = event.target.closest?.('input, select, textarea');
    if (event.key !== '/' || typing || event.ctrlKey || event.altKey || event.metaKey || this.dialog.open) return;
    event.preventDefault();
    const search = document.querySelector('[data-search]');
    if (search) return search.focus();
    this.searchNext = true;
    route.go({ view: 'features' });
  }

  /** On paper: the summary, then the table's charts and first rows, then the view that is open. */
  print() {
    const parts = new Set([summaryView(this), this.table ? featuresView(this) : null].filter(Boolean));
    if (!this.shown.startsWith('summary') && !this.shown.startsWith('features')) parts.add(this.view);
    byId('main').replaceChildren(...[...parts].map((view) => view.root));
    parts.forEach((view) => view.print?.());
  }
}

function start() {
  try {
    return new Page(readRun());
  } catch (error) {
    byId('main').replaceChildren(
      emptyState('The report cannot be shown: its data are missing or damaged.', String(error.message)),
    );
    throw error;
  }
}

start();
