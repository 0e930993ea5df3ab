import { statSync } from 'node:fs';
import path from 'node:path';
import type { ReportLinks } from '../report/model.ts';
import { encodedPart } from '../../shared/format.ts';
import { httpAddress } from './ci.ts';

/** The option `links`; undefined: find them. */
export type LinksOption =
  false | { readonly playwrightReport?: string | undefined; readonly ci?: string | undefined };

interface LinkSources {
  /** The folder of the report that will hold the links. */
  readonly folder: string;
  readonly configDir: string;
  /** Playwright's html report of this run, where the run has one. */
  readonly htmlFolder: string | null;
  readonly ciUrl: string | null;
  /** Milliseconds since the epoch. An html report that is older is another run's. */
  readonly startedAt: number;
}

const DEFAULT_FOLDER = 'playwright-report';
const NONE: ReportLinks = { playwrightReport: null, ci: null };

/** Where the reader goes next: addresses, or paths that start at the report's folder. */
export function linksOf(option: LinksOption | undefined, sources: LinkSources): ReportLinks {
  if (option === false) return NONE;
  const { folder, configDir, ciUrl } = sources;
  const given = option?.playwrightReport;
  const found = given === undefined ? foundReport(sources) : path.resolve(configDir, given);
  const isAddress = given !== undefined && /^[a-z][a-z\d+.-]+:/i.test(given);
  return {
    playwrightReport: isAddress ? httpAddress(given) : found && relativeLink(folder, pageOf(found)),
    ci: option?.ci === undefined ? ciUrl : httpAddress(option.ci),
  };
}

/** Only below the config's folder: what is elsewhere may be anybody's, and does not travel with the report. */
function foundReport({ configDir, htmlFolder, startedAt }: LinkSources): string | null {
  if (htmlFolder !== null) return isInside(configDir, htmlFolder) ? htmlFolder : null;
  const candidate = path.join(configDir, DEFAULT_FOLDER);
  const stats = statSync(path.join(candidate, 'index.html'), { throwIfNoEntry: false });
  return stats !== undefined && stats.mtimeMs >= startedAt ? candidate : null;
}

function pageOf(report: string): string {
  return report.endsWith('.html') ? report : path.join(report, 'index.html');
}

/** A file as a link from a folder; null where no relative path leads there. */
export function relativeLink(folder: string, file: string): string | null {
  const relative = path.relative(folder, file);
  if (relative === '' || path.isAbsolute(relative)) return null;
  return relative.split(path.sep).map(encodedPart).join('/');
}

export function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative);
}
