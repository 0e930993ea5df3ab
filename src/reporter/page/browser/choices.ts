import { count } from '../../../shared/format.ts';
import { load, type TestItem } from './data.ts';
import { targetOf } from './dom.ts';

/** What a filter of the tests looks at. */
const VALUES: Readonly<Record<string, (test: TestItem) => readonly string[]>> = {
  file: ({ file }) => [file],
  project: ({ project }) => [project],
  tag: ({ tags }) => tags,
};

/** Filters with hundreds of choices get them when the reader comes near, so that the page opens without them. */
export function setUpChoices(): void {
  for (const name of ['focusin', 'pointerover']) {
    document.addEventListener(name, (event) => {
      const select = targetOf(event)?.closest<HTMLSelectElement>('.filters')?.querySelectorAll('select');
      for (const each of select ?? []) if (each.dataset['choices'] !== undefined) void fill(each);
    });
  }
}

async function fill(select: HTMLSelectElement): Promise<void> {
  const valuesOf = VALUES[select.dataset['choices']!]!;
  delete select.dataset['choices'];
  const counts = new Map<string, number>();
  for (const test of (await load()).tests) {
    for (const value of valuesOf(test)) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const chosen = select.value;
  const options = sorted.map(([value, tests]) => new Option(`${value} (${count(tests)})`, value));
  select.replaceChildren(select.options[0]!, ...options);
  select.value = chosen;
}
