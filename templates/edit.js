// ---- members in the configuration's file ----------------------------------------------------------------------------
/** The member that is edited, as it was shown when the form was opened. */
let edited = null;
const editForm = byId('edit-form');
const NUMBERS = ['weight', 'maxConcurrent', 'rpm'];

function settingsText({ enabled, weight, maxConcurrent, rpm }) {
  const limits = [maxConcurrent === null ? '' : `${count(maxConcurrent)} at once`, rpm === null ? '' : `${rpm} a minute`];
  return [enabled ? '' : 'not enabled', `weight ${weight}`, ...limits].filter(Boolean).join(', ');
}
/** The button stays the same while its row is there, so that the focus can come back to it. */
function editButton(pool, name, shown) {
  const button = el('button', { type: 'button', class: 'quiet', 'aria-haspopup': 'dialog', 'aria-label': `Edit ${pool}/${name} in the file` }, 'Edit');
  button.addEventListener('click', () => openEdit(pool, shown()));
  return button;
}
function openEdit(pool, { member, config }) {
  edited = { pool, kind: member.kind, name: member.name, set: member.set, revision: config.revision };
  byId('edit-title').textContent = `${pool}/${member.name}`;
  byId('edit-file').textContent = config.file;
  sayOfEdit(config.valid ? '' : `${config.file} was changed to something that is not valid; correct it there first.`);
  editForm.elements.enabled.checked = member.set.enabled;
  for (const field of NUMBERS) editForm.elements[field].value = member.set[field] ?? '';
  byId('edit').showModal();
}
/** Only what was changed; an empty field takes it out of the file. */
function changedSettings() {
  const { set } = edited;
  const wanted = {};
  if (editForm.elements.enabled.checked !== set.enabled) wanted.enabled = editForm.elements.enabled.checked;
  for (const field of NUMBERS) {
    const text = editForm.elements[field].value;
    const value = text === '' ? null : Number(text);
    if (value !== set[field]) wanted[field] = value;
  }
  return wanted;
}
function sayOfEdit(text) {
  byId('edit-said').textContent = text;
}
async function saveEdit() {
  const { pool, kind, name, revision } = edited;
  const set = changedSettings();
  if (Object.keys(set).length === 0) return sayOfEdit('Nothing was changed.');
  const save = byId('edit-save');
  save.setAttribute('aria-disabled', 'true');
  sayOfEdit('');
  try {
    const { ok, text } = await post('/config', { revision, pool, kind, name, set });
    if (!ok) return sayOfEdit(text);
    byId('live-said').textContent = text;
    byId('edit').close();
  } catch {
    sayOfEdit(`Could not change ${pool}/${name}: the run cannot be reached.`);
  } finally {
    save.removeAttribute('aria-disabled');
  }
}
editForm.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!byId('edit-save').hasAttribute('aria-disabled')) void saveEdit();
});
byId('edit-cancel').addEventListener('click', () => byId('edit').close());
