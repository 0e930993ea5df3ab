import type { z } from 'zod';
import { endpointUrl, hostOf, proxyUrl } from './addresses.ts';
import {
  checked,
  decimal,
  either,
  flag,
  list,
  matching,
  name,
  strict,
  text,
  texts,
  whole,
} from './fields.ts';
import type { EndpointConfig, EndpointInput, KeyConfig, KeyInput } from '../types.ts';

const limits = {
  maxConcurrent: whole(1)
    .optional()
    .describe('How many leases may hold it at once, over all workers. Default: unlimited.'),
  rpm: decimal('be a number above 0')
    .gt(0, { error: 'must be a number above 0' })
    .optional()
    .describe('Calls per minute, over all workers; a call waits for its turn. Default: unlimited.'),
  weight: decimal('be a number of 0 or more')
    .min(0, { error: 'must be a number of 0 or more' })
    .default(1)
    .describe('Its share among its like: 2 is leased twice as often as 1. Default: 1.'),
  enabled: flag().default(true).describe('false keeps it out of every lease. Default: true.'),
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
    .describe('A path that answers 2xx while the endpoint is well; it turns probes on. Default: no probes.'),
  proxy: proxyUrl().optional().describe('The http or https proxy on the way to it. Default: none.'),
});

export const endpointSchema: z.ZodType<EndpointConfig, EndpointInput> = either(
  [endpointUrl().describe('Short form of { "url": … }.'), endpoint],
  'be an address in quotes or an object with "url"',
).transform((input) => {
  const given = typeof input === 'string' ? endpoint.parse({ url: input }) : input;
  return { ...given, name: given.name ?? hostOf(given.url) };
});

const key = checked(
  strict({
    name: name()
      .optional()
      .describe('Its name in reports and on the command line. Default: key-1, key-2 … by position.'),
    value: text().optional().describe('The secret; "${NAME}" takes it from the environment. Never shown.'),
    fields: texts('be an object of texts, such as { "username": "qa1" }')
      .default({})
      .describe('Further secrets of it, such as username and password. Never shown. Default: none.'),
    ...limits,
    labels: texts('be an object of texts, such as { "role": "admin" }')
      .default({})
      .describe('What a test can ask for by `gembaNeed`. Default: none.'),
    quotaGroup: text()
      .optional()
      .describe('Keys of one group share their rate limits and quotas. Default: the key itself.'),
    endpoints: list(text(), 'be a list of names of endpoints')
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

/** A key whose name may still be missing: only its list knows its position. */
export const keySchema: z.ZodType<Omit<KeyConfig, 'name'> & { name?: string | undefined }, KeyInput> = either(
  [text().describe('Short form of { "value": … }.'), key],
  'be a text in quotes or an object with "value" or "fields"',
).transform((input) => (typeof input === 'string' ? key.parse({ value: input }) : input));

function healthProblem(value: string): string | undefined {
  return /^\/(?![/\\])\S*$/.test(value)
    ? undefined
    : 'must be a path that begins with "/", such as "/healthz"';
}
