import { bundleScripts, type PageScripts } from './script-sources.ts';

/** The page's scripts. The build puts a module in place of this one that has them bundled. */
export function pageScripts(): Promise<PageScripts> {
  return bundleScripts(new URL('browser/', import.meta.url));
}
