import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface Manifest {
  readonly scripts: Record<string, string>;
}
interface Lock {
  readonly packages: Record<
    string,
    {
      readonly dev?: boolean;
      readonly hasInstallScript?: boolean;
      readonly resolved?: string;
      readonly integrity?: string;
    }
  >;
}

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8')) as T;

it('nothing runs when the package is installed: no script of it, none of what comes along', () => {
  const { scripts } = read<Manifest>('package.json');
  const atInstall = [
    'preinstall',
    'install',
    'postinstall',
    'prepare',
    'prepublish',
    'preprepare',
    'postprepare',
  ];
  expect(Object.keys(scripts).filter((name) => atInstall.includes(name))).toEqual([]);
  const { packages } = read<Lock>('package-lock.json');
  const running = Object.entries(packages).filter(
    ([, { dev, hasInstallScript }]) => hasInstallScript && !dev,
  );
  expect(running.map(([name]) => name)).toEqual([]);
});

it('all that is installed comes from the registry, and is known by its digest', () => {
  const { packages } = read<Lock>('package-lock.json');
  const odd = Object.entries(packages).filter(([name, { resolved, integrity }]) => {
    // The registry's own address may be left out.
    const isFromThere = resolved?.startsWith('https://registry.npmjs.org/') ?? true;
    return name !== '' && !(isFromThere && integrity?.startsWith('sha512-'));
  });
  expect(odd.map(([name]) => name)).toEqual([]);
});
