// Feature by label: on which share of a label's prompts a feature is active.

/** Largest rate less smallest rate of a row, over labels that have prompts. */
function rateSpread(table, row) {
  let low = Infinity;
  let high = -Infinity;
  for (let label = 0; label < table.labels; ++label) {
    const rate = table.labelRate(row, label);
    if (Number.isNaN(rate)) continue;
    low = Math.min(low, rate);
    high = Math.max(high, rate);
  }
  return high - low;
}

/** Rows to show: those with the largest spread, or the first in universal order. */
function heatmapRows(table, order, most) {
  const all = Uint32Array.from({ length: table.rows }, (_, row) => row);
  if (order !== 'universal') {
    const spreads = Float64Array.from(all, (row) => rateSpread(table, row));
    all.sort((a, b) => spreads[b] - spreads[a] || a - b);
  }
  return all.slice(0, most);
}

function heatmapTable(page, table, rows, status) {
  const { labels } = table.run;
  const texts = new Map();
  const cells = [];
  const body = rows.map((row) => {
    const feature = table.ids[row];
    const line = labels.map((label, index) => {
      const rate = table.labelRate(row, index);
      const prompts = table.data.prompts_per_label[index];
      const text = Number.isNaN(rate)
        ? `Feature ${feature}, ${labelText(label)}: no prompts.`
        : `Feature ${feature}, ${labelText(label)}: active on ${count(table.labelCounts[row * table.labels + index])} of ${counted(prompts, 'prompt')} (${percent(rate)}), mean ${shortNumber(table.labelMeans[row * table.labels + index])}.`;
      const cell = element('button', {
        type: 'button',
        tabindex: '-1',
        'data-cell': true,
        'aria-label': text,
        class: `heat ${Number.isNaN(rate) ? 'heat-none' : ''}`,
        text: labels.length <= 12 && !Number.isNaN(rate) ? String(Math.round(100 * rate)) : '',
        on: { click: () => page.openFeature(feature) },
      });
      heatColor(cell, rate);
      texts.set(cell, text);
      return cell;
    });
    cells.push(line);
    const { chat, pt } = table.description(feature);
    return element(
      'tr',
      {},
      element(
        'th',
        { scope: 'row' },
        element('button', {
          type: 'button',
          class: 'link-button',
          text: String(feature),
          on: { click: () => page.openFeature(feature) },
        }),
      ),
      ...line.map((cell) => element('td', {}, cell)),
      element('td', { class: 'heat-words' }, foreign(chat || pt, 120)),
    );
  });
  const head = element(
    'tr',
    {},
    element('th', { scope: 'col', text: 'Feature' }),
    ...labels.map((label) =>
      element(
        'th',
        { scope: 'col', class: 'label-head', title: labelText(label) },
        element('span', {}, labelNode(label)),
      ),
    ),
    element('td', {}),
  );
  const made = element(
    'table',
    { class: `heatmap ${labels.length > 12 ? 'heatmap-dense' : ''}` },
    element('caption', { class: 'visually-hidden', text: 'Rate of each feature on each label, in per cent' }),
    element('thead', {}, head),
    element('tbody', {}, ...body),
  );
  roving(made, cells, (cell) => {
    status.textContent = texts.get(cell);
  });
  return made;
}

function labelsView(page) {
  const { table } = page;
  if (!table) return { root: emptyState('The run read no source.', 'Check --models, --layers and --tokens.') };
  const root = element('div', { class: 'view view-labels' }, featuresHeading(table));
  if (!table.data.label_counts) {
    root.append(
      emptyState(
        'There are no counts per label.',
        table.labels > 64
          ? 'The prompts have more than 64 labels; give them fewer in the file of --prompts-path.'
          : 'Give the prompts labels in the file of --prompts-path.',
      ),
    );
    return { root };
  }
  if (table.labels === 0 || table.rows === 0) {
    root.append(
      emptyState(
        table.labels === 0 ? 'The prompts have no labels.' : 'No feature is active on any prompt.',
        table.labels === 0
          ? 'Give them the key "label" in the file of --prompts-path.'
          : 'A lower --activation-threshold counts weaker activations.',
      ),
    );
    return { root };
  }
  const order = element(
    'select',
    {},
    element('option', { value: 'difference', text: 'largest difference between labels' }),
    element('option', { value: 'universal', text: 'as in the universal table' }),
  );
  const most = element(
    'select',
    {},
    ...[25, 50, 100, 200].map((number) => element('option', { value: String(number), text: String(number) })),
  );
  const status = element('p', {
    class: 'cell-status',
    role: 'status',
    text: 'Point at a cell, or move with the arrow keys. Enter opens the feature.',
  });
  const holder = element('div', { class: 'matrix-scroll' });
  const follow = (place) => {
    order.value = place.order === 'universal' || table.labels < 2 ? 'universal' : 'difference';
    most.value = ['25', '50', '100', '200'].includes(place.top) ? place.top : '50';
    holder.replaceChildren(heatmapTable(page, table, [...heatmapRows(table, order.value, Number(most.value))], status));
  };
  const changed = () => {
    route.note({ order: order.value, top: most.value });
    follow(route.read());
  };
  order.addEventListener('change', changed);
  most.addEventListener('change', changed);
  const fields = element(
    'div',
    { class: 'filters' },
    element('label', { class: 'field' }, element('span', { text: 'Order' }), order),
    element('label', { class: 'field' }, element('span', { text: 'Features' }), most),
    heatScale('0 %', '100 % of a label’s prompts'),
  );
  root.append(fields);
  if (table.labels < 2)
    root.append(
      element('p', {
        class: 'muted',
        text: 'There is one label only; two or more labels in the prompts make a comparison.',
      }),
    );
  root.append(holder, status);
  follow(route.read());
  return { root, follow };
}
