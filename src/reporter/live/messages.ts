/** What the live page and its server send each other. */
import type { MemberStatus, PoolStatus } from '../../core/admin.ts';
import { ADMIN_ACTIONS, type MemberKind, type Reservation } from '../../core/types.ts';
import type { RunStatus } from '../report/model.ts';
import type { Progress } from './progress.ts';

/** The event `state`. */
export interface LiveState extends ShownRun, PoolsState {}

export interface ShownRun {
  /** Null where the page shows no run. */
  readonly run: (Progress & EndedRun) | null;
  readonly running: readonly { readonly title: string; readonly retry: number; readonly forMs: number }[];
}

/** What a run came to; null while it goes on. */
interface EndedRun {
  readonly status: RunStatus | null;
  /** The written page, relative to where the run was started; null where it was not written. */
  readonly report: string | null;
}

export interface PoolsState {
  /** Which broker answers: a new one was started where it differs. Null where none does. */
  readonly broker: string | null;
  /** The name of this machine. */
  readonly machine: string;
  readonly pools: readonly LivePool[];
  /** The configuration in force; null where there is none. */
  readonly config: ShownConfig | null;
  /** Why there is nothing to show, or null. */
  readonly notice: string | null;
}

export interface LivePool extends Omit<PoolStatus, 'members'> {
  readonly members: readonly LiveMember[];
}

/** A member as the page shows it. */
export interface LiveMember extends MemberStatus {
  /** The configuration disables it. */
  readonly off: boolean;
  /** Null where the file does not hold it: it comes from a variable, or from another environment. */
  readonly set: MemberSettings | null;
}

/** What the configuration says of a member; null: no limit. */
export interface MemberSettings {
  readonly enabled: boolean;
  readonly weight: number;
  readonly maxConcurrent: number | null;
  readonly rpm: number | null;
}

export interface ShownConfig {
  /** The file's name, without its folder. */
  readonly file: string;
  readonly revision: string;
  /** False where a later version of the file was refused. */
  readonly valid: boolean;
}

/** `check` sends a probe, whose answer is only shown. */
export const LIVE_ACTIONS = [...ADMIN_ACTIONS, 'check'] as const;
export type LiveAction = (typeof LIVE_ACTIONS)[number];

/** `POST /members`: what is asked for a member. */
export interface AdminRequest {
  readonly action: LiveAction;
  readonly pool: string;
  readonly name: string;
  /** Of `reserve`, which needs it. */
  readonly reservation?: Reservation | undefined;
}

/** `POST /config`: fields of a member for the configuration's file; null takes a field out, so that its default counts. */
export interface EditRequest {
  /** The revision that the page showed. */
  readonly revision: string;
  readonly pool: string;
  readonly kind: MemberKind;
  readonly name: string;
  readonly set: EditedSettings;
}

export interface EditedSettings {
  readonly enabled?: boolean | null | undefined;
  readonly weight?: number | null | undefined;
  readonly maxConcurrent?: number | null | undefined;
  readonly rpm?: number | null | undefined;
}
