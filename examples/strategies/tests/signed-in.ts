import { expect, test as base } from 'gemba-agent';
import type { Browser, BrowserContext } from '@playwright/test';

const ADA = { user: 'ada', password: 'lovelace' };

export { expect };

/** The cookie of a session, from whichever way to sign in works best now. */
export const test = base.extend<{ session: string }>({
  session: async ({ gemba, request, browser }, use) => {
    const session = await gemba.run(
      'sign in',
      {
        // Quick.
        async api() {
          const response = await request.post('/api/sign-in', { data: ADA });
          // Not `expect`: a failed check is the product's failure, and no other way would be tried.
          if (!response.ok()) throw new Error(`the API answered ${response.status()}`);
          return sessionOf(await request.storageState());
        },
        // Slow, and works also when the API does not.
        form: ({ signal }) => signInByForm(browser, signal),
      },
      { timeoutMs: 45_000 },
    );
    await use(session);
  },
});

async function signInByForm(browser: Browser, signal: AbortSignal): Promise<string> {
  const context = await browser.newContext();
  // What takes too long is given up; closing its page ends whatever waits for it.
  signal.addEventListener('abort', () => void context.close());
  try {
    const page = await context.newPage();
    await page.goto('/sign-in');
    await page.getByLabel('Name').fill(ADA.user);
    await page.getByLabel('Password').fill(ADA.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL('/account');
    return sessionOf(await context.storageState());
  } finally {
    await context.close();
  }
}

function sessionOf({ cookies }: Awaited<ReturnType<BrowserContext['storageState']>>): string {
  const cookie = cookies.find(({ name }) => name === 'session');
  if (!cookie) throw new Error('no session was opened');
  return `session=${cookie.value}`;
}
