import { encodedPart } from '../../shared/format.ts';

/** A scheme, or an address of another host without one. */
const SCHEME = /^(?:[a-z][a-z\d+.-]*:|[\\/]{2})/i;

/** What the page may link to: an http(s) address or a relative path; null for all else, such as `javascript:`. */
export function safeLink(link: string | null | undefined): string | null {
  // A browser reads an address without its control characters.
  if (link === null || link === undefined || link === '' || hasControl(link)) return null;
  if (!SCHEME.test(link)) return link;
  return /^https?:\/\//i.test(link) ? link : null;
}

function hasControl(text: string): boolean {
  return text.split('').some((sign) => sign <= ' ');
}

/** The test in Playwright’s html report. */
export function linkToTest(report: string, id: string): string {
  return `${report.split('#')[0]}#?testId=${encodedPart(id)}`;
}
