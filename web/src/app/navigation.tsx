/** The ways to the pages: customers, the objects that the reader may see, models, settings. */
import { NavLink, type NavLinkProps, ScrollArea, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { createLink, useRouterState } from '@tanstack/react-router';
import {
  Boxes,
  Brain,
  Building2,
  Calendar,
  CircleCheckBig,
  Combine,
  FileText,
  Handshake,
  LifeBuoy,
  type LucideIcon,
  Package,
  Phone,
  Settings,
  ShoppingCart,
  StickyNote,
  UserPlus,
  UserSearch,
  Users,
} from 'lucide-react';
import type { AnchorHTMLAttributes } from 'react';
import { objectsQuery } from '~/api/objects';
import { useI18n } from '~/i18n';
import { useSay } from '~/records/reader';
import { inOrder, isCompared } from '~/records/schema';

/** What is set up once and seldom looked at has its place in the settings. */
const SETUP = new Set(['pipeline', 'stage', 'file']);
const ICONS: Record<string, LucideIcon> = {
  contact: Users,
  company: Building2,
  lead: UserPlus,
  deal: Handshake,
  ticket: LifeBuoy,
  task: CircleCheckBig,
  note: StickyNote,
  meeting: Calendar,
  call: Phone,
  product: Package,
  order: ShoppingCart,
};

interface EntryProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof NavLinkProps> {
  children?: never;
  icon: LucideIcon;
  label: string;
  active: boolean;
}

const Entry = createLink(({ icon: Icon, label, active, ...rest }: EntryProps) => (
  <NavLink
    {...rest}
    component="a"
    className="way"
    label={label}
    active={active}
    aria-current={active ? 'page' : undefined}
    leftSection={<Icon size={16} aria-hidden />}
  />
));

export function Navigation({ close }: { close(): void }) {
  const { t } = useI18n();
  const say = useSay();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const objects = useQuery(objectsQuery).data ?? [];
  const shown = inOrder(objects.filter((object) => !SETUP.has(object.name)));
  return (
    <ScrollArea type="auto" h="100%">
      <Stack component="nav" gap={2} p="xs" aria-label={t.app.navigation} onClick={close}>
        <Entry
          to="/"
          icon={UserSearch}
          label={t.customers.title}
          active={path === '/' || path.startsWith('/customers')}
        />
        {shown.map((object) => (
          <Entry
            key={object.name}
            to="/objects/$object"
            params={{ object: object.name }}
            icon={ICONS[object.name] ?? (object.custom ? Boxes : FileText)}
            label={say(object.plural)}
            active={path.split('/')[1] === 'objects' && path.split('/')[2] === object.name}
          />
        ))}
        {shown.some(isCompared) && (
          <Entry to="/duplicates" icon={Combine} label={t.duplicates.title} active={path.startsWith('/duplicates')} />
        )}
        <Entry to="/models" icon={Brain} label={t.models.title} active={path.startsWith('/models')} />
        <Entry
          to="/settings/{-$section}"
          params={{ section: undefined }}
          icon={Settings}
          label={t.settings.title}
          active={path.startsWith('/settings')}
        />
      </Stack>
    </ScrollArea>
  );
}
