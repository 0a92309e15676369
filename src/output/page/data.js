// The run's data, as the program wrote it behind the page's skeleton. Columns are decoded when they are first used.

const NONE = 0xffffffff;

function readRun() {
  const run = JSON.parse(byId('run').textContent);
  if (run.format !== 1) throw new Error(`the data have format ${run.format}; this page reads format 1`);
  return run;
}

const decoded = new Map();

/** The typed array behind a block reference; null stays null. Bytes are little-endian, as every browser's machine. */
function column(reference) {
  if (!reference) return null;
  if (!decoded.has(reference.block)) {
    const holder = byId(reference.block);
    const text = atob(holder.textContent);
    holder.remove(); // its text would stay in memory beside the array
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; ++i) bytes[i] = text.charCodeAt(i);
    const kinds = { u32: Uint32Array, f32: Float32Array, f64: Float64Array };
    decoded.set(reference.block, new kinds[reference.type](bytes.buffer, 0, reference.length));
  }
  return decoded.get(reference.block);
}

/** One source and token type. `labels` columns stand beside each other in label_counts, label_means and strongest_*. */
class FeatureTable {
  constructor(data, run, index) {
    this.data = data;
    this.run = run;
    this.index = index;
    this.rows = data.rows;
    this.universalRows = data.universal_rows;
    this.labels = run.labels.length;
  }

  get title() {
    return `${this.data.source} · ${this.data.token}`;
  }
  get ids() {
    return column(this.data.feature_id);
  }
  get prompts() {
    return column(this.data.num_prompts);
  }
  get mean() {
    return column(this.data.mean);
  }
  get max() {
    return column(this.data.max);
  }
  get min() {
    return column(this.data.min);
  }
  get labelCounts() {
    return column(this.data.label_counts);
  }
  get labelMeans() {
    return column(this.data.label_means);
  }
  get distribution() {
    return column(this.data.distribution);
  }
  get strongestPrompts() {
    return column(this.data.strongest_prompts);
  }
  get strongestValues() {
    return column(this.data.strongest_values);
  }
  get universalIds() {
    return this.ids.subarray(0, this.universalRows);
  }

  /** Share of the prompts on which the feature of a row is active. */
  share(row) {
    return this.data.prompts > 0 ? this.prompts[row] / this.data.prompts : NaN;
  }

  labelRate(row, label) {
    const prompts = this.data.prompts_per_label[label];
    return prompts > 0 ? this.labelCounts[row * this.labels + label] / prompts : NaN;
  }

  /** Row of a feature, or undefined. */
  rowOf(feature) {
    if (!this.rowsById) {
      this.rowsById = new Map();
      this.ids.forEach((id, row) => this.rowsById.set(id, row));
    }
    return this.rowsById.get(feature);
  }

  /** { chat, pt, type }, each a text, empty where there is none. */
  description(feature) {
    const all = this.data.descriptions ?? {};
    const found = Object.hasOwn(all, feature) ? all[feature] : {};
    return { chat: found.chat ?? '', pt: found.pt ?? '', type: found.type ?? '' };
  }

  get described() {
    return (this.anyDescription ??= Object.keys(this.data.descriptions ?? {}).length > 0);
  }

  link(feature) {
    return this.data.link.replaceAll('{feature_id}', String(feature));
  }

  /** Whether an id means the same feature in another table. */
  sameDictionary(other) {
    return this.data.source === other.data.source;
  }

  get contrast() {
    const data = this.data.contrast;
    if (!data) return null;
    this.contrastColumns ??= {
      rows: data.rows,
      leftOut: data.left_out,
      ids: column(data.feature_id),
      label: column(data.label),
      against: column(data.against),
      rateLabel: column(data.rate_label),
      rateAgainst: column(data.rate_against),
      meanLabel: column(data.mean_label),
      meanAgainst: column(data.mean_against),
      rateDifference: column(data.rate_difference),
      oddsRatio: column(data.odds_ratio),
      p: column(data.p_value),
      q: column(data.q_value),
    };
    return this.contrastColumns;
  }

  /** Lower-case text in which a search looks, for each described feature. */
  searchText(feature) {
    const { chat, pt, type } = this.description(feature);
    return `${chat}\n${pt}\n${type}`.toLowerCase();
  }
}
