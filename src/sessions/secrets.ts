/** What of a browser's state may be a secret. */
export interface StateOfSession {
  readonly cookies: readonly { readonly name: string; readonly value: string }[];
  readonly origins: readonly {
    readonly localStorage: readonly { readonly name: string; readonly value: string }[];
  }[];
}

interface StateSecret {
  readonly name: string;
  readonly value: string;
}

/** Shorter ones are no secrets, but settings. */
const MIN_LENGTH = 12;

/** The values of a session that must stand in no artifact: of its cookies, and of what is in storage. */
export function secretsOfState(owner: string, { cookies, origins }: StateOfSession): StateSecret[] {
  const stored = origins.flatMap(({ localStorage }) => localStorage);
  return [
    ...cookies.map(({ name, value }) => ({ name: `${owner} (cookie ${name})`, value })),
    ...stored.flatMap(({ name, value }) =>
      texts(value).map((text) => ({ name: `${owner} (stored ${name})`, value: text })),
    ),
  ].filter(({ value }) => value.length >= MIN_LENGTH && /\d/.test(value));
}

/** The text itself; where it is JSON, the texts in it. */
function texts(value: string): string[] {
  if (!/^\s*[[{"]/.test(value)) return [value];
  try {
    const found: string[] = [];
    JSON.parse(value, (_, inner: unknown) => {
      if (typeof inner === 'string') found.push(inner);
      return inner;
    });
    return found;
  } catch {
    return [value];
  }
}
