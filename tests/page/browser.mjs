// A browser for the page's tests: the system's Chromium, driven by playwright-core from SAESCOPE_PLAYWRIGHT.
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function startBrowser() {
  const folder = process.env.SAESCOPE_PLAYWRIGHT;
  if (!folder) throw new Error('SAESCOPE_PLAYWRIGHT must name the folder that tools/fetch_browser_tests.sh filled');
  const { chromium } = createRequire(join(resolve(folder), 'node_modules/'))('playwright-core');
  const profile = mkdtempSync(join(tmpdir(), 'saescope-browser-'));
  const executablePath = process.env.SAESCOPE_CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({
    executablePath,
    headless: true,
    args: FLAGS,
    env: { ...process.env, HOME: profile },
  });
  return {
    browser,
    async stop() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Opens a file as a report and records what it asks for and what it says. `settings` as of newContext. */
export async function openReport(browser, file, settings = {}, place = '') {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    acceptDownloads: true,
    ...settings,
  });
  const page = await context.newPage();
  const address = pathToFileURL(resolve(file)).href;
  const seen = { requests: [], messages: [] };
  page.on('request', (request) => seen.requests.push(request.url().split('#')[0]));
  page.on('console', (message) => seen.messages.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => seen.messages.push(`error: ${error.message}`));
  await page.goto(address + place);
  return { page, context, seen, address };
}
