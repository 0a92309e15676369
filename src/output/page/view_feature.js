// One feature: what it is, where it fires, and on which prompts.

/** Where a prompt stands, and its label where nothing else says it. */
function promptName(run, prompt, labelled = true) {
  const name = element(
    'span',
    { class: 'prompt-name' },
    `Prompt ${prompt.idx} `,
    element('bdi', { class: 'muted', text: shortened(visibleLine(prompt.place ?? ''), 120) }),
  );
  const label = run.labels[prompt.label];
  if (labelled && label !== undefined) name.append(' ', element('span', { class: 'tag' }, labelNode(label)));
  return name;
}

/** Dashboard link: an anchor only for http and https, else text. */
function linkNode(address) {
  let target = null;
  try {
    target = new URL(address);
  } catch {
    return foreign(address);
  }
  if (target.protocol !== 'https:' && target.protocol !== 'http:') return foreign(address);
  return element('a', { href: target.href, target: '_blank', rel: 'noopener noreferrer' }, foreign(address));
}

function describedFacts(table, feature, row) {
  const { chat, pt, type } = table.description(feature);
  const link = table.link(feature);
  const facts = [
    ['Source', foreign(table.data.source, 200)],
    ['Token type', foreign(table.data.token, 100)],
    chat ? ['Description, chat', longText(chat, 0)] : null,
    pt ? ['Description, pretraining', longText(pt, 0)] : null,
    type ? ['Type', longText(type, 0)] : null,
    link ? ['Dashboard', linkNode(link)] : null,
  ];
  if (row !== undefined) {
    facts.push(
      [
        'Active on',
        `${count(table.prompts[row])} of ${counted(table.data.prompts, 'prompt')} (${percent(table.share(row))})`,
      ],
      ['Mean activation', shortNumber(table.mean[row])],
      ['Largest, least', `${shortNumber(table.max[row])}, ${shortNumber(table.min[row])}`],
    );
  }
  const list = factList(facts);
  if (!chat && !pt && !type)
    list.append(element('p', { class: 'muted', text: 'No description. --descriptions FILE adds descriptions.' }));
  return list;
}

/** Active prompts by activation: one bar for each bin of the run's edges. */
function distributionSection(table, row) {
  const edges = table.run.distribution_edges;
  const bins = edges.length - 1;
  const section = element('section', {}, element('h3', { text: 'Distribution over the prompts' }));
  if (!table.distribution || bins < 1) {
    section.append(emptyState('The distribution is not part of this report.'));
    return section;
  }
  const values = [...table.distribution.subarray(row * bins, (row + 1) * bins)];
  const most = Math.max(1, ...values);
  const edge = (index) => (edges[index] === null ? '∞' : shortNumber(edges[index]));
  const name = (index) =>
    edges[index + 1] === null ? `${edge(index)} and more` : `${edge(index)} – ${edge(index + 1)}`;
  const bars = values.map((value, index) => {
    const bar = element(
      'div',
      { class: 'distribution-bar', title: `${name(index)}: ${counted(value, 'prompt')}` },
      element('span'),
    );
    bar.firstChild.style.height = `${(100 * value) / most}%`;
    return bar;
  });
  const silent = table.data.prompts - table.prompts[row];
  section.append(
    element(
      'div',
      {
        class: 'distribution',
        role: 'img',
        'aria-label': `Active prompts by activation; the values stand below. Highest bar: ${counted(most, 'prompt')}.`,
      },
      ...bars,
    ),
    element(
      'div',
      { class: 'distribution-axis' },
      element('span', { text: edge(0) }),
      element('span', { text: 'activation' }),
      element('span', { text: edge(bins) }),
    ),
    element('p', {
      class: 'muted',
      text: `Highest bar: ${counted(most, 'prompt')}. Not active on ${counted(silent, 'prompt')}.`,
    }),
    element(
      'details',
      {},
      element('summary', { text: 'Values' }),
      plainTable(
        'Prompts by activation',
        [
          ['Activation', ''],
          ['Prompts', 'number'],
        ],
        values.map((value, index) => [name(index), count(value)]).filter((_, index) => values[index] > 0),
      ),
    ),
  );
  return section;
}

function labelSection(table, row) {
  const section = element('section', {}, element('h3', { text: 'Activity per label' }));
  if (!table.labelCounts || table.labels === 0) {
    section.append(
      emptyState(
        'There are no counts per label.',
        table.labels > 64
          ? 'The prompts have more than 64 labels.'
          : 'Give the prompts labels in the file of --prompts-path.',
      ),
    );
    return section;
  }
  const rows = table.run.labels.map((label, index) => {
    const at = row * table.labels + index;
    const rate = table.labelRate(row, index);
    return [
      labelNode(label),
      `${count(table.labelCounts[at])} of ${count(table.data.prompts_per_label[index])}`,
      barCell(percent(rate), rate),
      shortNumber(table.labelMeans[at]),
    ];
  });
  section.append(
    plainTable(
      'Activity per label',
      [
        ['Label', ''],
        ['Active prompts', 'number'],
        ['Rate', 'number'],
        ['Mean over all', 'number'],
      ],
      rows,
    ),
  );
  return section;
}

