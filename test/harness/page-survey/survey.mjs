// Runs the rows in one arm of the survey, and writes what each saw.
import { mkdirSync, writeFileSync } from 'node:fs';
import { groups, helpers } from './rows.mjs';

export { groups };

/** Where every request is refused, rows wait for what never comes. */
const ROW_MS = { refused: 1_000 };

/** Runs a group of rows: `self` is the server of this arm. */
export async function observe({ arm, group, browser, expect, self, foreign }, testInfo) {
  const make = async (options = {}) => {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(arm === 'refused' ? 500 : 5_000);
    await context.addInitScript(helpers);
    return context;
  };
  const shared = await make();
  const common = await shared.newPage();
  const observed = {};
  await common.goto('/page').catch(() => {});
  await common.evaluate(helpers);
  await take(self, foreign);
  for (const { title, see, options, sharesPage } of group.rows) {
    const harFile = testInfo.outputPath(`${arm}.har`);
    const own = options?.recordHar ? { recordHar: { path: harFile } } : options;
    const context = own ? await make(own) : shared;
    const page = sharesPage ? common : await context.newPage();
    const saw = await within(
      see({ page, context, browser, expect, self, foreign, harFile }),
      ROW_MS[arm] ?? 10_000,
    );
    if (!sharesPage) await page.close();
    if (own) await context.close();
    const renamed = named(JSON.stringify({ saw, server: await take(self, foreign) }), {
      SELF: self,
      FOREIGN: foreign,
    });
    observed[title] = JSON.parse(renamed);
  }
  await shared.close();
  mkdirSync('observed', { recursive: true });
  writeFileSync(`observed/${arm}-${group.title}.json`, JSON.stringify(observed, null, 1));
}

/** Addresses by their names, however often they were encoded. */
function named(text, addresses) {
  return Object.entries(addresses).reduce((renamed, [name, address]) => {
    const once = encodeURIComponent(address);
    const forms = [encodeURIComponent(once), once, address, new URL(address).host];
    return forms.reduce((left, form) => left.replaceAll(form, name), renamed);
  }, text);
}

/** An error is something seen, too. */
async function within(seeing, ms) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, ms, 'no end')));
  const saw = await Promise.race([seeing, late]).catch((error) => `failed: ${error.message.split('\n')[0]}`);
  clearTimeout(timer);
  return saw ?? null;
}

async function take(...servers) {
  const seen = await Promise.all(servers.map(async (url) => (await fetch(`${url}/__take`)).json()));
  return seen.flat().sort((one, other) => (one.request < other.request ? -1 : 1));
}
