/** By what a test is pinned to its target. `outside`: by a base address that belongs to no endpoint of its pool. */
export const PINNED_BY = ['gembaEndpoint', 'baseURL', 'storageState', 'outside'] as const;
export type PinnedBy = (typeof PINNED_BY)[number];

/** The target that a test names, where its pool has others. */
export interface Pin {
  readonly pool: string;
  /** The endpoint's name; the origin of a base address outside the pool. */
  readonly to: string;
  readonly by: PinnedBy;
}
