/** Which columns a table has. */
import { Button, Checkbox, Popover, ScrollArea, Stack } from '@mantine/core';
import { Columns3 } from 'lucide-react';
import type { SeenField } from '~/api/objects';
import { useI18n } from '~/i18n';
import { useSay } from '~/records/reader';

interface ColumnsProps {
  fields: SeenField[];
  /** The names of those that are shown, in their order; the first always is. */
  columns: string[];
  choose(columns: string[]): void;
}

export function ColumnsMenu({ fields, columns, choose }: ColumnsProps) {
  const { t } = useI18n();
  const say = useSay();
  const toggle = (name: string) =>
    choose(columns.includes(name) ? columns.filter((one) => one !== name) : [...columns, name]);
  return (
    <Popover position="bottom-end" trapFocus>
      <Popover.Target>
        <Button size="xs" variant="default" leftSection={<Columns3 size={14} aria-hidden />}>
          {t.table.columns}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t.table.columns}>
        <ScrollArea.Autosize mah={360} type="auto" viewportProps={{ tabIndex: 0 }}>
          <Stack gap={8} pr="md">
            {fields.map((field) => (
              <Checkbox
                key={field.name}
                size="xs"
                label={say(field.label)}
                checked={columns.includes(field.name)}
                disabled={field.name === columns[0]}
                onChange={() => toggle(field.name)}
              />
            ))}
          </Stack>
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}
