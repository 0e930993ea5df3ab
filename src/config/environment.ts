/** Each variable that a user may set, and what it does. */
export const VARIABLES: Readonly<Record<string, string>> = {
  GEMBA_CONFIG:
    'Path of the config file, relative to the current folder; goes before the option `gembaConfig` and the search.',
  GEMBA_STORE:
    'Goes before `store` of the config: `local`, or the address of the Redis that machines share. Fixed for a run.',
  GEMBA_PIN:
    'Only these members, such as `api/us,api/ci-1`, to reproduce a failure; pools that it does not name stay whole.',
  GEMBA_DISABLE: 'Set to anything but `0`: plain Playwright, no leases, no records.',
  GEMBA_REPORT_DIR: 'Where the report goes, relative to the current folder; goes before `outputFolder`.',
  GEMBA_SEED:
    'Any text: it makes the choices of a broker repeatable. It counts for the broker that is started with it.',
};

/** `GEMBA_DISABLE` switches the plugin off: everything is plain Playwright. */
export function isSwitchedOff({
  GEMBA_DISABLE: value = '',
}: Readonly<Record<string, string | undefined>>): boolean {
  return value !== '' && value !== '0';
}
