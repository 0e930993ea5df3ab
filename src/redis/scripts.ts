import claim from './lua/claim.lua?raw';
import draw from './lua/draw.lua?raw';
import fact from './lua/fact.lua?raw';
import open from './lua/open.lua?raw';
import release from './lua/release.lua?raw';
import renew from './lua/renew.lua?raw';
import permit from './lua/permit.lua?raw';
import settle from './lua/settle.lua?raw';
import step from './lua/step.lua?raw';

/** The scripts of lua/, which the build brings in without their comments. */
export const LUA = { claim, draw, fact, open, permit, release, renew, settle, step } as const;
