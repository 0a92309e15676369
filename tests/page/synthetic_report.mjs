// Makes reports from the page and seeded random data in the layout that the program writes.
//   node synthetic_report.mjs PAGE.html KIND OUTPUT.html      KIND: small, large, hostile, sparse
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Numbers in [0, 1) that depend on the seed only (mulberry32). */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Collects typed arrays; a reference to each stands in the JSON. */
class Blocks {
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

const NONE = 0xffffffff;
const EDGES = [...Array.from({ length: 21 }, (_, i) => 0.01 * 10 ** (i / 5)), null];
const BINS = EDGES.length - 1;
const STRONGEST = 3;

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
function histogram(features, prompts, never) {
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

function makeTable(
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

/** Texts that would do harm where a page took them for anything but text. */
export const HOSTILE = [
  '<script>window.harmed = 1</script>',
  '</script><img src=x onerror="window.harmed = 1">',
  '<!-- <script>',
  '-->',
  ']]>',
  `"quotes" 'single' \\back\\slash`,
  'مرحبا \u202Ereversed\u202C עברית',
  '👩‍👩‍👧‍👦 😀 \u{1F3F4}',
  'nul \u0000 bell \u0007 escape \u001b[31m',
  'line\u2028separator\u2029',
  'a,b\r\nc',
  '{feature_id} ${x} `tick`',
  '\ud800 alone',
  '<svg onload="window.harmed = 1">',
];

const KINDS = {
  small: {
    labels: ['self-referential', 'trivia', 'code', ''],
    prompts: 60,
    features: 320,
    layers: [11, 15],
    tokens: ['asst', 'newline'],
  },
  large: { labels: ['a', 'b'], prompts: 40, features: 50000, layers: [11], tokens: ['asst'], threshold: 0 },
  hostile: {
    labels: HOSTILE.slice(0, 9),
    prompts: 40,
    features: 120,
    layers: [11],
    tokens: ['<b>asst</b>', '"&amp;'],
    hostile: true,
  },
  sparse: { labels: ['only'], prompts: 12, features: 40, layers: [3], tokens: ['asst'] },
};

/** The run of a kind, and its blocks. */
export function syntheticRun(kind) {
  const shape = KINDS[kind];
  const random = generator(20240917 + kind.length);
  const blocks = new Blocks();
  const long = `${HOSTILE.join(' ')} `.repeat(400).slice(0, 100000);
  const words = 'What is it like to be you when nobody asks a question and the light is off'.split(' ');
  const prompts = Array.from({ length: shape.prompts }, (_, idx) => {
    const text = shape.hostile
      ? idx % 10 === 0
        ? long
        : HOSTILE[idx % HOSTILE.length]
      : Array.from({ length: 6 + Math.floor(random() * 90) }, () => words[Math.floor(random() * words.length)]).join(
          ' ',
        );
    const tokens = shape.hostile
      ? [...HOSTILE, '\n', ' ', '\t', long]
      : [
          '<|begin_of_text|>',
          '<|start_header_id|>',
          'user',
          '<|end_header_id|>',
          '\n\n',
          ...text.split(' ').map((word, i) => (i ? ` ${word}` : word)),
          '<|eot_id|>',
          '<|start_header_id|>',
          'assistant',
          '<|end_header_id|>',
          '\n\n',
        ];
    return {
      idx,
      label: idx % shape.labels.length,
      place: shape.hostile ? `${HOSTILE[idx % HOSTILE.length]}:${idx}` : `prompts.jsonl:${idx + 1}`,
      text,
      characters: [...text].length + (idx % 7 === 0 ? 50 : 0),
      tokens,
    };
  });
  const model = shape.hostile ? '"><script>window.harmed = 1</script>' : 'llama';
  const text = (description, row) =>
    shape.hostile
      ? {
          chat: row === 0 ? long : HOSTILE[row % HOSTILE.length],
          pt: HOSTILE[(row + 3) % HOSTILE.length],
          type: 'a,"b"\nc',
        }
      : { chat: description, ...(row % 4 === 0 ? { pt: `${description} in plain text`, type: 'style' } : {}) };
  const tables = [];
  for (const layer of shape.layers) {
    for (const token of shape.tokens)
      tables.push(
        makeTable(blocks, random, {
          model,
          layer,
          token,
          prompts,
          labels: shape.labels,
          features: shape.features,
          text,
          infinite: shape.hostile,
          threshold: shape.threshold ?? 0.3,
        }),
      );
  }
  if (shape.hostile) tables[1].link = 'javascript:window.harmed=1//{feature_id}';
  if (kind === 'sparse') {
    Object.assign(tables[0], { descriptions: {}, token_activations: [], contrast: null, link: '' });
    const empty = { feature_id: new Uint32Array(0), mean: new Float32Array(0) };
    tables.push({
      ...tables[0],
      token: 'newline',
      rows: 0,
      universal_rows: 0,
      histogram: [{ from: 0, to: 0, features: tables[0].dict_size }],
      feature_id: blocks.add(empty.feature_id),
      num_prompts: blocks.add(empty.feature_id),
      mean: blocks.add(empty.mean),
      max: blocks.add(empty.mean),
      min: blocks.add(empty.mean),
      label_counts: null,
      label_means: null,
      distribution: blocks.add(empty.feature_id),
      strongest_prompts: null,
      strongest_values: null,
    });
    const silent = blocks.add(new Float32Array([NaN, 0]));
    tables.push({
      ...tables[1],
      token: 'silent',
      all_features: false,
      rows: 2,
      histogram: [{ from: 0, to: 0, features: 2 }],
      feature_id: blocks.add(Uint32Array.from([7, 9])),
      num_prompts: blocks.add(new Uint32Array(2)),
      mean: silent,
      max: silent,
      min: silent,
      distribution: blocks.add(new Uint32Array(2 * BINS)),
    });
    const odd = new Float64Array([Infinity, NaN, 1.5]);
    const ids = Uint32Array.from([0, 1, 2]);
    const label = blocks.add(new Uint32Array(3));
    const numbers = Object.fromEntries(
      [
        'rate_label',
        'rate_against',
        'mean_label',
        'mean_against',
        'rate_difference',
        'odds_ratio',
        'p_value',
        'q_value',
      ].map((name) => [name, blocks.add(odd)]),
    );
    tables.push({
      ...tables[0],
      token: 'odd',
      label_counts: null,
      label_means: null,
      strongest_prompts: null,
      strongest_values: null,
      contrast: {
        rows: 3,
        left_out: 4,
        feature_id: blocks.add(ids),
        label,
        against: blocks.add(new Uint32Array(3).fill(NONE)),
        ...numbers,
      },
    });
  }
  const run = {
    format: 1,
    program: { name: 'run_sae_analysis', version: '0.4.0' },
    created: '2026-11-24T12:00:00Z',
    analysis: 'both',
    threshold: shape.threshold ?? 0.3,
    activation_threshold: 0.01,
    contrast_q: 0.05,
    command: shape.hostile
      ? `run_sae_analysis ${long}`
      : 'run_sae_analysis --analysis both --universal-output results/universal.csv --features-csv features.csv --specific-output results/specific.csv --threshold 0.3',
    dtype: 'bf16',
    device: 'CPU, avx512_core_bf16, 2 threads',
    stages: [
      { name: 'prepare', seconds: 0.04, peak_bytes: 60e6 },
      { name: 'forward', seconds: 13.38, peak_bytes: 163e6 },
      { name: 'encode', seconds: 2.41, peak_bytes: 171e6 },
      { name: 'write', seconds: 0.2, peak_bytes: 171e6 },
    ],
    notes: shape.hostile
      ? HOSTILE
      : [
          '60 prompts, 3,471 tokens, 2,817 distinct prefixes computed in 1 wave.',
          'Device: CPU, oneDNN 2.6.3, avx512_core_bf16, 2 threads.',
        ],
    labels: shape.labels,
    models: [
      {
        name: model,
        model: shape.hostile ? HOSTILE[1] : 'meta-llama/Llama-3.1-8B-Instruct',
        prompts: prompts.length,
        left_out: 0,
        prompts_per_label: shape.labels.map((_, label) => prompts.filter((prompt) => prompt.label === label).length),
      },
    ],
    prompts: prompts.map(({ tokens, ...prompt }) => prompt),
    distribution_edges: EDGES,
    strongest_per_label: STRONGEST,
    tables,
    tokenized: [{ model, prompt: 0, tokens: prompts[0].tokens }],
  };
  return { run, blocks };
}

/** The report's HTML, written as the program does. */
export function syntheticReport(template, kind) {
  const { run, blocks } = syntheticRun(kind);
  const json = JSON.stringify(run)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
  const [head, tail] = template.split('<!--DATA-->');
  return `${head}<script type="application/json" id="run">${json}</script>\n${blocks.elements.join('\n')}\n${tail}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , page, kind, output] = process.argv;
  if (!output || !KINDS[kind])
    throw new Error(`usage: synthetic_report.mjs PAGE.html ${Object.keys(KINDS).join('|')} OUTPUT.html`);
  writeFileSync(output, syntheticReport(readFileSync(page, 'utf8'), kind));
}
