import { expect, test } from './signed-in.ts';

test.describe('an administrator', () => {
  test.use({ gembaNeed: { role: 'admin' } });

  test('sees the revenue', async ({ page }) => {
    await page.goto('/revenue');
    await expect(page.getByRole('heading')).toHaveText('Revenue');
  });

  test('has a shopper beside', async ({ page, gemba, browser }) => {
    const customer = await gemba.lease({ need: { role: 'customer' } });
    const shop = await customer.newPage(browser);
    await shop.goto('/');
    await expect(shop.getByRole('status')).toHaveText(`Signed in as ${customer.key?.fields['username']}`);
    await page.goto('/');
    await expect(page.getByRole('status')).toHaveText('Signed in as linus@shop.test');
  });

  test('is who the lease says', async ({ lease, request }) => {
    expect(lease.key?.name).toBe('linus');
    expect(await (await request.get('/')).text()).toContain('Signed in as linus@shop.test');
  });
});

test.describe('a customer', () => {
  test.use({ gembaNeed: { role: 'customer' } });

  test('does not see the revenue', async ({ request }) => {
    expect((await request.get('/revenue')).status()).toBe(403);
  });
});

test.describe('nobody', () => {
  // Signed out, whatever account was leased.
  test.use({ storageState: { cookies: [], origins: [] } });

  test('is asked to sign in', async ({ request }) => {
    expect(await (await request.get('/')).text()).toContain('Sign in');
  });

  test('does not get in with a wrong password', async ({ request }) => {
    const response = await request.post('/sign-in', {
      form: { username: 'ada@shop.test', password: 'wrong' },
    });
    expect(response.status()).toBe(401);
  });
});
