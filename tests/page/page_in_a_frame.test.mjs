// The page inside a sandboxed frame, as notebooks show it: without a history, storage or address of its own.
//   SAESCOPE_PAGE=report_page.html SAESCOPE_PLAYWRIGHT=FOLDER node --test tests/page/
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openReport, startBrowser } from './browser.mjs';
import { syntheticReport } from './synthetic_report.mjs';

const folder = mkdtempSync(join(tmpdir(), 'saescope-frame-'));
let session;
before(async () => {
  session = await startBrowser();
});
after(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

const attribute = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
const SANDBOX = 'sandbox="allow-scripts allow-downloads allow-popups allow-popups-to-escape-sandbox" width="1300" height="800"';

/** The two frames that Python's Report makes of a page: its text inside the notebook, or a file beside it. */
function notebook(kind) {
  const report = syntheticReport(readFileSync(process.env.SAESCOPE_PAGE, 'utf8'), 'small');
  writeFileSync(join(folder, 'report.html'), report);
  const content = kind === 'text' ? `srcdoc="${attribute(report)}"` : 'src="report.html"';
  const file = join(folder, `notebook_${kind}.html`);
  writeFileSync(file, `<!doctype html><title>notebook</title><p>before<iframe ${content} ${SANDBOX}></iframe>`);
  return file;
}

for (const kind of ['text', 'file']) {
  test(`the ${kind} of a page works in a sandboxed frame`, async () => {
    const { page, context, seen, address } = await openReport(session.browser, notebook(kind));
    try {
      const frame = page.frameLocator('iframe');
      const views = ['summary', 'features', 'overlap', 'labels', 'contrast'];
      for (const view of [...views, 'features']) {
        await frame.locator('#views a', { hasText: new RegExp(view, 'i') }).click();
        await frame.locator(`.view-${view}`).waitFor();
      }
      const status = frame.locator('.table-status');
      const all = await status.textContent();
      await frame.locator('[data-search]').fill('feelings');
      assert.notEqual(await status.textContent(), all);
      const prompts = frame.locator('[role=columnheader] button', { hasText: 'Prompts' });
      await prompts.click();
      const first = await frame.locator('.feature-id').first().textContent();
      await frame.locator('.feature-id').first().click();
      await frame.locator('#feature[open]').waitFor();
      assert.match(await frame.locator('#feature-title').textContent(), new RegExp(first.trim()));
      await page.keyboard.press('Escape');
      await frame.locator('#feature[open]').waitFor({ state: 'detached' });
      // Filters and order are where they were before the feature was opened.
      assert.equal(await frame.locator('[data-search]').inputValue(), 'feelings');
      assert.equal(await frame.locator('[aria-sort=descending]').count(), 1);
      await frame.locator('#theme').click();
      const [exported] = await Promise.all([page.waitForEvent('download'), frame.locator('.export-shown').click()]);
      assert.match(readFileSync(await exported.path(), 'utf8'), /^feature_id,/);
      assert.deepEqual(seen.messages, []);
      assert.equal(page.url(), address);
      assert.equal(await page.locator('p').textContent(), 'before');
    } finally {
      await context.close();
    }
  });
}
