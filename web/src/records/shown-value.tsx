/** A value of a record as it is shown: a text, or a link where it leads somewhere. */
import { Anchor, Badge, Group } from '@mantine/core';
import type { Field } from '~/api/objects';
import type { Item } from '~/api/records';
import { AnchorTo } from '~/components/links';
import { relatedOf, textOf } from './cell';
import { useReader } from './reader';
import { held } from './schema';

interface ShownProps {
  item: Item;
  field: Field;
  /** In a table a link is reached by its cell, not by Tab. */
  tabIndex?: number;
}

export function ShownValue({ item, field, tabIndex }: ShownProps) {
  const reader = useReader();
  const value = held(item, field.name);
  const related = relatedOf(item, field.name);
  const text = textOf(field, value, reader, related);
  if (text === '') return null;
  switch (field.kind.type) {
    case 'relation':
    case 'file': {
      const [target] = related;
      if (!target) return text;
      return <Linked object={target.object} id={target.id} text={target.title} tabIndex={tabIndex} />;
    }
    case 'relations':
      return related.map((one, place) => (
        <span key={one.id}>
          {place > 0 && ', '}
          <Linked object={one.object} id={one.id} text={one.title} tabIndex={tabIndex} />
        </span>
      ));
    case 'email':
      return (
        <Anchor size="sm" href={`mailto:${text}`} tabIndex={tabIndex}>
          {text}
        </Anchor>
      );
    case 'phone':
      return (
        <Anchor size="sm" href={`tel:${text}`} tabIndex={tabIndex}>
          {text}
        </Anchor>
      );
    case 'url':
      return (
        <Anchor size="sm" href={text} target="_blank" rel="noreferrer" tabIndex={tabIndex}>
          {text}
        </Anchor>
      );
    case 'multi_choice':
      return (
        <Group gap={4} component="span" wrap="nowrap">
          {(Array.isArray(value) ? value : [value]).map((one) => (
            <Badge key={String(one)} component="span" variant="light" tt="none" size="sm">
              {textOf(field, [one], reader)}
            </Badge>
          ))}
        </Group>
      );
    default:
      return text;
  }
}

function Linked({ object, id, text, tabIndex }: { object: string; id: string; text: string; tabIndex?: number }) {
  return (
    <AnchorTo size="sm" to="/objects/$object/$id" params={{ object, id }} tabIndex={tabIndex}>
      {text}
    </AnchorTo>
  );
}
