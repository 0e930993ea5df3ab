import { count } from '../../../shared/format.ts';
import type { ShownConfig, EditRequest, LiveMember, MemberSettings } from '../../live/messages.ts';
import { byId, el } from './dom.ts';
import { post } from './post.ts';

/** The state of a member when its form was opened. */
interface EditedMember extends Omit<EditRequest, 'set'> {
  readonly settings: MemberSettings;
}

export interface ShownMember {
  readonly member: LiveMember;
  readonly config: ShownConfig | null;
}

const NUMBERS = ['weight', 'maxConcurrent', 'rpm'] as const;

let edited: EditedMember | null = null;

/** The dialog that edits a member in the configuration's file. */
export function setUpEdit(): void {
  form().addEventListener('submit', (event) => {
    event.preventDefault();
    if (!byId('edit-save').hasAttribute('aria-disabled')) void save();
  });
  byId('edit-cancel').addEventListener('click', () => dialog().close());
}

export function settingsText({ enabled, weight, maxConcurrent, rpm }: MemberSettings): string {
  const parts = [
    enabled ? '' : 'not enabled',
    `weight ${weight}`,
    maxConcurrent === null ? '' : `${count(maxConcurrent)} at once`,
    rpm === null ? '' : `${rpm} a minute`,
  ];
  return parts.filter(Boolean).join(', ');
}

/** The button stays the same while its row is there, so that the focus can return to it. */
export function editButton(pool: string, name: string, shown: () => ShownMember | null): HTMLElement {
  const label = `Edit ${pool}/${name} in the file`;
  const attributes = { type: 'button', class: 'quiet', 'aria-haspopup': 'dialog', 'aria-label': label };
  const button = el('button', attributes, 'Edit');
  button.addEventListener('click', () => {
    const now = shown();
    if (now) openEdit(pool, now);
  });
  return button;
}

function openEdit(pool: string, { member, config }: ShownMember): void {
  const settings = member.set;
  if (!settings || !config) return;
  edited = { pool, kind: member.kind, name: member.name, revision: config.revision, settings };
  byId('edit-title').textContent = `${pool}/${member.name}`;
  byId('edit-file').textContent = config.file;
  showMessage(config.valid ? '' : `${config.file} is not valid now. Correct the file first.`);
  checkbox().checked = settings.enabled;
  for (const field of NUMBERS) numberInput(field).value = String(settings[field] ?? '');
  dialog().showModal();
}

/** Only what was changed; an empty field is removed from the file. */
function changesOf(settings: MemberSettings): EditRequest['set'] {
  const enabled = checkbox().checked;
  const numbers = NUMBERS.map((field) => {
    const text = numberInput(field).value;
    return [field, text === '' ? null : Number(text)] as const;
  });
  return {
    ...(enabled === settings.enabled ? {} : { enabled }),
    ...Object.fromEntries(numbers.filter(([field, value]) => value !== settings[field])),
  };
}

async function save(): Promise<void> {
  if (!edited) return;
  const { settings, ...target } = edited;
  const set = changesOf(settings);
  if (Object.keys(set).length === 0) return showMessage('Nothing was changed.');
  const button = byId('edit-save');
  button.setAttribute('aria-disabled', 'true');
  showMessage('');
  try {
    const { ok, text } = await post('/config', { ...target, set });
    if (!ok) return showMessage(text);
    byId('live-message').textContent = text;
    dialog().close();
  } catch {
    showMessage(`Could not change ${target.pool}/${target.name}: the run cannot be reached.`);
  } finally {
    button.removeAttribute('aria-disabled');
  }
}

function showMessage(text: string): void {
  byId('edit-message').textContent = text;
}

function form(): HTMLFormElement {
  return byId<HTMLFormElement>('edit-form');
}

function dialog(): HTMLDialogElement {
  return byId<HTMLDialogElement>('edit');
}

function checkbox(): HTMLInputElement {
  return form().elements.namedItem('enabled') as HTMLInputElement;
}

function numberInput(name: string): HTMLInputElement {
  return form().elements.namedItem(name) as HTMLInputElement;
}
