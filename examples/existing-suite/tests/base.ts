import { mergeTests } from '@playwright/test';
import { expect, test as playwright } from 'gemba-agent';
import { test as withProducts } from './products.ts';

export { expect };

/** The test of this suite: Playwright's, one with products, and a page that tolerates no error in the browser. */
export const test = mergeTests(playwright, withProducts).extend<object>({
  page: async ({ page }, use) => {
    const errors: Error[] = [];
    page.on('pageerror', (error) => errors.push(error));
    await page.goto('/');
    await use(page);
    expect(errors).toEqual([]);
  },
});
