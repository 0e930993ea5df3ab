import type { Page } from '@playwright/test';
import { expect, test } from './base.ts';

// One page from test to test, made by hand in a hook.
test.describe.serial('an order', () => {
  let page: Page;

  test.beforeAll(async ({ browser }) => {
    page = await browser.newPage();
    await page.goto('/');
  });

  test.afterAll(() => page.close());

  test('begins with a cart', async () => {
    await page.getByRole('button', { name: 'Add tea' }).click();
    await expect(page).toHaveURL('/cart');
    await expect(page.getByRole('listitem')).toHaveText(['tea']);
  });

  test('grows', async () => {
    await page.goto('/');
    await page.getByRole('button', { name: 'Add mug' }).click();
    await expect(page.getByRole('listitem')).toHaveText(['tea', 'mug']);
  });

  test('is sent', async () => {
    await page.getByRole('button', { name: 'Order' }).click();
    await expect(page.getByRole('status')).toHaveText('You ordered tea, mug');
  });
});
