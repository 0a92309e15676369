// The page in a browser: every view, finding features, the keyboard, sizes, themes and paper.
//   SAESCOPE_PAGE=report_page.html SAESCOPE_PLAYWRIGHT=FOLDER node --test tests/page/
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openReport, startBrowser } from './browser.mjs';
import { syntheticReport } from './synthetic_report.mjs';

const VIEWS = ['summary', 'features', 'overlap', 'labels', 'contrast'];
const folder = mkdtempSync(join(tmpdir(), 'saescope-page-'));
let session;

function report(kind) {
  const file = join(folder, `${kind}.html`);
  writeFileSync(file, syntheticReport(readFileSync(process.env.SAESCOPE_PAGE, 'utf8'), kind));
  return file;
}

before(async () => {
  session = await startBrowser();
});
after(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens a report, runs the body, and checks that the page asked for nothing and said nothing. */
async function withReport(kind, settings, place, body) {
  const opened = await openReport(session.browser, report(kind), settings, place);
  try {
    await body(opened);
    assert.deepEqual(opened.seen.messages, []);
    assert.deepEqual([...new Set(opened.seen.requests)], [opened.address]);
  } finally {
    await opened.context.close();
  }
}

const cellTexts = (page, column) => page.locator(`.grid-body [aria-colindex="${column}"]`).allTextContents();
const numbersOf = async (page, column) =>
  (await cellTexts(page, column)).map((text) => Number(text.replaceAll(',', '')));
const rowCount = (page) =>
  page
    .locator('[role=grid]')
    .getAttribute('aria-rowcount')
    .then((text) => Number(text) - 1);
const ascending = (values) => values.every((value, i) => i === 0 || values[i - 1] <= value);

test('every view opens from the navigation', () =>
  withReport('small', {}, '', async ({ page }) => {
    for (const view of VIEWS) {
      await page.locator('#views a', { hasText: new RegExp(view, 'i') }).click();
      await page.locator(`.view-${view}`).waitFor();
      assert.equal(
        await page
          .locator('#views a[aria-current=page]')
          .textContent()
          .then((text) => text.toLowerCase()),
        view,
      );
      assert.equal(await page.locator('main > .view').count(), 1);
    }
  }));

test('a link names view, table, filters and feature', () =>
  withReport(
    'small',
    {},
    '#view=features&source=llama_trainer1_layer15&token=newline&min_prompts=30&sort=feature',
    async ({ page }) => {
      assert.match(await page.locator('.view-heading h2').textContent(), /layer15 · newline/);
      assert.equal(await page.locator('.field-number input').first().inputValue(), '30');
      assert.ok(ascending(await numbersOf(page, 1)));
      assert.ok((await numbersOf(page, 5)).every((prompts) => prompts >= 30));
      await page.locator('.feature-id').first().click();
      await page.locator('#feature[open]').waitFor();
      await page.waitForURL(/feature=\d+/);
      await page.goBack();
      await page.locator('#feature[open]').waitFor({ state: 'detached' });
      await page.waitForURL(/min_prompts=30/);
    },
  ));

test('columns sort both ways and back to the order of the CSV', () =>
  withReport('small', {}, '#view=features', async ({ page }) => {
    const first = await cellTexts(page, 1);
    const prompts = page.locator('[role=columnheader] button', { hasText: 'Prompts' });
    await prompts.click();
    assert.ok(ascending((await numbersOf(page, 5)).reverse()));
    await prompts.click();
    assert.ok(ascending(await numbersOf(page, 5)));
    assert.equal(await page.locator('[aria-sort=ascending]').count(), 1);
    await prompts.click();
    assert.deepEqual(await cellTexts(page, 1), first);
  }));

test('search and filters narrow the table', () =>
  withReport('small', {}, '#view=features', async ({ page }) => {
    const universal = await rowCount(page);
    await page.locator('.field-check input').check();
    const all = await rowCount(page);
    assert.ok(all > universal);
    await page.locator('[data-search]').fill('FEELINGS');
    const found = await rowCount(page);
    assert.ok(found > 0 && found < all);
    assert.ok((await cellTexts(page, 7)).every((text) => text.includes('feelings')));
    const [id] = await cellTexts(page, 1);
    await page.locator('[data-search]').fill(id);
    assert.ok((await cellTexts(page, 1)).every((text) => text.startsWith(id)));
    await page.locator('[data-search]').fill('');
    await page.locator('.field select').selectOption({ label: 'trivia' });
    assert.ok((await rowCount(page)) < all);
    await page.locator('[data-search]').fill('no such words');
    assert.equal(await rowCount(page), 0);
  }));

test('a feature opens with its prompts, labels, tokens and link', () =>
  withReport('small', {}, '#view=features', async ({ page }) => {
    await page.locator('.feature-id').first().click();
    const dialog = page.locator('#feature');
    const headings = await dialog.locator('h3').allTextContents();
    for (const wanted of [
      'Distribution over the prompts',
      'Activity per label',
      'Strongest prompts',
      'Tokens by activation',
      'At the token types of its source',
    ])
      assert.ok(headings.includes(wanted), wanted);
    const link = dialog.locator('.facts a');
    assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');
    assert.equal(await link.getAttribute('target'), '_blank');
    assert.ok((await dialog.locator('.tokens').textContent()).includes('↵'));
    await dialog.locator('.token').nth(2).hover();
    assert.match(await dialog.locator('.strip .cell-status').textContent(), /Token 3/);
    await dialog.getByRole('button', { name: 'newline' }).click();
    await page.waitForURL(/token=newline/);
  }));

test('the keyboard alone finds, sorts, opens and closes', () =>
  withReport('small', {}, '', async ({ page }) => {
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'skip');
    await page.keyboard.press('/');
    await page.waitForFunction(() => document.activeElement.hasAttribute('data-search'));
    await page.keyboard.type('feelings');
    await page.locator('[role=grid]').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    const active = await page.locator('[role=grid]').getAttribute('aria-activedescendant');
    assert.match(active, /-1-1$/);
    assert.equal(await page.locator(`#${active}.active`).count(), 1);
    const feature = await page.locator(`#${active}`).locator('xpath=..').locator('.feature-id').textContent();
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('#feature-title').textContent(), `Feature ${feature}`);
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => !document.getElementById('feature').open);
    await page.waitForURL((url) => !url.href.includes('feature='));
    await page.locator('[role=columnheader] button').first().focus();
    await page.keyboard.press('Enter');
    assert.ok(ascending(await numbersOf(page, 1)));
    await page.evaluate(() => {
      location.hash = 'view=overlap';
    });
    await page.locator('[data-cell][tabindex="0"]').focus();
    await page.keyboard.press('ArrowDown');
    assert.match(await page.locator('.view-overlap > .cell-status').textContent(), /Jaccard/);
    await page.keyboard.press('ArrowDown');
    assert.match(await page.locator('.view-overlap > .cell-status').textContent(), /different dictionaries.*by chance/);
    await page.keyboard.press('Enter');
    await page.locator('.shared-features h3').waitFor();
    await page.evaluate(() => {
      location.hash = 'view=labels';
    });
    await page.locator('[data-cell][tabindex="0"]').focus();
    await page.keyboard.press('ArrowRight');
    assert.match(await page.locator('.view-labels > .cell-status').textContent(), /active on \d+ of 15 prompts/);
    await page.keyboard.press('Enter');
    await page.locator('#feature[open]').waitFor();
  }));

