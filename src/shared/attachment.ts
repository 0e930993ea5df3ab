/** The attachment that carries a record. The underscore hides it in Playwright's own reports. */
export const RECORD_NAME = '_gemba';
export const RECORD_CONTENT_TYPE = 'application/vnd.gemba.record+json';

/** Attempts kept with one test result; further ones are counted, not kept. */
export const MAX_REQUESTS_PER_RECORD = 500;
