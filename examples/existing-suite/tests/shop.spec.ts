import { expect, test } from './base.ts';

test('knows who is there', async ({ page }) => {
  await expect(page.getByRole('status')).toHaveText('Hello, ada');
});

test('a page and a request are the same person', async ({ page, request }) => {
  await expect(page).toHaveTitle('Shop');
  expect(await (await request.get('/api/me')).json()).toEqual({ user: 'ada' });
});

test('has a button for each product', async ({ page, products }) => {
  for (const name of Object.keys(products)) {
    await expect(page.getByRole('button', { name: `Add ${name}` })).toBeVisible();
  }
});

test.describe('signed out', () => {
  test.use({ storageState: { cookies: [], origins: [] } });

  test('is nobody', async ({ request }) => {
    expect((await request.get('/api/me')).status()).toBe(401);
  });

  test('does not get in with a wrong password', async ({ request }) => {
    const response = await request.post('/sign-in', { form: { user: 'ada', password: 'wrong' } });
    expect(response.status()).toBe(401);
  });
});
