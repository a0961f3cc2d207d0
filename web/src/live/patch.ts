/** Writes a frame's changes into the query cache. */
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { customerKey } from '~/api/queries';
import type { Customer, CustomerList } from '~/api/schema';
import { applyToCustomer, applyToRow, concerns } from './apply';
import type { CustomerChange } from './batch';

type Pages = InfiniteData<CustomerList, string | null>;

/** Rows change in place; where they stand is the list's own decision (see `useLiveList`). */
export function patchList(client: QueryClient, key: readonly unknown[], changes: CustomerChange[]): void {
  const byId = new Map(changes.map((change) => [change.customer, change]));
  client.setQueriesData<Pages>({ queryKey: key }, (data) => data && patchPages(data, byId));
}

/** Pages after the changes; the same object if no row of theirs changed. */
export function patchPages(data: Pages, changes: Map<string, CustomerChange>): Pages {
  let touched = false;
  const pages = data.pages.map((page) => {
    let pageTouched = false;
    const customers = page.customers.map((row) => {
      const change = changes.get(row.id);
      const next = change ? applyToRow(row, change) : row;
      pageTouched ||= next !== row;
      return next;
    });
    touched ||= pageTouched;
    return pageTouched ? { ...page, customers } : page;
  });
  return touched ? { ...data, pages } : data;
}

/** The customers' pages that are open or remembered. */
export function patchCustomers(client: QueryClient, changes: CustomerChange[]): void {
  for (const [key, customer] of client.getQueriesData<Customer>({ queryKey: customerKey })) {
    if (!customer) continue;
    const own = changes.filter((change) => concerns(customer, change));
    if (own.length > 0) client.setQueryData<Customer>(key, own.reduce(applyToCustomer, customer));
  }
}
