import { type Gate, type GateRule, type Verdict, GATE_RULES } from '../../core/types.ts';
import { counted } from '../../shared/format.ts';
import type { ReportGate } from '../report/model.ts';

/** Tests with a failed attempt by verdict, and tests that a fallback served. */
export interface GateFacts {
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly degraded: number;
  /** Shards of a merged run without a record. */
  readonly missingShards: number;
}

/** Applies the rules that the records carry; null where no record has any. */
export function judgeGate(rules: Gate | null, facts: GateFacts): ReportGate | null {
  if (!rules) return null;
  const reasons = GATE_RULES.filter((on) => rules[on] === 'fail' && countOf(on, facts) > 0).map((on) => {
    return `${reasonOf(on, countOf(on, facts))} (gate.${on} is "fail")`;
  });
  const line = reasons.length === 0 ? null : `the gate failed this run: ${reasons.join(', ')}`;
  return { rules, failed: line !== null, line };
}

function countOf(on: GateRule, facts: GateFacts): number {
  if (on === 'shards') return facts.missingShards;
  return on === 'degraded' ? facts.degraded : facts.verdicts[on];
}

function reasonOf(on: GateRule, tests: number): string {
  if (on === 'shards') return `${counted(tests, 'shard is', 'shards are')} missing`;
  if (on === 'degraded') return `${counted(tests, 'test')} ran on a fallback`;
  const cause = on === 'unknown' ? 'of unknown cause' : `with verdict ${on}`;
  return `${counted(tests, 'test')} had a failed attempt ${cause}`;
}
