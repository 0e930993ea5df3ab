/** Each variable that a user may set, and what it does. */
export const VARIABLES: Readonly<Record<string, string>> = {
  GEMBA_CONFIG:
    'Path of the config file, relative to the current folder; overrides the option `gembaConfig` and the search.',
  GEMBA_ENV_FILE:
    'Path of the file of variables, relative to the current folder, in place of `.env` beside the config; it must exist.',
  GEMBA_SESSIONS: '`off`: sessions of accounts and tokens are kept for the run alone.',
  GEMBA_STORE:
    'Overrides `store` of the config: `local`, or the address of the Redis that machines share. Fixed for a run.',
  GEMBA_PIN:
    'Only these members, such as `api/us,api/ci-1`, to reproduce a failure; pools that it does not name stay whole.',
  GEMBA_DISABLE: 'Set to anything but `0`: plain Playwright, no leases, no records.',
  GEMBA_REPORT_DIR: 'The folder of the report, relative to the current folder; overrides `outputFolder`.',
  GEMBA_SEED:
    'Any text: it makes the choices of a broker repeatable. It counts for the broker that is started with it.',
};

/** `GEMBA_DISABLE` switches the plugin off: everything is plain Playwright. */
export function isSwitchedOff({
  GEMBA_DISABLE: value = '',
}: Readonly<Record<string, string | undefined>>): boolean {
  return value !== '' && value !== '0';
}
