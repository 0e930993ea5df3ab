import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/*
 * AES-256-GCM, with a key that HKDF (RFC 5869) takes from the account's own secret: whoever has that can sign in anyway, and
 * nobody else can read the file. An entry: magic, salt, nonce, tag, text. What the entry is for is authenticated with it.
 */

const MAGIC = Buffer.from('gemba-session/1\n');
const SALT = 16;
const NONCE = 12;
const TAG = 16;
const HEAD = MAGIC.length + SALT + NONCE + TAG;

/** `purpose` says what the entry is for: it opens for the same purpose only. */
export function encrypt(text: string, secret: string, purpose: string): Buffer {
  const salt = randomBytes(SALT);
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, salt, purpose), nonce);
  cipher.setAAD(Buffer.from(purpose));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([MAGIC, salt, nonce, cipher.getAuthTag(), sealed]);
}

/** Null where it is damaged, or was written for something else or with another secret. */
export function decrypt(entry: Buffer, secret: string, purpose: string): string | null {
  if (entry.length < HEAD || !entry.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  let at = MAGIC.length;
  const take = (length: number): Buffer => entry.subarray(at, (at += length));
  const [salt, nonce, tag] = [take(SALT), take(NONCE), take(TAG)];
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(secret, salt, purpose), nonce, {
      authTagLength: TAG,
    });
    decipher.setAAD(Buffer.from(purpose));
    decipher.setAuthTag(tag);
    return Buffer.concat([decipher.update(entry.subarray(HEAD)), decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}

function keyOf(secret: string, salt: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, purpose, 32));
}
