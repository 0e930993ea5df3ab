import { systemClock } from '../core/clock.ts';
import { withStore } from './connect.ts';
import { statusJson, statusText, withConfig } from './status-view.ts';
import type { Command } from './command.ts';
import { filesOf } from './load.ts';

/** Shows what is held, waited for and healthy now. */
export const status: Command = (args, terminal) => {
  return withStore(filesOf(args), terminal, async (store) => {
    const { config } = store;
    const pools = withConfig(config, await store.status());
    const state = store.state();
    const notices = store.notices();
    const machine = store.machine();
    const view = { config, pools, state, notices, machine, now: systemClock(), colours: terminal.colours };
    terminal.print(
      args.flags.has('json') ? `${JSON.stringify(statusJson(view), null, 2)}\n` : statusText(view),
    );
    return 0;
  });
};
