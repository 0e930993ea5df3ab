import { setTimeout as sleep } from 'node:timers/promises';
import { monotonic } from '../../core/clock.ts';
import { shorten } from '../../shared/format.ts';
import type { Project } from '../../client/project.ts';
import { type ConfigPlace, connectTo } from './connection.ts';
import type { Edit, Wish } from './requests.ts';
import type { Done } from './server.ts';
import { type ConfigShown, type LivePool, shownConfig, withConfig } from './shown.ts';
import { writeEdit } from './write-edit.ts';

/** A broker that answers later than this is not waited for: the page says so and asks again. */
const ANSWER_MS = 3000;
const MAX_NOTICE = 400;
/** The broker puts an edit in force well within this time. */
const IN_FORCE_MS = 3000;
const LOOK_MS = 50;

export interface PoolsNow {
  readonly pools: readonly LivePool[];
  /** The configuration that they show; null where there is none. */
  readonly config: ConfigShown | null;
  /** Why there is nothing to show, or null. */
  readonly notice: string | null;
}

/** The state of the pools now, from the broker, and changes by hand. Never rejects. */
export class LivePools {
  private readonly place: ConfigPlace;
  private connected: Promise<Project | null> | null = null;
  private lists: { readonly text: string; readonly pools: ReadonlySet<string> } | null = null;

  constructor(place: ConfigPlace) {
    this.place = place;
  }

  async now(): Promise<PoolsNow> {
    try {
      const connected = await this.connect();
      if (!connected) return { pools: [], config: null, notice: 'No configuration of pools was found here.' };
      const answer = await connected.ask({ type: 'status' }, ANSWER_MS);
      const pools = answer.is === 'status' ? answer.pools : [];
      // Edits come in between: pools and revision are of one.
      const revision = connected.live.current!;
      const fromVariables = await this.poolsFromVariables(revision.text);
      return {
        pools: pools.map((pool) => withConfig(pool, revision, fromVariables)),
        config: shownConfig(revision, connected.refusals),
        notice: null,
      };
    } catch (error) {
      // A broker that hangs may be another one by the next time.
      this.close();
      return { pools: [], config: null, notice: `The pools cannot be shown: ${messageOf(error)}` };
    }
  }

  /** Does it, and says what it came to. */
  async administer({ action, pool, name }: Wish): Promise<Done> {
    try {
      const connected = await this.connect();
      if (!connected) return { status: 404, text: 'No configuration of pools was found here.' };
      const answer = await connected.ask({ type: 'admin', action, pool, name }, ANSWER_MS);
      if (answer.is === 'administered' && answer.known)
        return { status: 200, text: said(action, pool, name) };
      return { status: 404, text: `There is no member ${pool}/${name}.` };
    } catch (error) {
      return { status: 502, text: `Could not ${action} ${pool}/${name}: ${messageOf(error)}` };
    }
  }

  /** Writes it into the configuration's file, waits until that is in force, and says what it came to. */
  async edit(edit: Edit): Promise<Done> {
    try {
      const connected = await this.connect();
      if (!connected) return { status: 404, text: 'No configuration of pools was found here.' };
      const { config } = connected.live.current!;
      const { status, text, revision } = await writeEdit(config.path, edit, connected.env);
      if (revision !== undefined) {
        const counts = (await isInForce(connected, revision))
          ? `Revision ${revision} is in force.`
          : `Revision ${revision} is written, and counts when the broker has read it.`;
        return { status, text: `${text} ${counts}` };
      }
      const broken = status === 409 && connected.refusals.length > 0;
      if (!broken) return { status, text };
      return {
        status,
        text: `${text} It is not valid now, so revision ${config.revision} stays in force.`,
      };
    } catch (error) {
      return { status: 502, text: `Could not change ${edit.pool}/${edit.name}: ${messageOf(error)}` };
    }
  }

  close(): void {
    void this.connected?.then((connected) => connected?.close()).catch(() => {});
    this.connected = null;
  }

  private connect(): Promise<Project | null> {
    if (this.connected) return this.connected;
    const connecting = connectTo(this.place);
    this.connected = connecting;
    // What fails is tried again: the configuration may be corrected meanwhile.
    connecting.catch(() => (this.connected = null));
    return connecting;
  }

  /** Pools whose keys stand in a variable, not in the file. */
  private async poolsFromVariables(text: string): Promise<ReadonlySet<string>> {
    if (this.lists?.text === text) return this.lists.pools;
    const { keysFromVariables } = await import('../../config/edits/edit.ts');
    this.lists = { text, pools: keysFromVariables(text) };
    return this.lists.pools;
  }
}

async function isInForce(project: Project, revision: string): Promise<boolean> {
  const began = monotonic();
  // Whoever asks without a page may be the first.
  void project.client.open().catch(() => {});
  while (project.live.current?.config.revision !== revision) {
    if (monotonic() - began > IN_FORCE_MS) return false;
    await sleep(LOOK_MS, undefined, { ref: false });
  }
  return true;
}

function said(action: Wish['action'], pool: string, name: string): string {
  if (action === 'disable') return `${pool}/${name} is disabled: no new lease gets it until it is enabled.`;
  if (action === 'enable') return `${pool}/${name} is enabled again.`;
  return `${pool}/${name} is reset: what kept it out is forgotten.`;
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return shorten(text.replaceAll(/\s+/g, ' '), MAX_NOTICE);
}
