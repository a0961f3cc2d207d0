/** Whose views are one's own. */
import { useQuery } from '@tanstack/react-query';
import { meQuery } from '~/api/people';

/** None where nobody in particular is signed in. */
export const useMyId = (): string | null => useQuery(meQuery).data?.id ?? null;
