// Lint rule: who may import whom. docs/architecture.md explains the table.
import path from 'node:path';

/** Folders of src that each folder may import, type imports included. The longest folder that fits a file counts. */
export const RIGHTS = {
  core: [],
  router: ['core/types.ts', 'core/clock.ts'],
  shared: ['core'],
  wire: ['core', 'shared'],
  config: ['core', 'shared'],
  http: ['core', 'shared'],
  redis: ['core', 'shared'],
  sessions: ['core', 'shared'],
  client: ['wire', 'config', 'core', 'shared'],
  broker: ['wire', 'core', 'router', 'redis', 'sessions', 'config', 'shared'],
  fixtures: ['client', 'http', 'sessions', 'config', 'core', 'shared'],
  lease: [
    'fixtures/lease',
    'fixtures/calls',
    'fixtures/call-scope.ts',
    'fixtures/probe.ts',
    'client',
    'http',
    'config',
    'core',
  ],
  reporter: ['config', 'core', 'shared'],
  'reporter/live': ['client', 'fixtures/probe.ts', 'http', 'config', 'core', 'shared'],
  cli: ['lease', 'client', 'http', 'sessions', 'config', 'core', 'shared', 'reporter'],
  'index.ts': ['fixtures', 'config', 'core'],
};

/** Packages that only one place may import; `node:` modules are for every folder but core and router. */
export const PACKAGES = {
  undici: 'http',
  oauth4webapi: 'http',
  otpauth: 'fixtures/lease/totp.ts',
  chokidar: 'config/watch.ts',
  handlebars: 'reporter/page',
  '@redis/client': 'redis',
  'jsonc-parser': 'config',
};
const WITHOUT_PACKAGES = ['core', 'router'];

/** Why `file` must not import `specifier`; null where it may. Both files are paths inside src. */
export function refusal(file, specifier) {
  const home = folderOf(file);
  if (!specifier.startsWith('.')) return packageRefusal(home, file, specifier);
  const target = path.posix.join(path.posix.dirname(file), specifier);
  if (isIn(target, home) || isIn(target, home.split('/')[0])) return null;
  const allowed = RIGHTS[home];
  if (allowed.some((right) => isIn(target, right))) return null;
  return `${home} may import ${allowed.join(', ') || 'no other folder'} only.`;
}

function packageRefusal(home, file, specifier) {
  if (WITHOUT_PACKAGES.includes(home)) return `${home} imports no packages and no node: modules.`;
  const owner = Object.entries(PACKAGES).find(([name]) => isIn(specifier, name));
  return owner && !isIn(file, owner[1]) ? `Only ${owner[1]} imports ${owner[0]}.` : null;
}

function folderOf(file) {
  const homes = Object.keys(RIGHTS).filter((folder) => isIn(file, folder));
  const home = homes.toSorted((a, b) => b.length - a.length)[0];
  if (home === undefined) throw new Error(`${file} is in no folder of scripts/lint/import-rights.mjs`);
  return home;
}

function isIn(name, folder) {
  return name === folder || name.startsWith(`${folder}/`);
}

export default {
  meta: { name: 'house' },
  rules: {
    'import-rights': {
      create(context) {
        const [, file] = /\/src\/(.+)$/.exec(context.filename.replaceAll('\\', '/')) ?? [];
        if (file === undefined) return {};
        const check = ({ source }) => {
          const why = typeof source?.value === 'string' ? refusal(file, source.value) : null;
          if (why !== null) context.report({ node: source, message: why });
        };
        return {
          ImportDeclaration: check,
          ExportNamedDeclaration: check,
          ExportAllDeclaration: check,
          ImportExpression: check,
        };
      },
    },
  },
};
