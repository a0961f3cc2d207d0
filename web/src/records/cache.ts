/** Records in the query cache: the same record stands in lists, on boards and on its own page. */
import type { QueryClient } from '@tanstack/react-query';
import { type BoardColumn, boardKey, type Item, itemKey, listsKey, type Page } from '~/api/records';

/** The newer of two states of a record, with the titles that either knows. */
export function newer(known: Item, next: Item): Item {
  if (next.version < known.version) return known;
  return { ...next, related: { ...known.related, ...next.related } };
}

/** Records with `changed` in their places and without those in `gone`; the same list if none is touched. */
export function patchItems(items: Item[], changed: Map<string, Item>, gone: ReadonlySet<string>): Item[] {
  if (!items.some((item) => changed.has(item.id) || gone.has(item.id))) return items;
  return items
    .filter((item) => !gone.has(item.id))
    .map((item) => {
      const next = changed.get(item.id);
      return next ? newer(item, next) : item;
    });
}

/** A page of a list after changes; its list's total goes down by what is gone. */
export function patchPage(page: Page, changed: Map<string, Item>, gone: ReadonlySet<string>): Page {
  const records = patchItems(page.records, changed, gone);
  if (records === page.records) return page;
  const left = page.records.length - records.length;
  return { ...page, records, ...(typeof page.total === 'number' && { total: page.total - left }) };
}

/** Puts records into everything that shows them, and takes away what is gone. */
export function patchRecords(client: QueryClient, object: string, items: Item[], gone: string[] = []): void {
  const changed = new Map(items.map((item) => [item.id, item]));
  const away = new Set(gone);
  client.setQueriesData<Page>({ queryKey: listsKey(object) }, (page) => page && patchPage(page, changed, away));
  client.setQueriesData<{ columns: BoardColumn[] }>(
    { queryKey: boardKey(object) },
    (data) =>
      data && {
        columns: data.columns.map((column) => ({ ...column, records: patchItems(column.records, changed, away) })),
      },
  );
  for (const item of items) {
    client.setQueryData<Item>(itemKey(object, item.id), (known) => known && newer(known, item));
  }
}
