import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

export interface PageScripts {
  readonly page: string;
  /** The same with the part that a live page adds. */
  readonly live: string;
}

/** The page's scripts, each bundled into one text. `folder` holds their sources. */
export async function bundleScripts(folder: URL): Promise<PageScripts> {
  const [page, live] = await Promise.all(
    ['report-page.ts', 'live-page.ts'].map((name) => bundle(fileURLToPath(new URL(name, folder)))),
  );
  return { page: page!, live: live! };
}

async function bundle(input: string): Promise<string> {
  const build = await rolldown({ input, platform: 'browser', transform: { target: 'es2022' } });
  const { output } = await build.generate({ format: 'iife', minify: true, comments: false });
  await build.close();
  return output[0].code;
}
