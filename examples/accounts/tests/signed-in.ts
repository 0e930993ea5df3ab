import { accountFixtures, expect, test as base } from 'gemba-agent';

export { expect };

/** Playwright's test, whose `request`, `context` and `page` are signed in as the account that the test has leased. */
export const test = base.extend(
  accountFixtures({
    // Once per account, over tests, workers and runs; and again where the session has expired.
    signIn: async ({ lease, newPage }) => {
      const { username = '', password = '' } = lease.key?.fields ?? {};
      const page = await newPage();
      await page.goto('/sign-in');
      await page.getByLabel('User name').fill(username);
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForURL('/');
    },
    signedOut: ({ url }) => url.pathname === '/sign-in',
    // Before the next test of an account whose last test failed, timed out or crashed.
    reset: async ({ request }) => {
      await request.delete('/basket');
    },
  }),
);
