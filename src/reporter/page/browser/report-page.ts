/** The script of the report. */
import { startPage } from './page.ts';

startPage();
