import { existsSync } from 'node:fs';
import { chromium as playwright } from '@playwright/test';

const own = playwright.executablePath();
const system = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) =>
  existsSync(file),
);

/** Playwright's own Chromium, else the system's. Page tests are skipped where there is neither. */
export const chromium = {
  found: existsSync(own) || system !== undefined,
  launchOptions: existsSync(own) || system === undefined ? {} : { executablePath: system },
  hint: 'No Chromium here: npx playwright install chromium',
};
