import type { KeySpec, Need } from './types.ts';

/** The key carries the labels that are asked for. */
export function fits({ labels }: Pick<KeySpec, 'labels'>, need: Need): boolean {
  for (const label in need) if (label !== 'model' && labels[label] !== need[label]) return false;
  return true;
}
