import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkTo, type Terminal } from '../../../src/cli/terminal.ts';
import { writeData } from '../../../src/reporter/output.ts';
import { runCommand } from '../../harness/command.ts';
import { reportOf } from '../reporter/synthetic.ts';

describe('gemba show-report', () => {
  let project: string;

  beforeAll(async () => {
    project = mkdtempSync(join(tmpdir(), 'gemba-show-'));
    mkdirSync(join(project, 'repository', '.git'), { recursive: true });
    mkdirSync(join(project, 'tests', 'deep'), { recursive: true });
    mkdirSync(join(project, 'repository', 'tests'));
    await writeData(join(project, 'gemba-report'), reportOf([{ title: 'a', results: [{}] }]));
  });
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it('finds the report from a subfolder of the project', async () => {
    let printed = '';
    const folder = join(project, 'tests', 'deep');
    expect(await runCommand('show-report', [], { folder, print: (text) => void (printed += text) })).toBe(0);
    expect(printed).toContain('Gemba: 1 of 1 passed');
    expect(printed).toContain(`Report: ${join('..', '..', 'gemba-report', 'index.html')}`);
  });

  it('looks no further than the repository', async () => {
    const folder = join(project, 'repository', 'tests');
    await expect(runCommand('show-report', [], { folder })).rejects.toThrow(
      `There is no report in ${join(folder, 'gemba-report')}`,
    );
  });

  it('prints a link where a terminal makes it clickable', () => {
    const terminal = { folder: '/shop', interactive: true } as Terminal;
    expect(linkTo('/shop/a b/index.html', terminal)).toBe('file:///shop/a%20b/index.html');
    expect(linkTo('/shop/a b/index.html', { ...terminal, interactive: false })).toBe('a b/index.html');
  });
});
