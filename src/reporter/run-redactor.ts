import type { Env } from '../shared/env.ts';
import { existsSync } from 'node:fs';
import type { FullConfig } from '@playwright/test/reporter';
import { isSwitchedOff } from '../config/environment.ts';
import { expectedConfig } from '../config/find.ts';
import type { Redact } from '../shared/redact.ts';

/**
 * Takes the secrets of a run's configuration out of what Playwright itself tells the reporter, such as titles. Records
 * come without secrets. Its code is loaded while the first workers start.
 */
export class RunRedactor {
  readonly #files: readonly string[];
  readonly #env: Env;
  readonly #redactors: Redact[] = [];
  readonly #ready: Promise<void>;
  #waiting: (() => void)[] | null;

  constructor(config: FullConfig, configDir: string, env: Env) {
    this.#files = isSwitchedOff(env) ? [] : configFiles(config, configDir, env);
    this.#env = env;
    this.#waiting = this.#files.some((file) => existsSync(file)) ? [] : null;
    this.#ready = this.#load().finally(() => this.#release());
    this.#ready.catch(() => {});
  }

  /** Calls it once texts can be redacted: now, or soon after the run has begun. Calls keep their order. */
  soon(action: () => void): void {
    if (this.#waiting) this.#waiting.push(action);
    else action();
  }

  redact(text: string): string {
    return this.#redactors.reduce((bare, redact) => redact(bare), text);
  }

  /** The same with the keys that an edit in mid-run has added. */
  async atEnd(): Promise<void> {
    await this.#ready;
    await this.#load();
  }

  async #load(): Promise<void> {
    const files = this.#files.filter((file) => existsSync(file));
    if (files.length === 0) return;
    const { redactorOfFiles } = await import('../config/redactor.ts');
    this.#redactors.push(redactorOfFiles(files, this.#env));
  }

  #release(): void {
    const actions = this.#waiting ?? [];
    this.#waiting = null;
    for (const action of actions) action();
  }
}

/** Whether no project of a run has a configuration. */
export function isWithoutConfig(config: FullConfig, configDir: string, env: Env): boolean {
  return !isSwitchedOff(env) && !configFiles(config, configDir, env).some((file) => existsSync(file));
}

/** Projects may name files of their own. */
function configFiles({ projects }: FullConfig, from: string, env: Env): string[] {
  const options = projects.map(({ use }) => (use as { readonly gembaConfig?: string }).gembaConfig);
  const files = [undefined, ...options].map((option) => expectedConfig({ env, option, from }));
  return [...new Set(files)];
}
