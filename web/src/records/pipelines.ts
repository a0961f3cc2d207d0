/** The pipelines and their stages, in their order. They are records like others; there are few of them. */
import { useQuery } from '@tanstack/react-query';
import { fewQuery, type Item } from '~/api/records';

/** The most records of a page of the server's. */
const MOST = 500;

export function usePipelines(enabled = true): { all: Item[]; stages: Item[]; isPending: boolean; error: Error | null } {
  const pipelines = useQuery({ ...fewQuery('pipeline', '', MOST, 'position'), enabled });
  const stages = useQuery({ ...fewQuery('stage', '', MOST, 'position'), enabled });
  return {
    all: pipelines.data?.records ?? NONE,
    stages: stages.data?.records ?? NONE,
    isPending: pipelines.isLoading || stages.isLoading,
    error: pipelines.error ?? stages.error,
  };
}

const NONE: Item[] = [];
