import { existsSync } from 'node:fs';

/** The folder of this package, whichever file of its build this code is in. */
export const packageRoot: URL = rootAbove(new URL('.', import.meta.url));

/** The folder of this package's code within it. */
export const codeFolder: URL = new URL(
  `${import.meta.url.slice(packageRoot.href.length).split('/')[0]}/`,
  packageRoot,
);

function rootAbove(folder: URL): URL {
  return existsSync(new URL('package.json', folder)) ? folder : rootAbove(new URL('..', folder));
}
