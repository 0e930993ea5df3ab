import { closestMatch } from 'leven';

/** "did you mean …" for a near miss, else all known names. */
export function suggest(given: string, known: readonly string[]): string {
  const nearest = nearestName(given, known);
  return nearest === undefined ? `known: ${known.join(', ')}` : `did you mean ${JSON.stringify(nearest)}?`;
}

/** A sentence with the nearest of the known names, to be added to a message; empty where none is near. */
export function didYouMean(given: string, known: readonly string[]): string {
  const nearest = nearestName(given, known);
  return nearest === undefined ? '' : ` Did you mean ${JSON.stringify(nearest)}?`;
}

function nearestName(given: string, known: readonly string[]): string | undefined {
  const lower = known.map((entry) => entry.toLowerCase());
  const maxDistance = Math.min(given.length - 1, Math.max(2, Math.floor(given.length / 3)));
  const near = closestMatch(given.toLowerCase(), lower, { maxDistance });
  return near === undefined ? undefined : known[lower.indexOf(near)];
}
