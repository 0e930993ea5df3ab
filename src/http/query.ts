/**
 * The parameters of a query, read and changed without rewriting the rest: signed addresses and flags without a value
 * stay as their caller wrote them. A query comes with its question mark, or empty, as in `URL.search`.
 */

/** The first value of a parameter, decoded; undefined where the query has none of that name. */
export function parameterOf(query: string, name: string): string | undefined {
  return piecesOf(query)
    .map(decoded)
    .find((parameter) => parameter?.[0] === name)?.[1];
}

/** The query with one more parameter at its end. */
export function withParameter(query: string, name: string, value: string): string {
  const added = `${encoded(name)}=${encoded(value)}`;
  return query === '' || query === '?' ? `?${added}` : `${query}&${added}`;
}

/** The query without the parameters of that name whose value fits. */
export function withoutParameter(query: string, name: string, fits: (value: string) => boolean): string {
  const pieces = piecesOf(query);
  const kept = pieces.filter((piece) => {
    const parameter = decoded(piece);
    return parameter?.[0] !== name || !fits(parameter[1]);
  });
  if (kept.length === pieces.length) return query;
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

function piecesOf(query: string): string[] {
  return query === '' ? [] : query.replace(/^\?/, '').split('&');
}

/** Undefined for an empty piece, as between two ampersands. */
function decoded(piece: string): [name: string, value: string] | undefined {
  // A question mark at the start would be dropped.
  return [...new URLSearchParams(`&${piece}`)][0];
}

/** In a form that servers read alike, whether they take a plus for a space or not. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll("'", '%27');
}
