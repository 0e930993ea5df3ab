import { statSync } from 'node:fs';
import path from 'node:path';
import { brokerAddress } from '../client/address.ts';
import { GembaError } from '../core/errors.ts';
import { StoredSessions } from '../sessions/stored.ts';
import { redactorOf } from '../config/redactor.ts';
import { operandOf } from './arguments.ts';
import type { Command } from './command.ts';
import { filesOf, loadConfig } from './load.ts';
import { ContentScan, LIMITS } from './scan/content.ts';
import { Findings } from './scan/findings.ts';
import { Search } from './scan/finder.ts';
import { MIN_LENGTH, needlesOf } from './scan/forms.ts';
import { scanJson, scanText, type ScanView } from './scan/scan-view.ts';
import { type Secret, secretsOf } from '../config/secrets.ts';
import { walk } from './scan/walk.ts';

/** Searches artifacts for values of the configured keys, and of the sessions that are kept for them. A scan that could not look at everything is a finding, too. */
export const scan: Command = async (args, terminal) => {
  const given = operandOf(args, 'the folder to search, such as test-results');
  const files = filesOf(args);
  const { config } = loadConfig(files, terminal);
  const folder = path.resolve(terminal.folder, given);
  if (!statSync(folder, { throwIfNoEntry: false })) {
    throw new GembaError('GEMBA_USAGE', `There is no ${folder} to search.`);
  }
  const stored = new StoredSessions(config, brokerAddress(config).cacheFile, (line) =>
    terminal.warn(`${line}\n`),
  );
  const secrets = [...secretsOf(config), ...stored.secrets().map(ofSession)];
  const own = new Set([...config.layers, ...config.valueFiles.map((file) => file.path)]);
  const findings = await search(folder, secrets, own);
  const view: ScanView = {
    folder,
    findings,
    keys: secrets.length,
    tooShort: secrets.filter(({ value }) => Buffer.byteLength(value) < MIN_LENGTH).map(({ name }) => name),
    leftOut: Object.entries(config.skipped).map(([pool, why]) => `${pool}: ${why}`),
    redact: redactorOf(config),
  };
  terminal.print(args.flags.has('json') ? `${JSON.stringify(scanJson(view), null, 2)}\n` : scanText(view));
  return findings.list.length + findings.unfinished.length > 0 ? 1 : 0;
};

function ofSession({ name, value }: { name: string; value: string }): Secret {
  return { name, fingerprint: null, value, user: null };
}

/** `own`: files that hold the keys on purpose. */
async function search(
  folder: string,
  secrets: readonly Secret[],
  own: ReadonlySet<string>,
): Promise<Findings> {
  const findings = new Findings();
  const content = new ContentScan(new Search(secrets.flatMap(needlesOf)), findings, LIMITS);
  for await (const walked of walk(folder)) {
    const file = path.relative(folder, walked.path).replaceAll(path.sep, '/') || path.basename(walked.path);
    if (own.has(walked.path)) findings.own.push(file);
    else if (walked.is === 'file') await content.file(walked.path, file);
    else if (walked.is === 'link') findings.links++;
    else findings.stopped({ file, inner: [] }, walked.why);
  }
  return findings;
}
