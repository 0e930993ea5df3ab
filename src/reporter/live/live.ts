/**
 * The live page: a server on loopback that shows a run while it goes on.
 *
 * `begin.ts` opens it for a reporter. `LiveView` (here) serves the report so far as a page (`page.ts`) and sends events to open
 * pages (`event-streams.ts`): `state`, twice a second, is what runs and what the broker answers (`pools.ts`); `report` names a new
 * revision of the report, which the page then fetches. Requests come in through `server.ts`, which checks host, origin,
 * token and body (`requests.ts`); `pools.ts` applies them, and `write-edit.ts` writes the configuration's file. `messages.ts` has the types
 * of all of it. `follow-config.ts` prints edits of the configuration, also without a page.
 */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type Clock, monotonic, systemClock } from '../../core/clock.ts';
import { EventStreams } from './event-streams.ts';
import { type Bound, bracketed } from './requests.ts';
import { type LivePage, livePage, poolsPage, writtenPage } from './page.ts';
import type { ConfigPlace } from './connection.ts';
import { LivePools } from './pools.ts';
import type { LiveState } from './messages.ts';
import type { LiveRun } from './run.ts';
import { type LiveServer, startLiveServer } from './server.ts';

const TICK_MS = 500;
/** A new report is announced at most this often, and less often the longer a report takes to make. */
const REPORT_MS = 2000;
const REPORT_PART = 20;
const MAX_REPORT_MS = 10_000;

/** Where the page's lines for the terminal go. */
export interface Output {
  readonly print: (line: string) => void;
  readonly warn: (line: string) => void;
}

let shared: LiveView | null = null;

/**
 * The live page of this process. The first run opens it, later runs are shown on it: in UI and watch mode each run has a
 * reporter of its own, and the page stays.
 */
export function liveView(wanted: Bound, place: ConfigPlace, output: Output): LiveView {
  return (shared ??= new LiveView(wanted, place, output));
}

/** Shows one run at a time. It keeps no process alive. */
export class LiveView {
  readonly #wanted: Bound;
  readonly #output: Output;
  readonly #pools: LivePools;
  readonly #streams = new EventStreams();
  readonly #token = randomBytes(24).toString('base64url');
  readonly #clock: Clock = monotonic;
  #server: Promise<LiveServer | null> | null = null;
  #run: LiveRun | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isSending = false;
  #made: { id: string; page: Promise<LivePage> } | null = null;
  #runs = 0;
  /** Its title, where it shows the pools alone. */
  #alone: string | null = null;
  #announced = { id: '', at: -Infinity, costMs: 0 };

  constructor(wanted: Bound, place: ConfigPlace, output: Output) {
    this.#wanted = wanted;
    this.#output = output;
    this.#pools = new LivePools(place);
  }

  /** Shows this run from now on. Resolves when the page is there, or cannot be opened. */
  async show(run: LiveRun): Promise<void> {
    this.#run = run;
    this.#runs++;
    this.#announced = { ...this.#announced, at: -Infinity };
    await (this.#server ??= this.#open());
    await this.#send();
  }

  /** Shows the pools alone, for as long as the process lives. Resolves with false where it cannot be opened. */
  async showPools(title: string): Promise<boolean> {
    this.#alone = title;
    return (await (this.#server ??= this.#open())) !== null;
  }

  /** The run is over: the page shows it at once. */
  async ended(): Promise<void> {
    this.#announced = { ...this.#announced, at: -Infinity };
    if (this.#streams.count > 0) await this.#send();
  }

  async close(): Promise<void> {
    if (shared === this) shared = null;
    this.#stopTimer();
    this.#pools.close();
    this.#streams.close();
    const started = await this.#server;
    started?.server.close();
    started?.server.closeAllConnections();
  }

  async #open(): Promise<LiveServer | null> {
    try {
      const started = await startLiveServer(this.#wanted, this.#token, {
        page: (isUpdate) => this.#page(isUpdate),
        listen: (response) => this.#listen(response),
        administer: async (request) => {
          const result = await this.#pools.administer(request);
          void this.#send();
          return result;
        },
        edit: async (request) => {
          const result = await this.#pools.edit(request);
          void this.#send();
          return result;
        },
      });
      const { host, port } = started.bound;
      this.#output.print(`Gemba live: http://${bracketed(host)}:${port}/?token=${this.#token}`);
      return started;
    } catch (error) {
      this.#output.warn(`the live page cannot be opened: ${whyNot(error, this.#wanted)}`);
      return null;
    }
  }

  #listen(response: ServerResponse): string | null {
    const isTaken = this.#streams.add(response, () => this.#streams.count === 0 && this.#stopTimer());
    if (!isTaken) return 'too many pages are open';
    this.#timer ??= setInterval(() => void this.#send(), TICK_MS).unref();
    void this.#send(true);
    return null;
  }

  #stopTimer(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Sends the present state. One at a time: the broker may take long to answer. */
  async #send(again: boolean = false): Promise<void> {
    const run = this.#run;
    if ((!run && this.#alone === null) || this.#isSending || this.#streams.count === 0) return;
    this.#isSending = true;
    const pools = await this.#pools.state();
    this.#isSending = false;
    if (run !== this.#run) return;
    const state = run?.state() ?? { run: null, running: [] };
    this.#streams.send('state', JSON.stringify({ ...state, ...pools } satisfies LiveState));
    if (run) this.#announceReport(run, again);
  }

  /** Pages compare it with that of the report that they show. */
  #id(run: LiveRun): string {
    return `${this.#runs}.${run.revision}`;
  }

  #announceReport(run: LiveRun, again: boolean): void {
    const { at, costMs } = this.#announced;
    const id = this.#id(run);
    const now = this.#clock();
    const isDue = now - at >= Math.min(MAX_REPORT_MS, Math.max(REPORT_MS, REPORT_PART * costMs));
    if (!again && (!isDue || id === this.#announced.id)) return;
    this.#announced = { id, at: now, costMs };
    this.#streams.send('report', id);
  }

  /** `isUpdate`: an open page asks for what changed; else a person opens it, after the end the page that was written. */
  #page(isUpdate: boolean): Promise<LivePage> {
    const [run, made] = [this.#run, this.#made];
    if (!run && this.#alone !== null) return poolsPage(this.#alone, systemClock());
    if (run?.written && !isUpdate) return writtenPage(run.written.file).catch(() => this.#page(true));
    if (!run) return Promise.reject(new Error('no run yet'));
    const id = this.#id(run);
    if (made?.id === id) return made.page;
    const began = this.#clock();
    const { source, ended } = run;
    const page = livePage(source.report(run.status ?? 'passed'), source.title, {
      running: !ended,
      revision: id,
    });
    this.#made = { id, page };
    page.then(
      // The first page also loads the templates.
      () => made && (this.#announced = { ...this.#announced, costMs: this.#clock() - began }),
      () => (this.#made = null),
    );
    return page;
  }
}

function whyNot(error: unknown, { host, port }: Bound): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return `port ${port} of ${host} is in use. Free it, choose another (live: { port }), or leave the port out to use any free one.`;
  }
  if (code === 'EACCES') return `this user may not open port ${port} of ${host}; choose a port above 1023.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${host} is not an address of this machine.`;
  return message;
}
