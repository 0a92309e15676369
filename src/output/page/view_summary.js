// What was run, with what, and what it took.

/** Active features: those of every bin of the histogram but the first, "never". */
const activeFeatures = (data) => data.histogram.reduce((sum, bin) => sum + (bin.to === 0 ? 0 : bin.features), 0);

function factList(facts) {
  return element(
    'dl',
    { class: 'facts' },
    ...facts
      .filter(Boolean)
      .map(([name, value]) => element('div', {}, element('dt', { text: name }), element('dd', {}, value))),
  );
}

function card(title, ...children) {
  return element('section', { class: 'card' }, element('h2', { text: title }), ...children);
}

function runCard(run) {
  const analyses = { universal: 'universal', specific: 'specific (chosen features)', both: 'universal and specific' };
  const created = new Date(run.created);
  return card(
    'Run',
    factList([
      ['Program', foreign(`${run.program.name} ${run.program.version}`)],
      [
        'Written',
        Number.isNaN(created.getTime())
          ? foreign(run.created)
          : created
              .toISOString()
              .replace('T', ' ')
              .replace(/(\.\d+)?Z$/, ' UTC'),
      ],
      ['Analysis', analyses[run.analysis] ?? foreign(run.analysis)],
      ['Threshold', `${percent(run.threshold)} of the prompts`],
      ['Activation threshold', shortNumber(run.activation_threshold)],
      run.contrast_q === null || run.contrast_q === undefined
        ? null
        : ['Contrast, largest q', shortNumber(run.contrast_q)],
      ['Number type', foreign(run.dtype)],
      ['Device', foreign(run.device)],
    ]),
    element('h3', { text: 'Command' }),
    element(
      'pre',
      { class: 'command', tabindex: '0', 'aria-label': 'Command' },
      element('bdi', { text: visibleText(run.command) }),
    ),
  );
}

function stagesCard(run) {
  if (!run.stages?.length) return null;
  const total = run.stages.reduce((sum, stage) => sum + stage.seconds, 0);
  const peak = Math.max(...run.stages.map((stage) => stage.peak_bytes));
  const rows = run.stages.map((stage) => [
    foreign(stage.name),
    barCell(seconds(stage.seconds), stage.seconds / total),
    barCell(byteSize(stage.peak_bytes), stage.peak_bytes / peak),
  ]);
  rows.push([element('strong', { text: 'total' }), seconds(total), byteSize(peak)]);
  return card(
    'Time and memory',
    plainTable(
      'Time and memory of each stage',
      [
        ['Stage', ''],
        ['Time', 'number'],
        ['Peak memory', 'number'],
      ],
      rows,
    ),
  );
}

function modelsCard(run) {
  if (!run.models.length) return card('Models and prompts', emptyState('No model ran.'));
  const columns = [['Label', ''], ...run.models.map((model) => [shortened(visibleLine(model.name), 60), 'number'])];
  const perLabel = run.labels.map((label, index) => [
    labelNode(label),
    ...run.models.map((model) => count(model.prompts_per_label[index] ?? 0)),
  ]);
  const models = run.models.map((model) => [
    foreign(model.name, 80),
    foreign(model.model, 160),
    count(model.prompts),
    count(model.left_out),
  ]);
  return card(
    'Models and prompts',
    plainTable(
      'Models',
      [
        ['Name', ''],
        ['Model', ''],
        ['Prompts', 'number'],
        ['Left out', 'number'],
      ],
      models,
    ),
    element('h3', { text: 'Prompts per label' }),
    perLabel.length
      ? plainTable('Prompts per label', columns, perLabel)
      : emptyState('The prompts have no labels.', 'Give them the key "label" in the file of --prompts-path.'),
  );
}

function tablesCard(run) {
  if (!run.tables.length) return card('Sources', emptyState('The run read no source.'));
  const rows = run.tables.map((data) => [
    element(
      'a',
      { href: route.address({ view: 'features', source: data.source, token: data.token }) },
      foreign(data.source, 80),
    ),
    foreign(data.token, 40),
    count(data.layer),
    foreign(String(data.trainer), 20),
    count(data.dict_size),
    count(data.prompts),
    data.all_features ? count(activeFeatures(data)) : `${count(data.rows)} chosen`,
    count(data.universal_rows),
    data.sae ? foreign(data.sae, 200) : '',
  ]);
  return card(
    'Sources and token types',
    plainTable(
      'Sources and token types',
      [
        ['Source', ''],
        ['Token type', ''],
        ['Layer', 'number'],
        ['Trainer', 'number'],
        ['Dictionary', 'number'],
        ['Prompts', 'number'],
        ['Active', 'number'],
        ['Universal', 'number'],
        ['SAE', 'path'],
      ],
      rows,
    ),
  );
}

function summaryView(page) {
  const { run } = page;
  const notes = run.notes?.length
    ? card(
        'Notes',
        element(
          'ul',
          { class: 'notes' },
          ...run.notes.map((note) => element('li', {}, element('bdi', { text: visibleText(note) }))),
        ),
      )
    : null;
  return {
    root: element(
      'div',
      { class: 'view view-summary' },
      tablesCard(run),
      element(
        'div',
        { class: 'columns' },
        runCard(run),
        element('div', { class: 'stack' }, modelsCard(run), stagesCard(run), notes),
      ),
    ),
  };
}
