import type { Revision } from '../../config/live.ts';
import type { Env } from '../../config/variables.ts';
import type { Follower, BrokerClient } from '../../client/broker-client.ts';

/** Where the configuration may be: as the workers look for it. */
export interface ConfigPlace {
  readonly folder: string;
  readonly option: string | undefined;
}

/** A link to the broker that follows the configuration's edits. */
export interface Connected {
  readonly client: BrokerClient;
  readonly env: Env;
  /** The configuration in force. */
  readonly revision: Revision;
  /** Pools whose keys stand in a variable, not in the file. */
  readonly fromVariables: ReadonlySet<string>;
  /** What is wrong with a later state of the file. */
  readonly errors: readonly string[];
}

/** Connects as the page's process; null where there is no configuration, or none that counts. */
export async function connectTo({ folder, option }: ConfigPlace): Promise<Connected | null> {
  // A pin restricts a run to some members; whoever looks after them means all.
  const env: NodeJS.ProcessEnv = { ...process.env, GEMBA_PIN: undefined };
  if (env['GEMBA_DISABLE'] && env['GEMBA_DISABLE'] !== '0') return null;
  // Loaded by the first who looks: most runs have nobody at the live page.
  const { findConfig } = await import('../../config/find.ts');
  const file = findConfig({ env, option, from: folder });
  if (file === undefined) return null;
  const { configOfText } = await import('../../config/load.ts');
  const { readConfigText } = await import('../../config/read.ts');
  const { parseDocument } = await import('../../config/document.ts');
  const { resolveVariables } = await import('../../config/variables.ts');
  const { LiveConfig } = await import('../../config/live.ts');
  const { brokerAddress } = await import('../../client/address.ts');
  const { BrokerClient: Client } = await import('../../client/broker-client.ts');
  const text = readConfigText(file);
  const config = configOfText(file, text, env);
  const live = new LiveConfig(file, env, () => undefined);
  const first = live.start(config, text);
  let errors: readonly string[] = [];
  const follower: Follower = {
    role: 'command',
    run: `live page ${process.pid}`,
    get current() {
      return live.told;
    },
    apply: (state, edited) => {
      errors = state.errors;
      live.apply(state, edited);
    },
    say: () => undefined,
  };
  const listsIn = (edited: string): Set<string> =>
    new Set(resolveVariables(parseDocument(edited).value, {}).lists.keys());
  let lists = { text, pools: listsIn(text) };
  const client = new Client({ address: brokerAddress(config), follower, seed: env['GEMBA_SEED'] });
  return {
    client,
    env,
    get revision() {
      return live.current ?? first;
    },
    get fromVariables() {
      const { text: now } = live.current ?? first;
      if (lists.text !== now) lists = { text: now, pools: listsIn(now) };
      return lists.pools;
    },
    get errors() {
      return errors;
    },
  };
}