/** The same feature at the other token types of its source. */
function siblingsSection(page, table, feature) {
  const siblings = page.tables.filter((other) => other.data.source === table.data.source);
  const section = element('section', {}, element('h3', { text: 'At the token types of its source' }));
  const rows = siblings.map((other) => {
    const row = other.rowOf(feature);
    const name =
      other === table
        ? element('strong', {}, foreign(other.data.token, 60))
        : element(
            'button',
            { type: 'button', class: 'link-button', on: { click: () => page.openFeature(feature, other) } },
            foreign(other.data.token, 60),
          );
    if (row === undefined)
      return [
        name,
        element('span', { class: 'muted', text: other.data.left_out > 0 ? 'not on this page' : 'never active' }),
        '',
        '',
        '',
      ];
    return [
      name,
      barCell(percent(other.share(row)), other.share(row)),
      shortNumber(other.mean[row]),
      shortNumber(other.max[row]),
      row < other.universalRows ? 'yes' : 'no',
    ];
  });
  section.append(
    plainTable(
      'Token types',
      [
        ['Token type', ''],
        ['Share', 'number'],
        ['Mean', 'number'],
        ['Max', 'number'],
        ['Universal', ''],
      ],
      rows,
    ),
  );
  return section;
}

function contrastSection(table, feature) {
  const rows = table.contrast;
  if (!rows) return null;
  const found = [];
  rows.ids.forEach((id, row) => {
    if (id === feature) found.push(row);
  });
  if (!found.length) return null;
  return element(
    'section',
    {},
    element('h3', { text: 'Contrasts' }),
    plainTable(
      'Contrasts of this feature',
      [
        ['Label', ''],
        ['Against', ''],
        ['Rate', 'number'],
        ['Rate against', 'number'],
        ['Odds ratio', 'number'],
        ['q', 'number'],
      ],
      found.map((row) => [
        labelNode(table.run.labels[rows.label[row]]),
        againstNode(table.run, rows.against[row]),
        percent(rows.rateLabel[row]),
        percent(rows.rateAgainst[row]),
        shortNumber(rows.oddsRatio[row]),
        shortNumber(rows.q[row]),
      ]),
    ),
  );
}

/** Strongest prompts of each label; of all prompts where the run has too many labels to tell them apart. */
function strongestSection(table, row) {
  const { run } = table;
  const most = run.strongest_per_label;
  const section = element('section', {}, element('h3', { text: 'Strongest prompts' }));
  const positions = table.strongestPrompts;
  const groups = table.labelCounts ? table.labels : 1;
  let shown = 0;
  for (let group = 0; positions && group < groups; ++group) {
    const items = [];
    for (let k = 0; k < most; ++k) {
      const at = (row * groups + group) * most + k;
      const prompt = positions[at] === NONE ? undefined : run.prompts[positions[at]];
      if (!prompt) continue;
      items.push(
        element(
          'li',
          {},
          element(
            'div',
            { class: 'prompt-line' },
            promptName(run, prompt, groups === 1),
            element('span', { class: 'prompt-value', text: shortNumber(table.strongestValues[at]) }),
          ),
          longText(prompt.text, prompt.characters),
        ),
      );
    }
    if (!items.length) continue;
    shown += items.length;
    section.append(
      element(
        'div',
        { class: 'prompt-group' },
        groups > 1 ? element('h4', {}, labelNode(run.labels[group])) : null,
        element('ol', { class: 'prompts' }, ...items),
      ),
    );
  }
  if (shown === 0)
    section.append(emptyState('No prompt activates this feature here, or the page holds no prompts for it.'));
  return section;
}

/** Fills the dialog. `close` is called by its button. */
function featureView(page, table, feature, close) {
  const row = table.rowOf(feature);
  const heading = element(
    'header',
    { class: 'feature-header' },
    element('h2', { id: 'feature-title', tabindex: '-1', text: `Feature ${feature}` }),
    row !== undefined && row < table.universalRows
      ? element('span', { class: 'tag tag-strong', text: 'universal' })
      : null,
    element('button', {
      type: 'button',
      class: 'quiet-button feature-close',
      text: 'Close',
      'aria-keyshortcuts': 'Escape',
      on: { click: close },
    }),
  );
  const body = element('div', { class: 'feature-body' }, describedFacts(table, feature, row));
  if (row === undefined) {
    body.append(
      emptyState(
        'This feature is not in this table.',
        table.data.left_out > 0
          ? 'It may be one of the features left out of the page to bound its size.'
          : 'It is not active on any prompt here, or was not chosen.',
      ),
      siblingsSection(page, table, feature),
    );
  } else {
    body.append(
      ...[
        siblingsSection(page, table, feature),
        distributionSection(table, row),
        labelSection(table, row),
        contrastSection(table, feature),
        tokenSection(table, feature),
        strongestSection(table, row),
      ].filter(Boolean),
    );
  }
  return [heading, body];
}
