// Makes reports from the page and seeded random data in the layout that the program writes.
//   node synthetic_report.mjs PAGE.html KIND OUTPUT.html      KIND: small, large, hostile, sparse
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { BINS, Blocks, EDGES, NONE, STRONGEST, generator, histogram, makeTable } from './synthetic_tables.mjs';

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
