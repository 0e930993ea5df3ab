// Playwright's global setup: starts a server that speaks like OpenAI and like Gemini, and makes keys for it. As in real
// life, most of them are in trouble.
import { randomBytes } from 'node:crypto';
import { startVendors } from './vendors.mjs';

const CUSTOMERS = [
  { name: 'OpenAI, organization a', keys: ['OPENAI_KEY_A1', 'OPENAI_KEY_A2'], throttledAfter: 2 },
  { name: 'OpenAI, organization b', keys: ['OPENAI_KEY_B'], quotaIsGone: true },
  { name: 'OpenAI, organization c', keys: ['OPENAI_KEY_C'] },
  { name: 'Gemini, project a', keys: ['GEMINI_KEY_A'], throttledAfter: 1 },
  { name: 'Gemini, project b', keys: ['GEMINI_KEY_B'], quotaIsGone: true },
  { name: 'Gemini, project c', keys: ['GEMINI_KEY_C'] },
];

export default async function start() {
  const customers = CUSTOMERS.map((customer) => ({ ...customer, calls: 0, refused: 0 }));
  const byKey = new Map();
  for (const customer of customers) {
    for (const variable of customer.keys) {
      process.env[variable] = `fake-${randomBytes(16).toString('hex')}`;
      byKey.set(process.env[variable], customer);
    }
  }
  const vendors = await startVendors(byKey);
  process.env.LLM_URL = vendors.url;
  return async () => {
    await vendors.close();
    console.log('\nThe vendors saw:');
    for (const { name, calls, refused } of customers)
      console.log(`  ${name}: ${calls} calls, ${refused} refused`);
  };
}
