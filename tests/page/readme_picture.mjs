// The README's picture: a report's feature view beside its table.
//   SAESCOPE_PLAYWRIGHT=FOLDER node readme_picture.mjs REPORT.html PICTURE.png
import { openReport, startBrowser } from './browser.mjs';

const [, , report, picture] = process.argv;
if (!picture) throw new Error('usage: readme_picture.mjs REPORT.html PICTURE.png');

const { browser, stop } = await startBrowser();
try {
  const { page } = await openReport(browser, report, { viewport: { width: 1280, height: 860 }, colorScheme: 'light' });
  await page.evaluate(() => {
    location.hash = 'view=features';
  });
  await page.waitForTimeout(300);
  await page.screenshot({ path: picture });
} finally {
  await stop();
}
