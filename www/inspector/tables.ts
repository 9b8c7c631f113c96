import { byId, fill, make } from './dom.js';
import type { Listing } from './listing.js';
import { attempt } from './notices.js';
import type { Reference } from './references.js';
import type { Session } from './session.js';
import { TablePanel } from './table-panel.js';
import { LISTINGS } from './table-specs.js';

interface Tab {
  readonly listing: Listing;
  readonly button: HTMLButtonElement;
  readonly count: HTMLElement;
  readonly panel: TablePanel;
}

/** Shows the five tables as tabs. Returns a function that goes to a row. */
export function showTables(session: Session): (source: Reference) => Promise<void> {
  const tabs = LISTINGS.map((listing) => tabOf(session, listing));
  let selected = tabs[0]!;

  const select = (tab: Tab): void => {
    selected = tab;
    for (const { button, panel } of tabs) {
      const isSelected = button === tab.button;
      button.setAttribute('aria-selected', String(isSelected));
      button.tabIndex = isSelected ? 0 : -1;
      panel.element.hidden = !isSelected;
    }
  };
  const countAll = () =>
    Promise.all(
      tabs.map(async ({ listing, count }) => {
        // Below its first revision a memory has no tables; each panel then shows that in place of its rows.
        const rows = await listing.count(session.memory).catch(() => undefined);
        fill(count, rows?.toLocaleString('en') ?? '–');
      }),
    );

  const list = make(
    'div',
    { role: 'tablist', class: 'tabs', 'aria-label': 'Tables of the memory' },
    ...tabs.map(({ button }) => button),
  );
  for (const tab of tabs) {
    tab.button.addEventListener('click', () => {
      select(tab);
      void attempt(() => tab.panel.load());
    });
  }
  list.addEventListener('keydown', (event) => {
    const at = tabs.indexOf(selected);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const tab = tabs.at(next % tabs.length)!;
    select(tab);
    tab.button.focus();
    void attempt(() => tab.panel.load());
  });
  fill(byId('tables', HTMLElement), list, ...tabs.map(({ panel }) => panel.element));

  select(selected);
  session.onChange(async (change) => {
    if (change === 'replaced') for (const { panel } of tabs) panel.rewind();
    await Promise.all([countAll(), selected.panel.load()]);
  });
  void attempt(async () => {
    await Promise.all([countAll(), selected.panel.load()]);
  });

  return async ({ table, key }) => {
    const tab = tabs.find(({ listing }) => listing.id === table)!;
    select(tab);
    await tab.panel.show(key);
  };
}

function tabOf(session: Session, listing: Listing): Tab {
  const count = make('span', { class: 'tab-count' });
  const button = make(
    'button',
    {
      type: 'button',
      role: 'tab',
      id: `tab-${listing.id}`,
      'aria-controls': `panel-${listing.id}`,
      class: 'tab',
      'data-table': listing.id,
    },
    make('span', { class: 'tab-title' }, listing.title),
    ' ',
    count,
  );
  return { listing, button, count, panel: new TablePanel(session, listing) };
}
