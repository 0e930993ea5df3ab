import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type Clock, monotonic } from '../../core/clock.ts';
import { Clients } from './clients.ts';
import { type Bound, bracketed } from './requests.ts';
import { type LivePage, livePage } from './page.ts';
import type { ConfigPlace } from './connection.ts';
import { LivePools } from './pools.ts';
import type { LiveRun } from './run.ts';
import { type LiveServer, startLiveServer } from './server.ts';

const TICK_MS = 500;
/** The report is told to be new at most so often; the longer it takes to make, the less often. */
const REPORT_MS = 2000;
const REPORT_PART = 20;
const MAX_REPORT_MS = 10_000;

/** How the page speaks in the terminal. */
export interface Voice {
  readonly print: (line: string) => void;
  readonly warn: (line: string) => void;
}

let shared: LiveView | null = null;

/**
 * The live page of this process. Its first run opens it, later ones are shown on it too: in UI and watch mode each run
 * has a reporter of its own, and the page stays.
 */
export function liveView(wanted: Bound, place: ConfigPlace, voice: Voice): LiveView {
  return (shared ??= new LiveView(wanted, place, voice));
}

/** Shows one run at a time to whoever listens. Nothing of it keeps the process alive. */
export class LiveView {
  private readonly wanted: Bound;
  private readonly voice: Voice;
  private readonly pools: LivePools;
  private readonly clients = new Clients();
  private readonly token = randomBytes(24).toString('base64url');
  private readonly clock: Clock = monotonic;
  private server: Promise<LiveServer | null> | null = null;
  private run: LiveRun | null = null;
  private timer: NodeJS.Timeout | null = null;
  private telling = false;
  private made: { id: string; page: Promise<LivePage> } | null = null;
  private runs = 0;
  private told = { id: '', at: -Infinity, costMs: 0 };

  constructor(wanted: Bound, place: ConfigPlace, voice: Voice) {
    this.wanted = wanted;
    this.voice = voice;
    this.pools = new LivePools(place);
  }

  /** Shows this run from now on. Settles when the page is there, or was found to be impossible. */
  async show(run: LiveRun): Promise<void> {
    this.run = run;
    this.runs++;
    this.told = { ...this.told, at: -Infinity };
    await (this.server ??= this.open());
    await this.tell();
  }

  /** The last of a run: told at once. */
  async ended(): Promise<void> {
    this.told = { ...this.told, at: -Infinity };
    if (this.clients.count > 0) await this.tell();
  }

  async close(): Promise<void> {
    if (shared === this) shared = null;
    this.stopTicking();
    this.pools.close();
    this.clients.close();
    const started = await this.server;
    started?.server.close();
    started?.server.closeAllConnections();
  }

  private async open(): Promise<LiveServer | null> {
    try {
      const started = await startLiveServer(this.wanted, this.token, {
        page: () => this.page(),
        listen: (response) => this.listen(response),
        administer: async (wish) => {
          const done = await this.pools.administer(wish);
          void this.tell();
          return done;
        },
        edit: async (edit) => {
          const done = await this.pools.edit(edit);
          void this.tell();
          return done;
        },
      });
      const { host, port } = started.bound;
      this.voice.print(`Gemba live: http://${bracketed(host)}:${port}/?token=${this.token}`);
      return started;
    } catch (error) {
      this.voice.warn(`there is no live page in this run: ${whyNot(error, this.wanted)}`);
      return null;
    }
  }

  private listen(response: ServerResponse): string | null {
    const taken = this.clients.add(response, () => this.clients.count === 0 && this.stopTicking());
    if (!taken) return 'too many pages are open';
    this.timer ??= setInterval(() => void this.tell(), TICK_MS).unref();
    void this.tell(true);
    return null;
  }

  private stopTicking(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  /** Sends what is now; one at a time, since the broker may take long to answer. */
  private async tell(again: boolean = false): Promise<void> {
    const { run } = this;
    if (!run || this.telling || this.clients.count === 0) return;
    this.telling = true;
    const state = await this.pools.now();
    this.telling = false;
    if (run !== this.run) return;
    this.clients.send('state', JSON.stringify({ ...run.now(), ...state }));
    this.tellReport(run, again);
  }

  /** What the pages compare with what they show. */
  private id(run: LiveRun): string {
    return `${this.runs}.${run.revision}`;
  }

  private tellReport(run: LiveRun, again: boolean): void {
    const { at, costMs } = this.told;
    const id = this.id(run);
    const now = this.clock();
    const due = now - at >= Math.min(MAX_REPORT_MS, Math.max(REPORT_MS, REPORT_PART * costMs));
    if (!again && (!due || id === this.told.id)) return;
    this.told = { id, at: now, costMs };
    this.clients.send('report', id);
  }

  private page(): Promise<LivePage> {
    const { run, made } = this;
    if (!run) return Promise.reject(new Error('no run yet'));
    const id = this.id(run);
    if (made?.id === id) return made.page;
    const began = this.clock();
    const { source, ended } = run;
    const page = livePage(source.report(), source.title, { running: !ended, revision: id });
    this.made = { id, page };
    page.then(
      // The first one reads and compiles the templates, too.
      () => made && (this.told = { ...this.told, costMs: this.clock() - began }),
      () => (this.made = null),
    );
    return page;
  }
}

function whyNot(error: unknown, { host, port }: Bound): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return `port ${port} of ${host} is taken. Free it, or choose another (live: { port }); without one any free port is used.`;
  }
  if (code === 'EACCES')
    return `port ${port} of ${host} may not be opened by this user; choose one above 1023.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${host} is no address of this machine.`;
  return message;
}
