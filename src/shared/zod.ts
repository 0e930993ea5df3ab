/** Bundled with the package: as a hundred modules of its own it would take longer to load than all that is done with it. */
export { z } from 'zod';
