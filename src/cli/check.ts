import { setTimeout as sleep } from 'node:timers/promises';
import { secretsOf } from '../config/secrets.ts';
import type { LoadedConfig } from '../config/types.ts';
import { monotonic } from '../core/clock.ts';
import { probeMember } from '../http/probe.ts';
import { isShortSecret } from '../shared/redact.ts';
import { type Asked, judgePool } from './check-judge.ts';
import { endpointProbes, keyProbes, type PlannedProbe } from './check-plan.ts';
import { CheckedTokens, notMinted } from './check-tokens.ts';
import { type CheckedPool, checkJson, checkText, faultsOf } from './check-view.ts';
import type { Command } from './command.ts';
import { filesOf, loadConfig } from './load.ts';
import type { Terminal } from './terminal.ts';

const AT_ONCE = 8;
const NEEDED = 'A key is sent to its own endpoints only, so its value is needed.';

/** Validates the configuration, and asks every endpoint and key of it whether they are fit for use. */
export const check: Command = async (args, terminal) => {
  const { config } = loadConfig(filesOf(args), terminal, NEEDED);
  const alone = await probeAll(endpointProbes(config), 'endpoints', terminal);
  const answering = alone.filter(({ probed }) => probed.status !== null && probed.kind !== 'server');
  const names = new Set(answering.map(({ pool, endpoint }) => `${pool}/${endpoint}`));
  const plan = keyProbes(config, (pool, endpoint) => names.has(`${pool}/${endpoint}`));
  const asked = [...alone, ...(await probeAll(plan, 'keys', terminal, new CheckedTokens()))];
  const pools = Object.entries(config.pools).map(([name, pool]): CheckedPool => ({
    name,
    protocol: pool.protocol,
    findings: judgePool(name, pool, asked),
  }));
  const warnings = shortSecrets(config);
  const text = args.flags.has('json')
    ? `${JSON.stringify(checkJson(config, pools, warnings), null, 2)}\n`
    : checkText(config, pools, warnings, terminal.colours);
  terminal.print(text);
  return faultsOf(pools) === 0 ? 0 : 1;
};

function shortSecrets(config: LoadedConfig): string[] {
  const names = secretsOf(config).flatMap(({ name, value }) => (isShortSecret(value) ? name : []));
  if (names.length === 0) return [];
  const which = names.length === 1 ? 'this secret has' : 'these secrets have';
  return [
    `${which} fewer than 8 characters: ${names.join(', ')}. Reports may show such a value, and gemba scan may miss it. Use longer ones.`,
  ];
}

/** Side by side, so many at once; each no sooner than it is planned for. */
async function probeAll(
  plan: readonly PlannedProbe[],
  what: string,
  terminal: Terminal,
  tokens: CheckedTokens = new CheckedTokens(),
): Promise<Asked[]> {
  const startedAt = monotonic();
  const waiting = [...plan].sort((one, other) => one.startMs - other.startMs);
  const asked: Asked[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const early = next.startMs - (monotonic() - startedAt);
      if (early > 0) await sleep(early);
      asked.push(await probeOne(next, tokens));
      terminal.progress?.(`Asking ${what}: ${asked.length} of ${plan.length}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, plan.length) }, work));
  } finally {
    terminal.progress?.('');
  }
  return asked;
}

async function probeOne(planned: PlannedProbe, tokens: CheckedTokens): Promise<Asked> {
  const { pool, config, endpoint, key } = planned;
  const { protocol, auth, classify, timeout } = config;
  const common = { pool, endpoint: endpoint.name, key: key?.name ?? null };
  const token = key && (await tokens.of(pool, config, key));
  if (token && token.is !== 'token') return { ...common, probed: notMinted(token) };
  const secret = key && { value: key.value ?? '', fields: key.fields, token: token?.token };
  const probed = await probeMember({ endpoint, key: secret, protocol, auth, classify, timeoutMs: timeout });
  return { ...common, probed, ...(token && { tokenMs: token.lifetimeMs }) };
}
