import { expect, test as setup } from './base.ts';

setup('signs in', async ({ page }) => {
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.getByLabel('Name').fill('ada');
  await page.getByLabel('Password').fill('lovelace');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL('/');
  await page.context().storageState({ path: '.auth/ada.json' });
});
