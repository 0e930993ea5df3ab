import type { z } from 'zod';
import { isTimeOfDay } from '../../core/pace/day.ts';
import type { DailyBudget } from '../../core/types.ts';
import { LIMITS } from '../../core/limits.ts';
import type { EndpointConfig, EndpointInput, KeyConfig, KeyInput } from '../types.ts';
import { endpointUrl, hostOf, proxyUrl } from './addresses.ts';
import {
  anyText,
  checked,
  decimal,
  either,
  flag,
  list,
  matching,
  name,
  positive,
  strict,
  text,
  texts,
  whole,
} from './fields.ts';
import { headers } from './headers.ts';
import { secretOr, secretText } from './secrets.ts';
import { parseTotp, TOTP_NEEDS } from '../totp.ts';

const TIME_OF_DAY_NEEDS = 'be a time of day and "UTC" or a time zone, such as "00:00 UTC"';
const WEIGHT_NEEDS = `be 0, or a number from ${LIMITS.fraction} to ${LIMITS.amount}`;

const limits = {
  maxConcurrent: whole(1)
    .optional()
    .describe('How many leases may hold it at once, over all workers. Default: unlimited.'),
  rpm: positive()
    .optional()
    .describe('Requests per minute, over all workers; a request waits for its turn. Default: unlimited.'),
  weight: decimal(WEIGHT_NEEDS)
    .refine((value) => value === 0 || (value >= LIMITS.fraction && value <= LIMITS.amount), {
      error: `must ${WEIGHT_NEEDS}`,
    })
    .meta({ minimum: 0, maximum: LIMITS.amount })
    .default(1)
    .describe('Its share: 2 gets twice as many leases as 1, and 0 gets none. Default: 1.'),
  enabled: flag().default(true).describe('false: no lease gets it. Default: true.'),
};

const endpoint = strict({
  name: name()
    .optional()
    .describe('Its name in reports and on the command line. Default: the host of `url`.'),
  url: endpointUrl().describe(
    'Its base address, http or https; it may have a path, but no user, query or #.',
  ),
  ...limits,
  priority: whole(0)
    .default(0)
    .describe('With `"routing": "priority"` the lowest number goes first. Default: 0.'),
  health: matching('be a path that begins with "/", such as "/healthz"', healthProblem, '^/')
    .optional()
    .describe('A path that answers 2xx while the endpoint works; it switches probes on. Default: no probes.'),
  proxy: proxyUrl().optional().describe('The http or https proxy on the way to it. Default: none.'),
  headers: headers()
    .default({})
    .describe('Headers that `request`, `page` and `gemba.fetch` send to this endpoint. Default: none.'),
});

export const endpointSchema: z.ZodType<EndpointConfig, EndpointInput> = either(
  [endpointUrl().describe('Short form of { "url": … }.'), endpoint],
  'be an address in quotes or an object with "url"',
).transform((input) => {
  const given = typeof input === 'string' ? endpoint.parse({ url: input }, { jitless: true }) : input;
  return { ...given, name: given.name ?? hostOf(given.url) };
});

const budget = (): ReturnType<typeof whole> => whole(1, LIMITS.budget);

const daily = checked(
  strict({
    calls: budget().optional().describe('Requests of a day, request retries included. Default: unlimited.'),
    tokens: budget().optional().describe('Tokens of a day. Default: unlimited.'),
    resetsAt: matching(
      TIME_OF_DAY_NEEDS,
      (value) => (isTimeOfDay(value) ? undefined : `must ${TIME_OF_DAY_NEEDS}`),
      '^\\d\\d:\\d\\d \\S+$',
    )
      .default('00:00 UTC')
      .describe('When a day begins: "HH:MM" and "UTC" or a time zone. Default: "00:00 UTC".'),
  }),
  (value, report) => {
    const { calls, tokens } = (value ?? {}) as Partial<DailyBudget>;
    if (calls === undefined && tokens === undefined) report([], 'must have "calls" or "tokens"');
  },
);

const key = checked(
  strict({
    name: name()
      .optional()
      .describe('Its name in reports and on the command line. Default: key-1, key-2 … by position.'),
    value: secretOr(secretText())
      .optional()
      .describe('The secret: "${NAME}" from the environment, or { "file": "path" }. Never shown.'),
    fields: texts('be an object of strings, such as { "username": "qa1" }', secretOr(anyText(LIMITS.secret)))
      .prefault({})
      .describe(
        'Further parts of it, such as username and password. Only username and email are shown. Default: none.',
      ),
    totp: secretOr(matching(TOTP_NEEDS, totpProblem, '^.', LIMITS.secret))
      .optional()
      .describe(
        'The secret of its one-time codes, for `lease.key.totp()`: base32, or an otpauth:// address with its digits, period ' +
          'and algorithm. Never shown. Default: none.',
      ),
    ...limits,
    tpm: budget()
      .optional()
      .describe('Tokens per minute, over all workers; a request waits for them. Default: unlimited.'),
    daily: daily.optional().describe('What it may use in a day. Default: unlimited.'),
    labels: texts('be an object of strings, such as { "role": "admin" }', anyText(LIMITS.name))
      .default({})
      .describe('What a test can ask for by `gembaNeed`. Default: none.'),
    quotaGroup: text(undefined, LIMITS.name)
      .optional()
      .describe('Keys of one group share their rate limits and quotas. Default: the key itself.'),
    endpoints: list(text(undefined, LIMITS.name), 'be an array of names of endpoints')
      .min(1, { error: 'must name at least one endpoint; leave it out where the key works at all' })
      .optional()
      .describe('The names of the endpoints that it works at. Default: all.'),
  }),
  (value, report) => {
    const { value: secret, fields } = (value ?? {}) as Partial<KeyConfig>;
    if (secret === undefined && fields !== undefined && Object.keys(fields).length === 0) {
      report([], 'must have a "value" or "fields"');
    }
  },
);

/** A key whose name may still be missing: it may come from its position, which only the list has. */
export const keySchema: z.ZodType<Omit<KeyConfig, 'name'> & { name?: string | undefined }, KeyInput> = either(
  [secretText().describe('Short form of { "value": … }.'), key],
  'be a string or an object with "value" or "fields"',
).transform((input) => (typeof input === 'string' ? key.parse({ value: input }, { jitless: true }) : input));

function totpProblem(value: string): string | undefined {
  const parsed = parseTotp(value);
  return typeof parsed === 'string' ? parsed : undefined;
}

function healthProblem(value: string): string | undefined {
  return /^\/(?![/\\])\S*$/.test(value)
    ? undefined
    : 'must be a path that begins with "/", such as "/healthz"';
}
