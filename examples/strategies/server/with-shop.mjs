// Starts the shop on a free port and runs a command against it:
//   node server/with-shop.mjs playwright test
// Its address is in SHOP_URL. At the end it says how the tests signed in, one letter each.
import { spawn } from 'node:child_process';
import { startShop } from './shop.mjs';

const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  console.error('usage: node server/with-shop.mjs COMMAND [ARGUMENT …]');
  process.exitCode = 2;
} else {
  const shop = await startShop();
  process.exitCode = await run({ SHOP_URL: shop.url });
  console.log(`\nSigned in by API (a), API failed (x), by form (f):\n${shop.diary()}`);
  shop.close();
}

function run(variables) {
  const env = { ...process.env, ...variables };
  const child = spawn(command, args, { env, stdio: 'inherit', shell: process.platform === 'win32' });
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`${command} did not start: ${error.message}. Is it run by npm, as "npm test"?`);
      resolve(1);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