test('screen readers get a grid with positions and names', () =>
  withReport('small', {}, '#view=features', async ({ page }) => {
    const grid = page.locator('[role=grid]');
    assert.equal(await grid.getAttribute('aria-colcount'), String(await page.locator('[role=columnheader]').count()));
    assert.match(await grid.getAttribute('aria-label'), /Features of/);
    assert.equal(await page.locator('.grid-body [role=row]').first().getAttribute('aria-rowindex'), '2');
    const nameless = await page.evaluate(
      () =>
        [...document.querySelectorAll('button, input, select, a')].filter(
          (control) =>
            !control.closest('[hidden]') &&
            !(control.textContent.trim() || control.getAttribute('aria-label') || control.labels?.length),
        ).length,
    );
    assert.equal(nameless, 0);
  }));

test('a point of the scatter plot names and opens its feature', () =>
  withReport('small', {}, '#view=features', async ({ page }) => {
    const over = page.locator('.chart').nth(1).locator('.u-over');
    const box = await over.boundingBox();
    for (let x = box.width - 20; x > 20 && (await page.locator('.scatter-ring').isHidden()); x -= 9) {
      for (let y = 20; y < box.height && (await page.locator('.scatter-ring').isHidden()); y += 40)
        await page.mouse.move(box.x + x, box.y + y);
    }
    const named = /Feature (\d+)/.exec(await page.locator('#tooltip strong').textContent())[1];
    await page.mouse.down();
    await page.mouse.up();
    assert.equal(await page.locator('#feature-title').textContent(), `Feature ${named}`);
  }));

test('light and dark follow the system and the button', () =>
  withReport('small', { colorScheme: 'dark' }, '#view=features', async ({ page }) => {
    const brightness = () =>
      page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)[0]));
    assert.ok((await brightness()) < 60);
    await page.emulateMedia({ colorScheme: 'light' });
    assert.ok((await brightness()) > 200);
    await page.locator('#theme').click();
    assert.ok((await brightness()) < 60);
    await page.reload();
    assert.ok((await brightness()) < 60, 'the choice is kept');
    await page.waitForFunction(() => document.querySelectorAll('.chart canvas').length === 2);
  }));

for (const [name, width, height] of [
  ['phone', 390, 844],
  ['tablet', 820, 1180],
  ['desktop', 1440, 900],
]) {
  for (const kind of ['small', 'hostile']) {
    test(`no view of the ${kind} report is wider than a ${name}`, () =>
      withReport(kind, { viewport: { width, height } }, '', async ({ page }) => {
        for (const view of VIEWS) {
          await page.evaluate((to) => {
            location.hash = `view=${to}`;
          }, view);
          await page.locator(`.view-${view}`).waitFor();
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(wide <= width, `${view}: ${wide}`);
        }
        await page.evaluate(() => {
          location.hash = 'view=features';
        });
        await page.locator('.feature-id').first().click();
        assert.ok(await page.locator('#feature').evaluate((dialog) => dialog.scrollWidth <= dialog.clientWidth));
      }));
  }
}

