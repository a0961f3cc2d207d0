/** Goes from a list as a table to the same as a board, and back; the filter comes along. */
import { SegmentedControl } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { EVERYTHING } from '~/features/table/search';
import { useI18n } from '~/i18n';

const PLACES = { table: '/objects/$object', board: '/objects/$object/board' } as const;

export function ShownAs({ object, value, filter }: { object: string; value: keyof typeof PLACES; filter: string }) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const other = value === 'table' ? 'board' : 'table';
  return (
    <SegmentedControl
      size="xs"
      aria-label={t.table.shownAs}
      value={value}
      data={[
        { value: 'table', label: t.table.table },
        { value: 'board', label: t.table.board },
      ]}
      onChange={() =>
        void navigate({
          to: PLACES[other],
          params: { object },
          search: { view: EVERYTHING, filter: filter === '' ? undefined : filter },
        })
      }
    />
  );
}
