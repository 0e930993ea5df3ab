/**
 * The script of the page. The page is complete without it; the script adds filters, details and the rows that the markup
 * leaves out. It reads the data that `page-data.ts` packs (`data.ts`), keeps the filters in the address (`address.ts`) and draws
 * the lists (`tests.ts`, `errors.ts`).
 */
import { onReturn, setParam, showParams } from './address.ts';
import { setUpChoices } from './choices.ts';
import { setUpCopy } from './copy.ts';
import { labelMore, load } from './data.ts';
import { byId, debounced, findId } from './dom.ts';
import { areErrorsFiltered, relistErrors, setUpErrors } from './errors.ts';
import { relistRequests, setUpRequests, showRequests } from './requests.ts';
import { listMembers, setUpMembers, showMembers } from './members.ts';
import { setUpReveal } from './reveal.ts';
import { areTestsFiltered, listTests, relistTests, setUpTests, showLinkedTest, shownTests } from './tests.ts';
import { setUpTheme } from './theme.ts';
import { setUpTimeline } from './timeline.ts';

type Control = HTMLInputElement | HTMLSelectElement;

export function startPage(): void {
  document.documentElement.classList.add('script');
  setUpTheme();
  setUpReveal();
  setUpTimeline();
  setUpTests();
  setUpErrors();
  setUpRequests();
  setUpMembers();
  setUpCopy();
  setUpFilters();
  setUpChoices();
  onReturn(relistAll);
  // After the first paint.
  requestAnimationFrame(() => requestAnimationFrame(() => void settle()));
}

function setUpFilters(): void {
  const typed = debounced(applyFilter);
  document.addEventListener('input', ({ target }) => isFilter(target, true) && typed(target));
  document.addEventListener('change', ({ target }) => isFilter(target, false) && applyFilter(target));
}

function isFilter(target: EventTarget | null, isSearch: boolean): target is Control {
  const isControl = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  return isControl && target.dataset['param'] !== undefined && (target.type === 'search') === isSearch;
}

function applyFilter(control: Control): void {
  const name = control.dataset['param']!;
  setParam(name, control.value, control.type === 'search');
  void relist(name);
}

/** The reader went back or on to other filters. */
function relistAll(): void {
  showParams();
  void relistTests();
  void relistErrors();
  void relistRequests();
  void listMembers();
}

/** Each list has its own filters, by the beginning of their names. */
function relist(name: string): Promise<void> {
  if (name.startsWith('error-')) return relistErrors();
  if (name.startsWith('member-')) return listMembers();
  return name.startsWith('request-') ? relistRequests() : relistTests();
}

/** Shows what the address asks for; else the lists stay as they came, and only say how many rows are left. */
async function settle(): Promise<void> {
  showParams();
  if (areTestsFiltered()) await listTests();
  if (areErrorsFiltered()) await relistErrors();
  await showRequests();
  await showMembers();
  await showLinkedTest();
  const { tests, errors } = await load();
  if (findId('tests-rows') && !areTestsFiltered()) {
    labelMore(byId('tests-more'), tests.length - shownTests());
  }
  const errorRows = findId('errors-rows');
  if (errorRows && !areErrorsFiltered()) {
    labelMore(byId('errors-more'), errors.length - errorRows.children.length);
  }
  document.documentElement.dataset['ready'] = '';
}
