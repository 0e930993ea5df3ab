import { deflateRawSync } from 'node:zlib';

/** Data for the page, deflated, base64: only letters, digits and `+/=`, so that it is safe in a script element. */
export function packed(data: object): string {
  // Half the time of the usual level, and a twentieth larger.
  return deflateRawSync(JSON.stringify(data), { level: 4 }).toString('base64');
}
