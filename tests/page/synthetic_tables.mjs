// Tables of a synthetic report: features with statistics, labels, contrasts and descriptions, from seeded random numbers.

/** Numbers in [0, 1) that depend on the seed only (mulberry32). */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Collects typed arrays; a reference to each stands in the JSON. */
export class Blocks {
  constructor() {
    this.elements = [];
  }

  add(array) {
    const block = `b${this.elements.length}`;
    const type = array instanceof Uint32Array ? 'u32' : array instanceof Float32Array ? 'f32' : 'f64';
    const bytes = Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64');
    this.elements.push(`<script type="text/plain" id="${block}">${bytes}</script>`);
    return { block, type, length: array.length };
  }
}

export const NONE = 0xffffffff;
export const EDGES = [...Array.from({ length: 21 }, (_, i) => 0.01 * 10 ** (i / 5)), null];
export const BINS = EDGES.length - 1;
export const STRONGEST = 3;

/** One feature's activations on every prompt: a frequency, a strength, and for some a preferred label. */
function activations(random, prompts, labels) {
  const frequency = random() ** 6 * 0.98 + 0.005;
  const strength = 10 ** (random() * 2 - 1) * (0.4 + frequency);
  const preferred = random() < 0.3 ? Math.floor(random() * labels) : -1;
  const certain = Math.floor(random() * prompts.length); // every feature is active somewhere
  return prompts.map(({ label }, index) => {
    const chance = preferred < 0 ? frequency : label === preferred ? Math.min(1, frequency * 3 + 0.2) : frequency * 0.3;
    return index === certain || random() < chance ? Math.fround(Math.max(0.011, strength * (0.5 + random()))) : 0;
  });
}

function statistics(id, values) {
  const active = values.filter((value) => value > 0);
  return {
    id,
    values,
    prompts: active.length,
    mean: Math.fround(active.reduce((sum, value) => sum + value, 0) / active.length),
    max: Math.max(...values),
    min: Math.min(...values),
  };
}

function tableColumns(blocks, features, prompts, labels) {
  const groups = labels.length;
  const counts = new Uint32Array(features.length * groups);
  const means = new Float32Array(features.length * groups);
  const distribution = new Uint32Array(features.length * BINS);
  const positions = new Uint32Array(features.length * groups * STRONGEST).fill(NONE);
  const strongest = new Float32Array(features.length * groups * STRONGEST);
  features.forEach(({ values }, row) => {
    values.forEach((value, prompt) => {
      if (value <= 0) return;
      counts[row * groups + prompts[prompt].label] += 1;
      means[row * groups + prompts[prompt].label] += value;
      const bin = EDGES.findLastIndex((edge) => edge !== null && value >= edge);
      distribution[row * BINS + Math.max(0, bin)] += 1;
    });
    labels.forEach((_, label) => {
      const members = prompts.map((prompt, index) => index).filter((index) => prompts[index].label === label);
      if (members.length) means[row * groups + label] /= members.length;
      members
        .filter((index) => values[index] > 0)
        .sort((a, b) => values[b] - values[a])
        .slice(0, STRONGEST)
        .forEach((index, k) => {
          positions[(row * groups + label) * STRONGEST + k] = index;
          strongest[(row * groups + label) * STRONGEST + k] = values[index];
        });
    });
  });
  return {
    feature_id: blocks.add(Uint32Array.from(features, ({ id }) => id)),
    num_prompts: blocks.add(Uint32Array.from(features, (f) => f.prompts)),
    mean: blocks.add(Float32Array.from(features, ({ mean }) => mean)),
    max: blocks.add(Float32Array.from(features, ({ max }) => max)),
    min: blocks.add(Float32Array.from(features, ({ min }) => min)),
    label_counts: blocks.add(counts),
    label_means: blocks.add(means),
    distribution: blocks.add(distribution),
    strongest_prompts: blocks.add(positions),
    strongest_values: blocks.add(strongest),
    counts,
    means,
  };
}

