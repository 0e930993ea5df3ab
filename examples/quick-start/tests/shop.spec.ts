import { test, expect } from 'gemba-agent';
import { chromium } from '../chromium.ts';

test.skip(!chromium.found, chromium.hint);

test('shows the first page of orders', async ({ page }) => {
  await page.goto('/shop/orders');
  await expect(page).toHaveTitle('Orders');
  await expect(page.getByRole('row')).toHaveCount(11);
  await expect(page.getByRole('status')).toContainText('page 1 of');
});

test('goes to the next page', async ({ page }) => {
  await page.goto('/shop/orders');
  await page.getByRole('link', { name: 'Next page' }).click();
  await expect(page).toHaveURL('/shop/orders?page=2');
  await expect(page.getByRole('status')).toContainText('page 2 of');
});

test('goes from the list to a new order', async ({ page }) => {
  await page.goto('/shop/orders');
  await page.getByRole('link', { name: 'New order' }).click();
  await expect(page.getByRole('heading')).toHaveText('New order');
});

test('orders', async ({ page }) => {
  await page.goto('/shop/new');
  await page.getByLabel('Customer').fill('Ada');
  await page.getByLabel('Product').selectOption('Dark roast');
  await page.getByRole('button', { name: 'Order' }).click();
  await expect(page.getByRole('status')).toHaveText(/^Ordered: o-\d+$/);
});

test('says what is missing', async ({ page }) => {
  await page.goto('/shop/new');
  await page.getByRole('button', { name: 'Order' }).click();
  await expect(page.getByRole('status')).toHaveText('customer is missing');
});

test('an order made through the API is shown', async ({ page, request }) => {
  await expect(await request.get('/healthz')).toBeOK();
  await page.goto('/shop/orders?status=open&size=50');
  await expect(page.getByRole('row', { name: /^o-3 / })).toContainText('seed-2');
});
