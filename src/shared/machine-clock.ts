import { type Clock, monotonic } from '../core/clock.ts';

const ahead = Number(process.hrtime.bigint()) / 1e6 - monotonic();

/** The monotonic clock that all processes of a machine share: for times that one tells another. */
export const machineClock: Clock = () => ahead + monotonic();
