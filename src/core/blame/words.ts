const REFUSED = /REFUSED/i;
const NOT_FOUND = /ENOTFOUND|EAI_AGAIN|NAME_NOT_RESOLVED/i;

/** Why nothing answers at an endpoint, from the code of the error: `it refuses connections (ECONNREFUSED)`. */
export function whyDown(code: string | undefined): string {
  if (code === undefined) return 'nothing answers there';
  if (REFUSED.test(code)) return `it refuses connections (${code})`;
  return NOT_FOUND.test(code) ? `its host is not found (${code})` : `nothing answers there (${code})`;
}
