/** The script of the live page: that of the report, and the part that updates it while tests run. */
import { setUpEdit } from './edit.ts';
import { connect, setUpMemberTools } from './live.ts';
import { startPage } from './page.ts';

startPage();
setUpEdit();
setUpMemberTools();
connect();
