// Which universal features the tables share. An id means the same feature only within one dictionary.

/** Ids in both sets. */
function sharedIds(left, right) {
  const other = new Set(right.universalIds);
  return [...left.universalIds].filter((id) => other.has(id)).sort((a, b) => a - b);
}

/** What is known of a pair: ids shared, Jaccard, and how many ids two unrelated sets would share by chance. */
function overlapOf(left, right) {
  const shared = sharedIds(left, right).length;
  const union = left.universalRows + right.universalRows - shared;
  const size = Math.max(left.data.dict_size, right.data.dict_size, 1);
  return {
    shared,
    jaccard: union > 0 ? shared / union : NaN,
    chance: (left.universalRows * right.universalRows) / size,
    same: left.sameDictionary(right),
  };
}

function overlapText(left, right, { shared, jaccard, chance, same }) {
  if (left === right) return `${visibleLine(left.title)}: ${counted(shared, 'universal feature')}.`;
  const pair = `${visibleLine(left.title)} and ${visibleLine(right.title)}`;
  if (same) return `${pair}: ${counted(shared, 'shared feature')}, Jaccard ${shortNumber(jaccard)}.`;
  return `${pair}: different dictionaries, so the same id is not the same feature. ${counted(shared, 'equal id')}; ${shortNumber(chance)} would be expected by chance.`;
}

function overlapCell(left, right) {
  const known = overlapOf(left, right);
  const text = overlapText(left, right, known);
  const cell = element(
    'button',
    {
      type: 'button',
      tabindex: '-1',
      'data-cell': true,
      'aria-label': text,
      class: `overlap-cell ${left === right ? 'overlap-self' : known.same ? 'heat' : 'foreign-dictionary'}`,
    },
    element('span', { class: 'overlap-count', text: count(known.shared) }),
    element('span', {
      class: 'overlap-measure',
      text:
        left === right
          ? 'features'
          : known.same
            ? `J ${Number.isNaN(known.jaccard) ? '–' : known.jaccard.toFixed(2)}`
            : `≈ ${known.chance < 10 ? known.chance.toFixed(1) : count(Math.round(known.chance))}`,
    }),
  );
  if (known.same && left !== right) heatColor(cell, known.jaccard);
  return { cell, text, left, right, known };
}

/** Paints an element by a share between 0 and 1; the style sheet has the scale. */
function heatColor(cell, share) {
  const value = Number.isFinite(share) ? Math.max(0, Math.min(1, share)) : 0;
  cell.style.setProperty('--heat', `${(100 * value).toFixed(1)}%`);
  cell.classList.toggle('heat-strong', value > 0.5);
}

function showShared(page, place, { left, right, known, text }) {
  const ids = sharedIds(left, right);
  const shownIds = ids.slice(0, 500);
  const list = element(
    'ul',
    { class: 'feature-list' },
    ...shownIds.map((id) => {
      const { chat, pt } = left.description(id);
      return element(
        'li',
        {},
        element('button', {
          type: 'button',
          class: 'link-button',
          text: String(id),
          on: { click: () => page.openFeature(id, left) },
        }),
        known.same && (chat || pt) ? foreign(chat || pt, 160) : null,
      );
    }),
  );
  place.replaceChildren(
    element('h3', { text: known.same ? 'Shared features' : 'Equal ids, different features' }),
    element('p', { class: 'muted', text }),
    list,
  );
  if (ids.length > shownIds.length)
    place.append(
      element('p', { class: 'muted', text: `${counted(ids.length - shownIds.length, 'further id')} not listed.` }),
    );
  if (ids.length === 0) list.replaceWith(emptyState('Nothing is shared.'));
}

function overlapView(page) {
  const tables = page.tables.filter((table) => table.universalRows > 0);
  const root = element(
    'div',
    { class: 'view view-overlap' },
    element(
      'div',
      { class: 'view-heading' },
      element('h2', { text: 'Overlap of the universal sets' }),
      element('p', {
        class: 'muted',
        text: 'Each cell compares the universal features of two tables: number of shared feature ids, and Jaccard index J (shared ids by ids in either).',
      }),
    ),
  );
  if (tables.length === 0) {
    root.append(
      emptyState(
        'No table has universal features.',
        'Use --analysis universal or both; a lower --threshold finds more.',
      ),
    );
    return { root };
  }
  const status = element('p', {
    class: 'cell-status',
    role: 'status',
    text: 'Point at a cell, or move with the arrow keys. Enter lists the shared features.',
  });
  const shared = element('div', { class: 'shared-features' });
  const known = new Map();
  const lines = tables.map((left, row) =>
    tables.slice(0, row + 1).map((right) => {
      const pair = overlapCell(left, right);
      known.set(pair.cell, pair);
      pair.cell.addEventListener('click', () => showShared(page, shared, pair));
      return pair.cell;
    }),
  );
  const head = element(
    'tr',
    {},
    element('td', {}),
    ...tables.map((table, index) =>
      element('th', { scope: 'col', title: visibleLine(table.title), text: String(index + 1) }),
    ),
  );
  const body = lines.map((cells, row) =>
    element(
      'tr',
      {},
      element(
        'th',
        { scope: 'row' },
        element('span', { class: 'table-number', text: String(row + 1) }),
        foreign(tables[row].data.source, 60),
        ' · ',
        foreign(tables[row].data.token, 30),
      ),
      ...cells.map((cell) => element('td', {}, cell)),
    ),
  );
  const matrix = element(
    'table',
    { class: 'overlap' },
    element('caption', { class: 'visually-hidden', text: 'Overlap of the universal sets' }),
    element('thead', {}, head),
    element('tbody', {}, ...body),
  );
  roving(matrix, lines, (cell) => {
    status.textContent = known.get(cell).text;
  });
  const legend = element(
    'div',
    { class: 'legend' },
    heatScale('Jaccard 0', '1'),
    element(
      'span',
      { class: 'legend-item' },
      element('span', { class: 'swatch foreign-dictionary' }),
      'different dictionaries: the same id is not the same feature; below the count, the number expected by chance (n·m / dictionary size)',
    ),
  );
  root.append(legend, element('div', { class: 'matrix-scroll' }, matrix), status, shared);
  return { root };
}

/** The colour scale with its ends. */
function heatScale(low, high) {
  return element(
    'span',
    { class: 'legend-item' },
    low,
    element('span', { class: 'heat-scale', 'aria-hidden': 'true' }),
    high,
  );
}
