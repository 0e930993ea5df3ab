import type { Effect, LeaseState } from '../../../../src/core/state.ts';

/** An effect as a line of the log. */
export function inWords(effect: Effect): string {
  if (effect.type === 'changed') {
    const { endpoint, key, to } = effect.change;
    return `    → ${to} ${endpoint ?? key}`;
  }
  const to = 'to' in effect ? ` ${effect.to.ask}` : '';
  const lease =
    'lease' in effect ? ` ${typeof effect.lease === 'string' ? effect.lease : on(effect.lease)}` : '';
  return `    → ${effect.type}${to}${lease}`;
}

function on({ id, endpoint, key }: LeaseState): string {
  const names = [endpoint?.name, key?.name].filter((name) => name !== undefined);
  return `${id}: ${names.join('/') || 'nothing'}`;
}
