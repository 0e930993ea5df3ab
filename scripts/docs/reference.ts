import { VARIABLES } from '../../src/config/environment.ts';
import { fieldsOf, gembaJsonSchema, type SchemaField } from './json-schema.ts';
import { asObject, items, textOf } from '../../src/config/json.ts';

const HEAD = `# Configuration reference

<!-- Written by scripts/reference.mjs out of the schema; \`npm run build\` renews it. -->

\`gemba.config.json\`: JSON; comments and trailing commas are allowed. It is found by \`GEMBA_CONFIG\`, by the worker option
\`use: { gembaConfig: 'path' }\`, or as the nearest file of that name from the Playwright config's folder upward.

- \`\${NAME}\` in any string is the value of a variable, \`\${NAME:-text}\` has a default, and \`$\${\` stands for the characters
  themselves. A variable that is not set and has no default is an error that names it and its place, unless its pool says
  \`"whenUnset": "skip"\`. Variables come from the environment, then from \`.env\` beside the config.
- \`extends\` builds on other files: see [layers](live-config.md#layers).
- Durations are milliseconds, or strings such as \`"500ms"\`, \`"5s"\`, \`"2m"\`, \`"1h"\`.
- An unknown field is an error with the nearest known name. All problems are reported together, each with file, line and column.
- Edits count while tests run: see [live configuration](live-config.md).
`;

const SECTIONS: readonly { readonly title: string; readonly under: string; readonly note?: string }[] = [
  { title: 'The file', under: '' },
  {
    title: 'A pool',
    under: 'pools.*',
    note: '`pools` maps names to pools. A pool needs at least one endpoint or key.',
  },
  { title: 'An endpoint', under: 'pools.*.endpoints', note: 'Or its address alone, as a string.' },
  {
    title: 'A key',
    under: 'pools.*.keys',
    note: 'Or its value alone, as a string. In place of the array, `{ "fromEnv": "NAME" }` takes all keys from one variable.',
  },
  {
    title: 'A value in a file',
    under: 'pools.*.keys.value',
    note: 'In place of the string. A line end behind the value is removed; the file is watched.',
  },
  { title: 'A field in a file', under: 'pools.*.keys.fields.*', note: 'The same for each of `fields`.' },
  { title: '`totp` in a file', under: 'pools.*.keys.totp', note: 'The same for `totp`.' },
  { title: 'The budget of a day', under: 'pools.*.keys.daily' },
  { title: 'Ejection', under: 'pools.*.ejection' },
  { title: 'A way of sending keys', under: 'pools.*.auth', note: 'Or `"bearer"`, `"basic"`, `"none"`.' },
  {
    title: 'OAuth 2.0 client credentials',
    under: 'pools.*.auth.oauth2',
    note: 'See [Tokens and one-time codes](guides/tokens.md).',
  },
  { title: 'A rule of `classify`', under: 'pools.*.classify' },
  { title: 'Gate', under: 'gate' },
];

/** The reference of the config file and of the environment, in Markdown. */
export function referenceText(): string {
  const fields = unique(fieldsOf(gembaJsonSchema()));
  const sections = SECTIONS.map(({ title, under, note }) => {
    const rows = fields.filter(({ path }) => parentOf(path) === under).map(rowOf);
    const table = tableOf(['field', 'takes', 'default', '', 'example'], rows);
    return [`## ${title}`, ...(note === undefined ? [] : [note]), table].join('\n\n');
  });
  const variables = Object.entries(VARIABLES).map(([name, what]) => [code(name), what]);
  const environment = ['## Environment variables', tableOf(['variable', 'what it does'], variables)].join(
    '\n\n',
  );
  return `${[HEAD.trimEnd(), ...sections, environment].join('\n\n')}\n`;
}

function rowOf({ path, node }: SchemaField): string[] {
  const name = path.slice(parentOf(path).length).replace(/^\./, '');
  const [, what = '', initial = ''] =
    /^(.*?)(?: Default: (.*?))?\.?$/.exec(textOf(node, 'description') ?? '') ?? [];
  const [example] = items(node['examples']);
  return [code(name), takes(node), initial, what.replace(/\.$/, ''), code(JSON.stringify(example))];
}

function takes(node: Record<string, unknown>): string {
  const values = items(node['enum']);
  if (values.length > 0) return values.map((value) => code(JSON.stringify(value))).join(', ');
  const forms = [...items(node['anyOf']), ...items(node['oneOf'])];
  if (forms.length > 0) return [...new Set(forms.map((form) => takes(asObject(form) as never)))].join(' or ');
  const type = textOf(node, 'type') ?? '';
  const bound = node['minimum'] === undefined ? '' : ` ≥ ${JSON.stringify(node['minimum'])}`;
  return `${WORDS[type] ?? type}${type === 'array' || type === 'object' ? '' : bound}`;
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'integer',
  number: 'number',
  boolean: 'true or false',
  array: 'array',
  object: 'object',
};

function parentOf(path: string): string {
  return path.includes('.') ? path.slice(0, path.lastIndexOf('.')) : '';
}

/** A field that several forms have is told once. */
function unique(fields: readonly SchemaField[]): SchemaField[] {
  return [...new Map(fields.map((field) => [field.path, field])).values()];
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}