test('on paper stand the summary, the charts and the first rows', () =>
  withReport('small', {}, '#view=features', async ({ page }) => {
    await page.emulateMedia({ media: 'print' });
    await page.locator('.view-summary').waitFor();
    await page.waitForFunction(() => document.querySelectorAll('.chart canvas').length === 2);
    assert.equal(await page.locator('.print-only tbody tr').count(), 40);
    assert.ok(await page.locator('.print-only').isVisible());
    assert.ok(await page.locator('.grid-frame').isHidden());
    await page.emulateMedia({ media: 'screen' });
    await page.locator('.grid-frame').waitFor();
    assert.equal(await page.locator('main > .view').count(), 1);
  }));

test('50,000 rows keep few elements, and every row can be reached', (t) =>
  withReport('large', {}, '#view=features', async ({ page }) => {
    await page.locator('.grid-body .grid-row').first().waitFor();
    t.diagnostic(
      `first contentful paint after ${await page.evaluate(() => Math.round(performance.getEntriesByType('paint').at(-1)?.startTime ?? NaN))} ms`,
    );
    assert.equal(await rowCount(page), 50000);
    const elements = () => page.locator('.grid-body .grid-row').count();
    assert.ok((await elements()) < 80);
    await page.locator('[role=grid]').focus();
    await page.keyboard.press('Control+End');
    assert.equal(await page.locator('.grid-body .active').locator('xpath=..').getAttribute('aria-rowindex'), '50001');
    assert.ok((await elements()) < 80);
    await page.locator('[role=columnheader] button', { hasText: 'Feature' }).click();
    assert.ok(ascending(await numbersOf(page, 1)));
    await page.locator('[data-search]').fill('feelings');
    assert.ok((await rowCount(page)) < 50000);
    assert.ok((await page.evaluate(() => document.querySelectorAll('*').length)) < 3000);
  }));

test('hostile texts stand as text and nothing of them runs', () =>
  withReport('hostile', {}, '', async ({ page }) => {
    for (const view of VIEWS) {
      await page.evaluate((to) => {
        location.hash = `view=${to}`;
      }, view);
      await page.locator(`.view-${view}`).waitFor();
    }
    await page.evaluate(() => {
      location.hash = 'view=features';
    });
    await page.locator('.view-features').waitFor();
    assert.match(
      await page.locator('.view-heading h2').textContent(),
      /"><script>window\.harmed = 1<\/script>_trainer1_layer11 · <b>asst<\/b>/,
    );
    await page.locator('.feature-id').first().click();
    const text = await page.locator('#feature').textContent();
    for (const wanted of [
      '<script>window.harmed = 1</script>',
      '␀',
      '␛',
      '⟨U+202E⟩',
      '⟨U+2028⟩',
      '👩‍👩‍👧‍👦',
      '-->',
      '\ufffd alone',
    ])
      assert.ok(text.includes(wanted), wanted);
    const button = page.locator('#feature .facts button[aria-expanded]').first();
    await button.click();
    assert.equal(await button.textContent(), 'Show less');
    const second = page.locator('#feature .facts');
    await page.evaluate(() => {
      document.getElementById('feature').close();
    });
    await page.locator('#table-select').selectOption('1');
    await page.locator('.feature-id').first().click();
    assert.equal(await second.locator('a').count(), 0, 'only http and https become links');
    assert.ok((await second.textContent()).includes('javascript:window.harmed'));
    assert.equal(await page.evaluate(() => window.harmed), undefined);
    assert.equal(
      await page.locator('main script, dialog script, main img, dialog img, main svg, dialog svg').count(),
      0,
    );
  }));

test('where something is missing the page says what provides it', () =>
  withReport('sparse', {}, '#view=contrast', async ({ page }) => {
    const said = async (view, token) => {
      await page.evaluate(
        ([to, of]) => {
          location.hash = `view=${to}&source=llama_trainer1_layer3&token=${of}`;
        },
        [view, token],
      );
      await page.locator(`.view-${view}`).waitFor();
      await page.waitForFunction((of) => document.querySelector('.view-heading h2').textContent.endsWith(of), token);
      return page.locator(`.view-${view}`).textContent();
    };
    assert.match(await said('contrast', 'asst'), /at least 2 labels.*--contrast-output/);
    assert.match(await said('features', 'newline'), /--activation-threshold/);
    assert.match(await said('labels', 'newline'), /--prompts-path/);
    assert.match(await said('features', 'silent'), /2 chosen features encoded.*7.*–/);
    assert.match(await said('contrast', 'odd'), /∞.*–/);
    assert.match(await said('contrast', 'odd'), /4 further rows/);
    await said('features', 'odd');
    await page.locator('.feature-id').first().click();
    const feature = await page.locator('#feature').textContent();
    assert.match(feature, /--descriptions/);
    assert.match(feature, /--token-activations/);
  }));
