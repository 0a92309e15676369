// The features of one source and token type: two charts and the table.

/** Columns that show a feature's id and descriptions; `feature(row)` gives the id. */
function featureColumn(feature) {
  return {
    key: 'feature',
    title: 'Feature',
    hint: 'Index in the dictionary; a click opens the feature',
    width: '88px',
    numeric: true,
    value: feature,
    node: (row) => element('span', { class: 'feature-id', text: String(feature(row)) }),
  };
}

function descriptionColumns(table, feature) {
  if (!table.described) return [];
  const part = (key, title, width) => ({
    key,
    title,
    hint: `${title} (--descriptions)`,
    width,
    value: (row) => table.description(feature(row))[key].toLowerCase(),
    node: (row) => foreign(table.description(feature(row))[key], 240),
  });
  return [
    part('chat', 'Description, chat', 'minmax(220px, 2fr)'),
    part('pt', 'Description, pretraining', 'minmax(180px, 1.4fr)'),
    part('type', 'Type', 'minmax(90px, 0.6fr)'),
  ];
}

function featureColumns(table) {
  const feature = (row) => table.ids[row];
  const number = (key, title, hint, values, width = 'minmax(84px, 0.5fr)') => ({
    key,
    title,
    hint,
    width,
    numeric: true,
    descending: true,
    value: (row) => values[row],
    text: (row) => shortNumber(values[row]),
  });
  return [
    featureColumn(feature),
    number('mean', 'Mean', 'Mean activation over the prompts on which the feature is active', table.mean),
    number('max', 'Max', 'Largest activation', table.max),
    number('min', 'Min', 'Least activation over the prompts', table.min),
    {
      key: 'prompts',
      title: 'Prompts',
      hint: 'Prompts on which the feature is active',
      width: 'minmax(94px, 0.5fr)',
      numeric: true,
      descending: true,
      value: (row) => table.prompts[row],
      text: (row) => count(table.prompts[row]),
    },
    {
      key: 'share',
      title: 'Share',
      hint: 'Share of the prompts on which the feature is active',
      width: 'minmax(164px, 0.7fr)',
      numeric: true,
      descending: true,
      value: (row) => table.share(row),
      node: (row) => barCell(percent(table.share(row)), table.share(row)),
    },
    ...descriptionColumns(table, feature),
  ];
}

function featureControls(table) {
  const controls = [
    { key: 'q', kind: 'search', label: 'Search', placeholder: table.described ? 'id or description' : 'id' },
    { key: 'min_prompts', kind: 'number', label: 'Min. prompts', placeholder: '0' },
    { key: 'min_mean', kind: 'number', label: 'Min. mean', placeholder: '0' },
  ];
  if (table.data.label_counts && table.labels > 1) {
    controls.push({
      key: 'label',
      kind: 'select',
      label: 'Active on label',
      options: [['', 'any'], ...table.run.labels.map((label, index) => [String(index), labelText(label)])],
    });
  }
  if (table.rows > table.universalRows && table.universalRows > 0) {
    controls.push({ key: 'below', kind: 'check', label: 'Show also features below the threshold' });
  }
  return controls;
}

/** Without universal rows there is nothing to tell apart: then every row is shown. */
function featureMatches(table, values) {
  const rows = values.below === '1' || table.universalRows === 0 ? table.rows : table.universalRows;
  const prompts = atLeast(values.min_prompts);
  const mean = atLeast(values.min_mean);
  const found = featureSearch(table, values.q);
  const label = values.label ? Number(values.label) : -1;
  const { ids, labelCounts } = table;
  return (row) =>
    row < rows &&
    table.prompts[row] >= prompts &&
    (mean === -Infinity || table.mean[row] >= mean) &&
    (label < 0 || labelCounts[row * table.labels + label] > 0) &&
    found(ids[row]);
}

function featureTable(page, table) {
  return new FilteredTable({
    label: `Features of ${visibleLine(table.title)}`,
    rows: table.rows,
    columns: featureColumns(table),
    controls: featureControls(table),
    matches: (values) => featureMatches(table, values),
    open: (row) => page.openFeature(table.ids[row]),
    rowClass: (row) => (row >= table.universalRows && table.universalRows > 0 ? 'below' : ''),
    exports: {
      file: fileName('features', table.data.source, table.data.token),
      header: UNIVERSAL_HEADER,
      line: (row) => universalLine(table, row),
      all: {
        label: 'Export all universal features',
        file: 'universal_features.csv',
        write: () => allUniversal(page.tables),
      },
    },
  });
}

function featuresHeading(table) {
  const { data } = table;
  const parts = [counted(data.prompts, 'prompt'), `dictionary of ${count(data.dict_size)} features`];
  parts.push(
    data.all_features ? `${count(activeFeatures(data))} active` : `${counted(data.rows, 'chosen feature')} encoded`,
  );
  if (table.run.analysis !== 'specific') parts.push(`${count(data.universal_rows)} universal`);
  if (data.left_out > 0)
    parts.push(`${counted(data.left_out, 'active feature')} left out of this page to bound its size`);
  return element(
    'div',
    { class: 'view-heading' },
    element('h2', {}, foreign(data.source, 120), ' · ', foreign(data.token, 60)),
    element('p', { class: 'muted', text: parts.join(' · ') }),
  );
}

function featuresView(page) {
  const { table } = page;
  if (!table) return { root: emptyState('The run read no source.', 'Check --models, --layers and --tokens.') };
  const root = element('div', { class: 'view view-features' }, featuresHeading(table));
  if (table.rows === 0) {
    root.append(
      emptyState('No feature is active on any prompt.', 'A lower --activation-threshold counts weaker activations.'),
    );
    return { root };
  }
  const list = featureTable(page, table);
  const charts = [histogramChart(table), scatterChart(table, (feature) => page.openFeature(feature))].filter(Boolean);
  const missing =
    table.universalRows > 0
      ? null
      : element('p', {
          class: 'muted',
          text:
            table.run.analysis === 'specific'
              ? 'Only chosen features were encoded (--analysis specific). --analysis universal or both finds the universal ones.'
              : 'No feature reaches the threshold; all that are active are shown. A lower --threshold finds more.',
        });
  root.append(
    element('div', { class: 'charts' }, ...charts.map((chart) => chart.root)),
    element('h3', { text: table.universalRows > 0 ? 'Universal features' : 'Features' }),
  );
  if (missing) root.append(missing);
  root.append(list.root);
  return {
    root,
    follow: (place) => list.follow(place),
    recolor: () => charts.forEach((chart) => chart.redraw()),
    print: () => root.append(element('div', { class: 'print-only' }, list.grid.printed())),
    leave: () => charts.forEach((chart) => chart.destroy()),
  };
}
