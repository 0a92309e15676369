// Pictures of every view of a report at three sizes, light and dark.
//   SAESCOPE_PLAYWRIGHT=FOLDER node screenshots.mjs REPORT.html FOLDER
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openReport, startBrowser } from './browser.mjs';

const [, , report, folder] = process.argv;
if (!folder) throw new Error('usage: screenshots.mjs REPORT.html FOLDER');
mkdirSync(folder, { recursive: true });

const SIZES = { phone: [390, 844], tablet: [820, 1180], desktop: [1440, 900] };
const VIEWS = ['summary', 'features', 'overlap', 'labels', 'contrast'];
const { browser, stop } = await startBrowser();
try {
  for (const [size, [width, height]] of Object.entries(SIZES)) {
    for (const colorScheme of ['light', 'dark']) {
      const { page, context } = await openReport(browser, report, { viewport: { width, height }, colorScheme });
      for (const view of VIEWS) {
        await page.evaluate((name) => {
          location.hash = `view=${name}`;
        }, view);
        await page.waitForTimeout(150);
        await page.screenshot({ path: join(folder, `${view}-${size}-${colorScheme}.png`), fullPage: true });
      }
      await page.evaluate(() => {
        location.hash = 'view=features';
      });
      const feature = page.locator('.feature-id').first();
      if (await feature.count()) {
        await feature.click();
        await page.waitForTimeout(250);
        await page.screenshot({ path: join(folder, `feature-${size}-${colorScheme}.png`) });
        // The lower half too: a dialog scrolls inside of the window.
        await page.locator('#feature').evaluate((dialog) => {
          dialog.scrollTop = dialog.scrollHeight / 2;
        });
        await page.screenshot({ path: join(folder, `feature-below-${size}-${colorScheme}.png`) });
      }
      await context.close();
    }
  }
} finally {
  await stop();
}
