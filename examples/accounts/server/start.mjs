// Playwright's global setup: starts the shop, makes up passwords, and at the end asks the shop how it was treated.
import { randomBytes } from 'node:crypto';
import { startShop } from './shop.mjs';

export default async function start() {
  const password = () => randomBytes(12).toString('hex');
  const accounts = {
    'ada@shop.test': { role: 'customer', password: password() },
    'grace@shop.test': { role: 'customer', password: password() },
    'linus@shop.test': { role: 'admin', password: password() },
  };
  const shop = await startShop(accounts);
  process.env.SHOP_URL = shop.url;
  // Elsewhere these come from the CI's secrets.
  process.env.ADA_PASSWORD = accounts['ada@shop.test'].password;
  process.env.GRACE_PASSWORD = accounts['grace@shop.test'].password;
  process.env.LINUS_PASSWORD = accounts['linus@shop.test'].password;
  return async () => {
    await shop.close();
    console.log(`\n${shop.told()}\n`);
    // What a global teardown throws makes the run red.
    if (shop.violations.length > 0) throw new Error(`Accounts were shared:\n${shop.violations.join('\n')}`);
  };
}
