// What the page exports is, byte for byte, what the program's CSV files hold. With SAESCOPE_REPORT and the paths of its
// CSV files a report of the program is compared too.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openReport, startBrowser } from './browser.mjs';
import { syntheticReport, syntheticRun } from './synthetic_report.mjs';

const folder = mkdtempSync(join(tmpdir(), 'saescope-export-'));
let session;
before(async () => {
  session = await startBrowser();
});
after(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

function report(kind) {
  const file = join(folder, `${kind}.html`);
  writeFileSync(file, syntheticReport(readFileSync(process.env.SAESCOPE_PAGE, 'utf8'), kind));
  return file;
}

/** The text of the file that a button hands to the browser. */
async function exported(page, button) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.locator(button).click()]);
  return readFileSync(await file.path(), 'utf8');
}

async function exportOf(file, place, button, prepare = async () => {}) {
  const { page, context, seen } = await openReport(session.browser, file, {}, place);
  try {
    await prepare(page);
    const text = await exported(page, button);
    assert.deepEqual(seen.messages, []);
    return text;
  } finally {
    await context.close();
  }
}

/** Records of a CSV text. */
function records(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\n|$)/g)) {
    if (quoted === undefined && plain === '' && end === '') break;
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '\n') rows.push([]);
  }
  return rows.filter((row) => row.length > 0);
}

/** The values of a block of a run. */
function values(blocks, { block, type, length }) {
  const text = />([^<]*)</.exec(blocks.elements[Number(block.slice(1))])[1];
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return new { u32: Uint32Array, f32: Float32Array, f64: Float64Array }[type](bytes.buffer, 0, length);
}

for (const kind of ['small', 'hostile']) {
  test(`the universal CSV of the ${kind} report has its values`, async () => {
    const { run, blocks } = syntheticRun(kind);
    const [header, ...rows] = records(await exportOf(report(kind), '#view=features', '.export-all'));
    assert.equal(
      header.join(),
      'feature_id,activation_mean,activation_max,activation_min,num_prompts,chat_desc,pt_desc,type,source,token,link',
    );
    const expected = run.tables.flatMap((table) => {
      const columns = ['feature_id', 'mean', 'max', 'min', 'num_prompts'].map((name) => values(blocks, table[name]));
      return Array.from({ length: table.universal_rows }, (_, row) => {
        const id = columns[0][row];
        const { chat = '', pt = '', type = '' } = table.descriptions[id] ?? {};
        // A file has no lone surrogates: the browser writes the replacement character.
        const texts = [chat, pt, type, table.source, table.token, table.link.replaceAll('{feature_id}', id)].map(
          (text) => Buffer.from(text).toString(),
        );
        return { numbers: columns.map((column) => column[row]), texts };
      });
    });
    assert.equal(rows.length, expected.length);
    rows.forEach((row, at) => {
      assert.deepEqual(
        row.slice(0, 5).map((text) => Math.fround(Number(text))),
        expected[at].numbers,
      );
      assert.deepEqual(row.slice(5), expected[at].texts);
    });
  });
}

test('contrasts export with Infinity, NaN and the rest', async () => {
  const text = await exportOf(report('sparse'), '#view=contrast&source=llama_trainer1_layer3&token=odd', '.export-all');
  assert.equal(
    text,
    'feature_id,label,against,rate_label,rate_against,mean_label,mean_against,rate_difference,odds_ratio,p_value,q_value,source,token,link\n' +
      ['inf', '', '1.5']
        .map((number, id) => `${id},only,rest,${Array(8).fill(number).join()},llama_trainer1_layer3,odd,\n`)
        .join(''),
  );
});

test('the export of the rows on show has their order and filter', async () => {
  let shown;
  const text = await exportOf(
    report('small'),
    '#view=features&min_prompts=25&sort=-prompts',
    '.export-shown',
    async (page) => {
      shown = (await page.locator('.table-status').textContent()).split(' ')[0];
    },
  );
  const prompts = records(text)
    .slice(1)
    .map((row) => Number(row[4]));
  assert.equal(prompts.length, Number(shown));
  assert.ok(prompts.every((value, i) => value >= 25 && (i === 0 || prompts[i - 1] >= value)));
});

test('numbers are written as Python writes them', () => {
  const source = new URL('../../src/output/page/numbers.js', import.meta.url);
  const { float32Text, float64Text, csvField } = new Function(
    `${readFileSync(source, 'utf8')}; return { float32Text, float64Text, csvField };`,
  )();
  const cases = [
    [0.85, '0.85'],
    [1e-5, '1e-05'],
    [12, '12.0'],
    [1e16, '1e+16'],
    [0.0001, '0.0001'],
    [123456789, '123456790.0'],
    [16777216, '16777216.0'],
    [0, '0.0'],
    [-0, '-0.0'],
    [1e15, '1000000000000000.0'],
    [3.4028235e38, '3.4028235e+38'],
    [1e-45, '1e-45'],
    [-2.5, '-2.5'],
    [2 ** -44, '5.684342e-14'],
    [2 ** -12, '0.00024414062'],
    [4253.03125, '4253.0312'],
    [2 ** 90, '1.2379401e+27'],
  ];
  for (const [value, text] of cases) assert.equal(float32Text(Math.fround(value)), text);
  for (let exponent = -149; exponent < 128; ++exponent)
    assert.equal(Math.fround(Number(float32Text(2 ** exponent))), 2 ** exponent);
  for (const [value, text] of [
    [0.1, '0.1'],
    [1e-5, '1e-05'],
    [1e16, '1e+16'],
    [1e22, '1e+22'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [NaN, ''],
    [1 / 3, '0.3333333333333333'],
    [123456789012345680, '1.2345678901234568e+17'],
  ])
    assert.equal(float64Text(value), text);
  for (const [field, text] of [
    ['a,b', '"a,b"'],
    ['a"b', '"a""b"'],
    ['a\rb', '"a\rb"'],
    ['a b', 'a b'],
    ["'", "'"],
  ])
    assert.equal(csvField(field), text);
});

for (const [variable, view] of [
  ['SAESCOPE_UNIVERSAL_CSV', 'features'],
  ['SAESCOPE_CONTRAST_CSV', 'contrast'],
]) {
  const skip =
    process.env.SAESCOPE_REPORT && process.env[variable] ? false : `SAESCOPE_REPORT and ${variable} are not set`;
  test(`the page of a run exports its CSV file: ${view}`, { skip }, async () => {
    assert.equal(
      await exportOf(process.env.SAESCOPE_REPORT, `#view=${view}`, '.export-all'),
      readFileSync(process.env[variable], 'utf8'),
    );
  });
}
