// What stands between undici and the platform's fetch, whatever version of undici that is of. Its handlers have one of two
// forms: `onHeaders` with raw headers, or since version 7 `onResponseStart` with a controller that has them. A handler is
// extended in its own form: undici takes both.

/** What is noted of an answer, and changed in it. */
export interface Answering {
  readonly onStart: (status: number) => void;
  /** Where the answer sends its caller, as the caller is to see it. */
  readonly location: (location: string) => string;
  /** A header more. */
  readonly header: (status: number) => readonly [name: string, value: string] | null;
}

type RawHeaders = (Buffer | string)[];
type AnswerHandler = Record<string, ((...args: never[]) => unknown) | undefined>;

interface Watched {
  readonly watched: object;
  /** Null where the answer came whole, else why it did not. */
  readonly ended: Promise<unknown>;
}

export function watchAnswer(handler: object, answering: Answering): Watched {
  const plain = handler as AnswerHandler;
  let end: (error: unknown) => void = () => {};
  const ended = new Promise<unknown>((resolve) => (end = resolve));
  const call = (self: unknown, name: string, args: readonly unknown[]): unknown =>
    plain[name] && Reflect.apply(plain[name], self, args);
  const isCurrent = typeof plain['onRequestStart'] === 'function';
  const methods = isCurrent
    ? {
        onResponseStart(
          controller: { rawHeaders?: RawHeaders },
          status: number,
          headers: HeaderFields,
          ...rest: unknown[]
        ) {
          const changes = changesOf(status, controller.rawHeaders ?? [], answering);
          return call(this, 'onResponseStart', [controller, status, { ...headers, ...changes }, ...rest]);
        },
        onResponseEnd(...args: unknown[]) {
          end(null);
          return call(this, 'onResponseEnd', args);
        },
        onResponseError(controller: unknown, error: unknown) {
          end(error);
          return call(this, 'onResponseError', [controller, error]);
        },
      }
    : {
        onHeaders(status: number, rawHeaders: RawHeaders, ...rest: unknown[]) {
          changesOf(status, rawHeaders, answering);
          return call(this, 'onHeaders', [status, rawHeaders, ...rest]);
        },
        onComplete(...args: unknown[]) {
          end(null);
          return call(this, 'onComplete', args);
        },
        onError(error: unknown) {
          end(error);
          return call(this, 'onError', [error]);
        },
      };
  return { watched: Object.assign(Object.create(handler) as object, methods), ended };
}

type HeaderFields = Readonly<Record<string, string | string[]>>;

/** Changes the raw headers of a final answer in place, and returns what it changed. */
function changesOf(status: number, rawHeaders: RawHeaders, answering: Answering): HeaderFields {
  const changes: Record<string, string> = {};
  if (status < 200) return changes;
  answering.onStart(status);
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.toString().toLowerCase() !== 'location') continue;
    const location = rawHeaders[at + 1]!.toString('latin1');
    const shown = answering.location(location);
    if (shown === location) continue;
    rawHeaders[at + 1] = Buffer.from(shown, 'latin1');
    changes['location'] = shown;
  }
  const added = answering.header(status);
  if (added) {
    rawHeaders.push(...added.map((text) => Buffer.from(text, 'latin1')));
    changes[added[0]] = added[1];
  }
  return changes;
}
