/** What people call features, segments and scores: the titles of the definitions in force, in the page's language. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { definitionsQuery } from '~/api/queries';
import { useI18n } from '~/i18n';

/** The title of a name; the name in words where it has none. */
export function useTitles(): (name: string) => string {
  const { language } = useI18n();
  const { data } = useQuery(definitionsQuery);
  return useMemo(() => {
    const declared = [...(data?.features ?? []), ...(data?.segments ?? []), ...(data?.scores ?? [])];
    const titles = new Map(declared.map((one) => [one.name, one.title?.[language]]));
    return (name: string) => titles.get(name) ?? name.replace(/_/g, ' ');
  }, [data, language]);
}
