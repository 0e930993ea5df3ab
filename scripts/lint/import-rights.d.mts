export const RIGHTS: Readonly<Record<string, readonly string[]>>;
export const PACKAGES: Readonly<Record<string, string>>;
export function refusal(file: string, specifier: string): string | null;
