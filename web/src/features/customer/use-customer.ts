/** A customer that stays current while it acts. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { customerKey, customerQuery, timelineKey } from '~/api/queries';
import { concerns } from '~/live/apply';
import { useLiveChanges } from '~/live/react';
import { throttle } from '~/live/throttle';

/** Features and timeline are fetched again at most this often while the customer acts. */
const REFRESH_MS = 400;

export function useCustomer(id: string) {
  const client = useQueryClient();
  const customer = useQuery(customerQuery(id));
  const refresh = useMemo(
    () =>
      throttle(
        () =>
          Promise.all([
            client.invalidateQueries({ queryKey: [...customerKey, id] }),
            client.invalidateQueries({ queryKey: [...timelineKey, id] }),
          ]),
        REFRESH_MS,
      ),
    [client, id],
  );
  useEffect(() => refresh.cancel, [refresh]);
  useLiveChanges((changes) => {
    const own = customer.data ?? { id, ids: [id] };
    if (changes.some((change) => concerns(own, change))) refresh();
  });
  return customer;
}
