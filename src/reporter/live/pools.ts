import { setTimeout as sleep } from 'node:timers/promises';
import { monotonic } from '../../core/clock.ts';
import type { Revision } from '../../config/live.ts';
import { shorten } from '../../shared/format.ts';
import type { Project } from '../../client/project.ts';
import { type ConfigPlace, connectTo } from './connection.ts';
import type { AdminRequest, EditRequest, PoolsState } from './messages.ts';
import { checkMember } from './check-member.ts';
import { configState, withConfig } from './pool-view.ts';
import type { ActionResult } from './server.ts';
import { writeEdit } from './write-edit.ts';

/** The page reports a broker that answers later, and asks again. */
const ANSWER_MS = 3000;
const MAX_NOTICE = 400;
/** The broker puts an edit in force well within this time. */
const IN_FORCE_MS = 3000;
const LOOK_MS = 50;
const NO_CONFIG = 'No configuration was found here.';

/** The present state of the pools, and changes of members. No method rejects. */
export class LivePools {
  readonly #place: ConfigPlace;
  #connected: Promise<Project | null> | null = null;
  #lists: { readonly revision: string; readonly pools: ReadonlySet<string> } | null = null;

  constructor(place: ConfigPlace) {
    this.#place = place;
  }

  async state(): Promise<PoolsState> {
    try {
      const project = await this.#connect();
      if (!project) return nothing(NO_CONFIG);
      const answer = await project.ask({ type: 'status' }, ANSWER_MS);
      const { pools, machine, notice } = answer.is === 'status' ? answer : nothing(null);
      // Read after the answer: an edit may have come in between, and pools and revision must fit.
      const revision = project.live.current!;
      const fromVariables = await this.#poolsFromVariables(revision);
      return {
        pools: pools.map((pool) => withConfig(pool, revision, fromVariables)),
        config: configState(revision, project.refusals),
        broker: project.state?.broker ?? null,
        machine,
        notice,
      };
    } catch (error) {
      // The next attempt may find another broker.
      this.close();
      return nothing(`The pools cannot be shown: ${messageOf(error)}`);
    }
  }

  async administer({ action, pool, name, reservation }: AdminRequest): Promise<ActionResult> {
    try {
      const project = await this.#connect();
      if (!project) return { status: 404, text: NO_CONFIG };
      if (action === 'check') return await checkMember(project.live.current!.config, pool, name);
      const answer = await project.ask({ type: 'admin', action, pool, name, reservation }, ANSWER_MS);
      if (answer.is === 'administered' && answer.known)
        return { status: 200, text: await this.#effect(project, { action, pool, name }) };
      return { status: 404, text: `There is no member ${pool}/${name}.` };
    } catch (error) {
      return { status: 502, text: `Could not ${action} ${pool}/${name}: ${messageOf(error)}` };
    }
  }

  /** Writes an edit into the configuration's file, and waits until it is in force. */
  async edit(request: EditRequest): Promise<ActionResult> {
    try {
      const project = await this.#connect();
      if (!project) return { status: 404, text: NO_CONFIG };
      const { config } = project.live.current!;
      const { status, text, revision } = await writeEdit(config.path, request, project.env);
      if (revision !== undefined) {
        const effect = (await isInForce(project, revision))
          ? `Revision ${revision} is in force.`
          : `Revision ${revision} is written; it takes effect when the broker has read it.`;
        return { status, text: `${text} ${effect}` };
      }
      const isBroken = status === 409 && project.refusals.length > 0;
      if (!isBroken) return { status, text };
      return {
        status,
        text: `${text} The file is not valid now, so revision ${config.revision} stays in force.`,
      };
    } catch (error) {
      return { status: 502, text: `Could not change ${request.pool}/${request.name}: ${messageOf(error)}` };
    }
  }

  /** What it came to: of several things that are done the answers are grouped by their kind. */
  async #effect(project: Project, { action, pool, name }: AdminRequest): Promise<string> {
    if (action !== 'enable' && action !== 'reset' && action !== 'reserve')
      return effectText(action, pool, name);
    const answer = await project.ask({ type: 'status' }, ANSWER_MS);
    const pools = answer.is === 'status' ? answer.pools : [];
    const members = pools.find((each) => each.name === pool)?.members ?? [];
    const member = members.find((each) => each.name === name);
    if (member?.state === 'disabled' && action !== 'enable')
      return `${pool}/${name} is disabled by hand and stays so: enable it first.`;
    if (member?.state === 'reserved' && action === 'reset')
      return `${pool}/${name} is reset, and stays reserved (${member.why}).`;
    return effectText(action, pool, name);
  }

  close(): void {
    void this.#connected?.then((project) => project?.close()).catch(() => {});
    this.#connected = null;
  }

  #connect(): Promise<Project | null> {
    if (this.#connected) return this.#connected;
    const connecting = connectTo(this.#place);
    this.#connected = connecting;
    // After a failure the next call tries again: the configuration may be corrected by then.
    connecting.catch(() => (this.#connected = null));
    return connecting;
  }

  /** Pools whose keys come from a variable, not from the file. */
  async #poolsFromVariables({ config, layers }: Revision): Promise<ReadonlySet<string>> {
    const { revision } = config;
    if (this.#lists?.revision === revision) return this.#lists.pools;
    const { keysFromVariables } = await import('../../config/edits/edit.ts');
    this.#lists = { revision, pools: keysFromVariables(layers) };
    return this.#lists.pools;
  }
}

async function isInForce(project: Project, revision: string): Promise<boolean> {
  const began = monotonic();
  // Nothing may have connected yet.
  void project.client.open().catch(() => {});
  while (project.live.current?.config.revision !== revision) {
    if (monotonic() - began > IN_FORCE_MS) return false;
    await sleep(LOOK_MS, undefined, { ref: false });
  }
  return true;
}

function effectText(action: AdminRequest['action'], pool: string, name: string): string {
  if (action === 'disable') return `${pool}/${name} is disabled: it gets no new lease until it is enabled.`;
  if (action === 'reserve') return `${pool}/${name} is reserved: it gets no new lease until then.`;
  if (action === 'enable') return `${pool}/${name} is enabled again.`;
  return `${pool}/${name} is reset: its faults so far no longer count.`;
}

function nothing(notice: string | null): PoolsState {
  return { pools: [], config: null, broker: null, machine: '', notice };
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return shorten(text.replaceAll(/\s+/g, ' '), MAX_NOTICE);
}
