/** Texts by number, each kept once. */
export class StringTable {
  readonly list: string[] = [];
  readonly #indexes = new Map<string, number>();

  index(text: string): number {
    const known = this.#indexes.get(text);
    if (known !== undefined) return known;
    this.#indexes.set(text, this.list.length);
    return this.list.push(text) - 1;
  }

  indexOrNone(text: string | null): number {
    return text === null ? -1 : this.index(text);
  }

  has(text: string): boolean {
    return this.#indexes.has(text);
  }
}
