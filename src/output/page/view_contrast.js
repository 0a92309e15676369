// Features whose rate differs between a label and another one, or the rest of the prompts.

const againstText = (run, against) => (against === NONE ? 'rest' : labelText(run.labels[against]));
const againstNode = (run, against) =>
  against === NONE ? element('em', { class: 'muted', text: 'the rest' }) : labelNode(run.labels[against]);

function contrastColumns(table) {
  const rows = table.contrast;
  const { run } = table;
  const feature = (row) => rows.ids[row];
  const number = (key, title, hint, values, text, descending = true) => ({
    key,
    title,
    hint,
    width: 'minmax(103px, 0.5fr)',
    numeric: true,
    descending,
    value: (row) => values[row],
    text: (row) => text(values[row]),
  });
  return [
    featureColumn(feature),
    {
      key: 'label',
      title: 'Label',
      width: 'minmax(140px, 0.8fr)',
      value: (row) => run.labels[rows.label[row]],
      node: (row) => labelNode(run.labels[rows.label[row]]),
    },
    {
      key: 'against',
      title: 'Against',
      width: 'minmax(110px, 0.8fr)',
      value: (row) => againstText(run, rows.against[row]),
      node: (row) => againstNode(run, rows.against[row]),
    },
    number(
      'rate_label',
      'Rate',
      'Share of the label’s prompts on which the feature is active',
      rows.rateLabel,
      percent,
    ),
    number('rate_against', 'Rate, other', 'The same of the prompts it is compared with', rows.rateAgainst, percent),
    number('difference', 'Difference', 'Rate less rate against', rows.rateDifference, percent),
    number('odds', 'Odds ratio', 'Odds of being active on the label by the odds against', rows.oddsRatio, shortNumber),
    number('q_value', 'q', 'p-value corrected for the number of features tested', rows.q, shortNumber, false),
    number('p_value', 'p', 'Probability of such a difference by chance', rows.p, shortNumber, false),
    number('mean_label', 'Mean', 'Mean activation over all prompts of the label', rows.meanLabel, shortNumber),
    number(
      'mean_against',
      'Mean, other',
      'The same over the prompts it is compared with',
      rows.meanAgainst,
      shortNumber,
    ),
    ...descriptionColumns(table, feature).slice(0, 1),
  ];
}

function contrastControls(table) {
  const rows = table.contrast;
  const labels = [...new Set(rows.label)].sort((a, b) => a - b);
  const against = [...new Set(rows.against)].sort((a, b) => a - b);
  return [
    { key: 'q', kind: 'search', label: 'Search', placeholder: table.described ? 'id or description' : 'id' },
    {
      key: 'label',
      kind: 'select',
      label: 'Label',
      options: [['', 'any'], ...labels.map((label) => [String(label), labelText(table.run.labels[label])])],
    },
    {
      key: 'against',
      kind: 'select',
      label: 'Against',
      options: [['', 'any'], ...against.map((other) => [String(other), againstText(table.run, other)])],
    },
    { key: 'max_q', kind: 'number', label: 'Max. q', placeholder: '1' },
    { key: 'min_difference', kind: 'number', label: 'Min. difference, ±%', placeholder: '0' },
  ];
}

function contrastMatches(table, values) {
  const rows = table.contrast;
  const found = featureSearch(table, values.q);
  const most = atMost(values.max_q);
  const least = atLeast(values.min_difference) / 100;
  return (row) =>
    (values.label === '' || rows.label[row] === Number(values.label)) &&
    (values.against === '' || rows.against[row] === Number(values.against)) &&
    (most === Infinity || rows.q[row] <= most) &&
    (least === -Infinity || Math.abs(rows.rateDifference[row]) >= least) &&
    found(rows.ids[row]);
}

function contrastView(page) {
  const { table } = page;
  if (!table) return { root: emptyState('The run read no source.', 'Check --models, --layers and --tokens.') };
  const root = element('div', { class: 'view view-contrast' }, featuresHeading(table));
  const rows = table.contrast;
  if (!rows) {
    root.append(
      emptyState(
        'The run compared no labels.',
        table.labels < 2
          ? 'A comparison needs prompts with at least 2 labels, and --contrast-output.'
          : 'Run it with --contrast-output FILE.',
      ),
    );
    return { root };
  }
  if (rows.rows === 0) {
    root.append(
      emptyState(
        'No feature differs between labels.',
        `No comparison has q ≤ ${shortNumber(table.run.contrast_q)}; a larger --contrast-q lists more.`,
      ),
    );
    return { root };
  }
  const list = new FilteredTable({
    label: `Contrasts of ${visibleLine(table.title)}`,
    rows: rows.rows,
    columns: contrastColumns(table),
    controls: contrastControls(table),
    matches: (values) => contrastMatches(table, values),
    open: (row) => page.openFeature(rows.ids[row]),
    exports: {
      file: fileName('contrast', table.data.source, table.data.token),
      header: CONTRAST_HEADER,
      line: (row) => contrastLine(table, row),
      all: { label: 'Export all contrasts', file: 'contrast.csv', write: () => allContrast(page.tables) },
    },
  });
  root.append(
    element('p', {
      class: 'muted',
      text: `Features that are active on different shares of the prompts of two labels, with q ≤ ${shortNumber(table.run.contrast_q)}.`,
    }),
  );
  if (rows.leftOut > 0)
    root.append(
      element('p', {
        class: 'muted',
        text: `${counted(rows.leftOut, 'further row')} left out of this page to bound its size; the CSV file has them.`,
      }),
    );
  root.append(list.root);
  return {
    root,
    follow: (place) => list.follow(place),
    print: () => root.append(element('div', { class: 'print-only' }, list.grid.printed())),
  };
}
