// Playwright's global setup: two servers that keep notes, of which the first goes down before the tests begin.
const { randomBytes } = require('node:crypto');
const { startNotes } = require('./notes.js');

module.exports = async function start() {
  const key = `notes-${randomBytes(12).toString('hex')}`;
  const [one, two] = await Promise.all([startNotes(key), startNotes(key)]);
  process.env.NOTES_KEY = key;
  process.env.NOTES_URL_1 = one.url;
  process.env.NOTES_URL_2 = two.url;
  await one.close();
  return () => two.close();
};
