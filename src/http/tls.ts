import { readFileSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';

/** A certificate that a client shows to one origin, as Playwright's option `clientCertificates` has it. */
interface ClientCertificate {
  readonly origin: string;
  readonly certPath?: string | undefined;
  readonly keyPath?: string | undefined;
  readonly pfxPath?: string | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
  readonly pfx?: Buffer | undefined;
  readonly passphrase?: string | undefined;
}

/** Whom a client trusts, and how it shows who it is. */
export interface Trust {
  /** Take any certificate, as Playwright's `ignoreHTTPSErrors`. */
  readonly insecure: boolean;
  readonly clientCertificates: readonly ClientCertificate[];
}

export type Tls = Pick<SecureContextOptions, 'cert' | 'key' | 'pfx'> & {
  readonly rejectUnauthorized: boolean;
};

/** What the system trusts. */
export const NO_TRUST: Trust = { insecure: false, clientCertificates: [] };

/** The TLS options of connections to an origin. */
export function tlsTo(origin: string, { insecure, clientCertificates }: Trust = NO_TRUST): Tls {
  const certificates = clientCertificates.filter(
    (one) => URL.canParse(one.origin) && new URL(one.origin).origin === origin,
  );
  const tls: Tls = { rejectUnauthorized: !insecure };
  const cert = certificates.flatMap((one) => one.cert ?? fileOf(one.certPath));
  const key = certificates.flatMap((one) => withPassphrase('pem', one.key ?? fileOf(one.keyPath), one));
  const pfx = certificates.flatMap((one) => withPassphrase('buf', one.pfx ?? fileOf(one.pfxPath), one));
  if (cert.length > 0) tls.cert = cert;
  if (key.length > 0) tls.key = key;
  if (pfx.length > 0) tls.pfx = pfx;
  return tls;
}

function fileOf(file: string | undefined): Buffer | [] {
  return file === undefined ? [] : readFileSync(file);
}

function withPassphrase<N extends string>(
  name: N,
  data: Buffer | [],
  { passphrase }: ClientCertificate,
): ({ [K in N]: Buffer } & { passphrase?: string })[] {
  if (!Buffer.isBuffer(data)) return [];
  return [{ [name]: data, ...(passphrase === undefined ? {} : { passphrase }) } as { [K in N]: Buffer }];
}
