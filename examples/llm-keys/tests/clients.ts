import { GoogleGenAI } from '@google/genai';
import { expect, test as base } from 'gemba-agent';
import OpenAI from 'openai';

export { expect };

/** The address of no server: the leased one takes its place, as the leased key takes that of `leased`. */
const ADDRESS = 'https://gemba.invalid';

/** Playwright's test with the vendors' own clients, as their users make them, over `gemba.fetch`. */
export const test = base.extend<{ openai: OpenAI; gemini: GoogleGenAI }>({
  openai: async ({ gemba }, use) => {
    await use(new OpenAI({ apiKey: 'leased', baseURL: `${ADDRESS}/v1`, fetch: gemba.fetch }));
  },
  gemini: async ({ gemba }, use) => {
    await use(new GoogleGenAI({ apiKey: 'leased', httpOptions: { baseUrl: ADDRESS, fetch: gemba.fetch } }));
  },
});
