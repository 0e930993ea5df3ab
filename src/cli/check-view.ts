import type { LoadedConfig } from '../config/types.ts';
import { counted, duration } from '../shared/format.ts';
import type { CheckRow, Result } from './check-judge.ts';
import { type Cell, table } from './table.ts';

export interface CheckedPool {
  readonly name: string;
  readonly protocol: string;
  readonly findings: readonly CheckRow[];
}

const COLOURS: Readonly<Record<Result, number>> = {
  ok: 32,
  throttled: 33,
  unproven: 33,
  fault: 31,
  disabled: 35,
};
/** More are counted. */
const MAX_PLACES = 3;
const SHOWN: Readonly<Record<Result, string>> = {
  ok: 'ok',
  throttled: 'throttled',
  unproven: 'not proven',
  fault: 'fault',
  disabled: 'disabled',
};

export function faultsOf(pools: readonly CheckedPool[]): number {
  return pools.flatMap(({ findings }) => findings).filter(({ result }) => result === 'fault').length;
}

/** For machines: times in milliseconds, null where there is nothing to say. */
export function checkJson(
  config: LoadedConfig,
  pools: readonly CheckedPool[],
  warnings: readonly string[],
): unknown {
  return {
    schema: 'gemba-check/1',
    config: config.path,
    ok: faultsOf(pools) === 0,
    faults: faultsOf(pools),
    pools: pools.map(({ name, protocol, findings }) => ({
      name,
      protocol,
      members: findings.map(({ kind, name: member, endpoint, result, probed, note }) => ({
        kind,
        name: member,
        endpoint,
        result,
        outcome: probed?.kind ?? null,
        status: probed?.status ?? null,
        durationMs: probed && Math.round(probed.durationMs),
        path: probed?.path ?? null,
        note: note || null,
      })),
    })),
    warnings,
    skipped: Object.entries(config.skipped).map(([name, why]) => ({ name, why })),
  };
}

/** For people. */
export function checkText(
  config: LoadedConfig,
  pools: readonly CheckedPool[],
  warnings: readonly string[],
  colours: boolean,
): string {
  const shown = pools.map(
    (pool) => `\nPool ${pool.name}, protocol ${pool.protocol}\n${poolText(pool, colours)}`,
  );
  const left = Object.entries(config.skipped).map(
    ([name, why]) => `\nPool ${name}: left out for now, ${why}\n`,
  );
  const warned = warnings.map((warning) => `\nWarning: ${warning}\n`);
  const head = `Configuration ${config.path} is valid.\n`;
  return [head, ...shown, ...left, ...warned, `\n${summary(pools)}\n`].join('');
}

function poolText({ findings }: CheckedPool, colours: boolean): string {
  const rows = alike(findings).map((group): (string | Cell)[] => {
    const { kind, name, result, note } = group[0]!;
    const places = group.flatMap(({ endpoint }) => endpoint ?? []);
    const probes = group.flatMap(({ probed }) => probed ?? []);
    const slowest = Math.max(...probes.map(({ durationMs }) => durationMs));
    const statuses = [...new Set(probes.flatMap(({ status }) => status ?? []))].join(', ');
    const time = probes.length === 0 ? '' : duration(slowest);
    const at = places.length > MAX_PLACES ? `${places.length} endpoints` : places.join(', ');
    return [kind, name, at, { text: SHOWN[result], colour: COLOURS[result] }, statuses, time, note];
  });
  return table(['kind', 'name', 'at', 'result', 'status', 'time', 'note'], rows, { indent: '  ', colours });
}

/** What is the same of a key at several endpoints, told once. */
function alike(findings: readonly CheckRow[]): CheckRow[][] {
  const groups = new Map<string, CheckRow[]>();
  for (const finding of findings) {
    const { kind, name, result, note } = finding;
    const same = JSON.stringify([kind, name, result, note]);
    groups.set(same, [...(groups.get(same) ?? []), finding]);
  }
  return [...groups.values()];
}

function summary(pools: readonly CheckedPool[]): string {
  const all = pools.flatMap(({ findings }) => findings);
  const parts = (['ok', 'throttled', 'unproven', 'disabled'] as const).flatMap((result) => {
    const number = all.filter((finding) => finding.result === result).length;
    return number === 0 ? [] : [`${number} ${SHOWN[result]}`];
  });
  return [counted(faultsOf(pools), 'fault'), ...parts].join(', ');
}
