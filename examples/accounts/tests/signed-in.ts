import { existsSync } from 'node:fs';
import path from 'node:path';
import type { PlaywrightWorkerArgs } from '@playwright/test';
import { expect, test as base } from 'gemba-agent';
import type { Lease } from 'gemba-agent';

export { expect };

/**
 * Playwright's test, whose `request`, `context` and `page` are signed in as the account that the test has leased; a `page`
 * begins at the shop's front page.
 */
export const test = base.extend<object>({
  // Whatever Playwright makes for the test begins with this session.
  storageState: async ({ lease, playwright }, use, testInfo) => {
    const folder = path.join(testInfo.project.outputDir, '.auth');
    await use(await sessionOf(lease, playwright, folder));
  },

  page: async ({ page, lease }, use) => {
    await page.goto('/');
    await expect(page.getByRole('status')).toHaveText(`Signed in as ${lease.key?.fields['username']}`);
    await use(page);
  },
});

/**
 * The file of the account's session: signed in by the first test that leases the account, and used again by all later
 * ones. Nobody else has the account at the same time, so this needs no lock, and no two tests are ever in one session at once.
 */
async function sessionOf(
  { endpoint, key }: Lease,
  playwright: PlaywrightWorkerArgs['playwright'],
  folder: string,
): Promise<string> {
  if (!endpoint || !key) throw new Error('the pool has no endpoint or no account');
  const file = path.join(folder, `${key.name}.json`);
  if (existsSync(file)) return file;
  const context = await playwright.request.newContext({ baseURL: endpoint.url });
  const { username = '', password = '' } = key.fields;
  const response = await context.post('/sign-in', { form: { username, password } });
  if (!response.ok()) throw new Error(`${key.name} could not sign in: ${response.status()}`);
  await context.storageState({ path: file });
  await context.dispose();
  return file;
}
