class Known extends Error {}

/**
 * The length that fetch would send with a request's body; null where that is a stream. Nothing is sent: fetch is asked
 * for the headers that it would hand on, which is where it says so.
 */
export async function lengthOf(request: Request): Promise<number | null> {
  let length: string | undefined;
  const dispatcher = {
    dispatch({ headers }: { headers: Record<string, string> }): never {
      length = headers['content-length'];
      throw new Known();
    },
  } as unknown as NonNullable<RequestInit['dispatcher']>;
  await fetch(request, { dispatcher }).catch(() => {});
  return length === undefined ? null : Number(length);
}
