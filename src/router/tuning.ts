/** The numbers behind the decisions. The defaults were found by `bench/router`; few callers need others. */
export interface Tuning {
  /** What a request costs that is lost, in milliseconds of waiting. @default 10_000 */
  lostMs: number;
  /** Attempts that one request has. @default 3 */
  maxAttempts: number;
  /** Pause between two attempts of a request, in milliseconds. @default 100 */
  retryPauseMs: number;
  /** What a failed attempt costs beyond its time, in milliseconds. */
  failurePriceMs: number;
  /** Attempts over which success is remembered. */
  successMemory: number;
  /** Attempts over which times are remembered. */
  timeMemory: number;
  /** Attempts that the pool's own success rate counts for at each candidate. */
  priorStrength: number;
  /** Chance per attempt that a candidate goes down. */
  outageHazard: number;
  /** Requests of the pool after which a candidate's record, unless renewed, counts for 1/e. */
  regimeMemory: number;
  /** Requests that are still to come at the beginning; later as many as came so far are added. */
  horizonBase: number;
  /** The most requests that exploration looks ahead to. */
  horizonMax: number;
  /** Candidates whose cost is within this share of the best take turns. */
  tieShare: number;
  /** The pause between two probes of a candidate that is down, as a share of the outage's age. */
  probePace: number;
  /** How often an arm that is down leaves a request unanswered, before anything is known; 0 hears no silence. */
  hangShare: number;
}

export const DEFAULT_TUNING: Tuning = {
  lostMs: 10_000,
  maxAttempts: 3,
  retryPauseMs: 100,
  failurePriceMs: 200,
  successMemory: 60,
  timeMemory: 200,
  priorStrength: 3,
  outageHazard: 0.003,
  regimeMemory: 500,
  horizonBase: 60,
  horizonMax: 300,
  tieShare: 0.02,
  probePace: 0.5,
  hangShare: 0.3,
};
