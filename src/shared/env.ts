/** Variables of a process, such as `process.env`. */
export type Env = Readonly<Record<string, string | undefined>>;
