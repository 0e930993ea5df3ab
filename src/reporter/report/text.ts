import type { Report } from './model.ts';

const LINES_AT_ONCE = 500;

/**
 * `report.json`: one line for each test, error and change, so that it can be read, searched and compared. It comes
 * in pieces, since the whole of it may be longer than a text can be.
 */
export function* reportText(report: Report): Generator<string> {
  let before = '{\n';
  for (const [name, value] of Object.entries(report) as [string, unknown][]) {
    yield `${before}  ${JSON.stringify(name)}: `;
    if (Array.isArray(value) && value.length > 0) yield* listText(value);
    else yield JSON.stringify(value);
    before = ',\n';
  }
  yield '\n}\n';
}

function* listText(list: readonly unknown[]): Generator<string> {
  for (let from = 0; from < list.length; from += LINES_AT_ONCE) {
    const lines = list.slice(from, from + LINES_AT_ONCE).map((item) => `    ${JSON.stringify(item)}`);
    yield `${from === 0 ? '[\n' : ',\n'}${lines.join(',\n')}`;
  }
  yield '\n  ]';
}