function contrastRows(blocks, features, prompts, labels, counts, means, random, infinite) {
  const perLabel = labels.map((_, label) => prompts.filter((prompt) => prompt.label === label).length);
  const rows = [];
  features.forEach(({ id }, row) =>
    labels.forEach((_, label) => {
      const rate = counts[row * labels.length + label] / perLabel[label];
      const others = labels.map((__, other) => other).filter((other) => other !== label);
      const restCount = others.reduce((sum, other) => sum + counts[row * labels.length + other], 0);
      const restRate = restCount / others.reduce((sum, other) => sum + perLabel[other], 0);
      if (Math.abs(rate - restRate) < 0.35) return;
      const odds = rate / (1 - rate) / (restRate / (1 - restRate));
      rows.push({
        id,
        label,
        against: labels.length === 2 ? others[0] : NONE,
        rate,
        restRate,
        mean: means[row * labels.length + label],
        restMean: random(),
        odds: infinite ? [Infinity, NaN, 0][rows.length % 3] : odds,
        p: random() ** 12,
      });
    }),
  );
  rows.sort((a, b) => a.p - b.p);
  const f64 = (value) => blocks.add(Float64Array.from(rows, value));
  const u32 = (value) => blocks.add(Uint32Array.from(rows, value));
  return {
    rows: rows.length,
    left_out: 0,
    feature_id: u32((r) => r.id),
    label: u32((r) => r.label),
    against: u32((r) => r.against),
    rate_label: f64((r) => r.rate),
    rate_against: f64((r) => r.restRate),
    mean_label: f64((r) => r.mean),
    mean_against: f64((r) => r.restMean),
    rate_difference: f64((r) => r.rate - r.restRate),
    odds_ratio: f64((r) => r.odds),
    p_value: f64((r) => r.p),
    q_value: f64((r) => Math.min(1, r.p * 10)),
  };
}

const DESCRIPTIONS = [
  'first-person statements about being an assistant',
  'requests for a list of steps',
  'polite refusals',
  'beginning of a reply',
  'questions about feelings',
  'mathematical notation',
  'code blocks in Python',
  'dates and times',
];

/** A histogram with single counts up to 10, then ranges. */
export function histogram(features, prompts, never) {
  const bins = [{ from: 0, to: 0, features: never }];
  for (let from = 1; from <= prompts;) {
    const to = Math.min(prompts, from < 10 ? from : from + Math.ceil(prompts / 20) - 1);
    bins.push({
      from,
      to,
      features: features.filter((feature) => feature.prompts >= from && feature.prompts <= to).length,
    });
    from = to + 1;
  }
  return bins;
}

export function makeTable(
  blocks,
  random,
  { model, layer, token, prompts, labels, features: wanted, text, infinite, threshold },
) {
  const dictionary = Math.max(4096, wanted * 2);
  const ids = new Set();
  while (ids.size < wanted) ids.add(Math.floor(random() ** 2 * dictionary));
  const features = [...ids]
    .map((id) => statistics(id, activations(random, prompts, labels.length)))
    .filter((feature) => feature.prompts > 0);
  const byMean = (a, b) => b.mean - a.mean || a.id - b.id;
  const universal = features.filter((feature) => feature.prompts >= threshold * prompts.length).sort(byMean);
  const all = [
    ...universal,
    ...features
      .filter((feature) => feature.prompts < threshold * prompts.length)
      .sort((a, b) => b.prompts - a.prompts || byMean(a, b)),
  ];
  const { counts, means, ...columns } = tableColumns(blocks, all, prompts, labels);
  const descriptions = {};
  all.forEach(({ id }, row) => {
    if (row % 2 === 0) descriptions[id] = text(DESCRIPTIONS[id % DESCRIPTIONS.length], row);
  });
  return {
    source: `${model}_trainer1_layer${layer}`,
    model,
    trainer: '1',
    layer,
    token,
    sae: `/data/saes/layer${layer}/ae.pt`,
    dict_size: dictionary,
    prompts: prompts.length,
    prompts_per_label: labels.map((_, label) => prompts.filter((prompt) => prompt.label === label).length),
    link: `https://example.org/${layer}/{feature_id}`,
    all_features: true,
    histogram: histogram(all, prompts.length, dictionary - all.length),
    rows: all.length,
    universal_rows: universal.length,
    left_out: 0,
    ...columns,
    descriptions,
    token_activations: all.length
      ? [
          {
            feature_id: all[0].id,
            prompt: 0,
            activations: prompts[0].tokens.map((_, index) => (index % 4 === 1 ? 0 : Math.round(random() * 800) / 100)),
          },
        ]
      : [],
    contrast:
      labels.length > 1
        ? contrastRows(blocks, all.slice(0, 2000), prompts, labels, counts, means, random, infinite)
        : null,
  };
}
