/** The command palette: finds customers and acts. The frame opens it, by key too, since this comes after the frame. */
import { useMantineColorScheme } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import '@mantine/spotlight/styles.css';
import { Spotlight, type SpotlightActionData } from '@mantine/spotlight';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { customersQuery } from '~/api/queries';
import { searchQuery } from '~/api/records';
import { useI18n } from '~/i18n';
import { useObjects, useSay } from '~/records/reader';

/** Customers, and records, that the palette offers. */
const OFFERED = 6;

export default function Palette() {
  const { t, language, setLanguage } = useI18n();
  const { setColorScheme } = useMantineColorScheme();
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [wanted] = useDebouncedValue(text.trim(), 150);
  const found = useInfiniteQuery({ ...customersQuery(wanted, 'last_seen'), enabled: wanted !== '' });
  const customers = (wanted === '' ? [] : (found.data?.pages[0]?.customers ?? [])).slice(0, OFFERED);
  const say = useSay();
  const objects = useObjects();
  const hits = useQuery({ ...searchQuery(wanted, '', OFFERED), enabled: wanted !== '' });
  const records = wanted === '' ? [] : (hits.data ?? []);
  const actions: SpotlightActionData[] = [
    ...records.map(({ object, id, title }) => {
      const label = objects.find((one) => one.name === object)?.label;
      return {
        id: `${object} ${id}`,
        label: title,
        description: label && say(label),
        keywords: [text],
        onClick: () => void navigate({ to: '/objects/$object/$id', params: { object, id } }),
      };
    }),
    ...customers.map((customer) => ({
      id: customer.id,
      label: customer.name ?? customer.id,
      description: customer.name ? customer.id : undefined,
      keywords: [text],
      onClick: () => void navigate({ to: '/customers/$id', params: { id: customer.id } }),
    })),
    { id: 'customers', label: t.palette.goCustomers, onClick: () => void navigate({ to: '/' }) },
    ...objects.map((object) => ({
      id: `go ${object.name}`,
      label: t.palette.goTo(say(object.plural)),
      onClick: () => void navigate({ to: '/objects/$object', params: { object: object.name } }),
    })),
    {
      id: 'duplicates',
      label: t.palette.goTo(t.duplicates.title),
      onClick: () => void navigate({ to: '/duplicates' }),
    },
    { id: 'models', label: t.palette.goModels, onClick: () => void navigate({ to: '/models' }) },
    {
      id: 'train',
      label: t.palette.train,
      onClick: () => void navigate({ to: '/models', search: { train: '' } }),
    },
    {
      id: 'language',
      label: language === 'en' ? t.palette.language : t.palette.english,
      onClick: () => setLanguage(language === 'en' ? 'zh' : 'en'),
    },
    { id: 'dark', label: t.palette.themeDark, onClick: () => setColorScheme('dark') },
    { id: 'light', label: t.palette.themeLight, onClick: () => setColorScheme('light') },
    { id: 'auto', label: t.palette.themeAuto, onClick: () => setColorScheme('auto') },
  ];
  return (
    <Spotlight
      actions={actions}
      shortcut={null}
      query={text}
      onQueryChange={setText}
      nothingFound={t.palette.nothing}
      searchProps={{ placeholder: t.palette.placeholder, 'aria-label': t.palette.label }}
      scrollable
    />
  );
}
