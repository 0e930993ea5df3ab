import type { Protocol } from '../../core/types.ts';
import { anthropic } from './anthropic.ts';
import { azureOpenai } from './azure-openai.ts';
import { gemini } from './gemini.ts';
import { http } from './http.ts';
import { openai } from './openai.ts';
import type { ProtocolTable } from './types.ts';

export const PROTOCOLS: Readonly<Record<Protocol, ProtocolTable>> = {
  http,
  openai,
  gemini,
  anthropic,
  'azure-openai': azureOpenai,
};
