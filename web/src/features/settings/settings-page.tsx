/** What is set up seldom: oneself, people, roles, keys, objects; and what was done, with the way back. */
import { Group, Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { type ComponentType, lazy, Suspense } from 'react';
import { meQuery } from '~/api/people';
import { ButtonTo } from '~/components/links';
import { NotFound, Waiting } from '~/components/states';
import { useI18n } from '~/i18n';
import { useObjects } from '~/records/reader';

const of = <Name extends string>(load: () => Promise<Record<Name, ComponentType>>, name: Name) =>
  lazy(() => load().then((part) => ({ default: part[name] })));

/** The sections in the order of the page. All but one's own are for administrators. */
const SECTIONS = {
  profile: of(() => import('./profile'), 'Profile'),
  undo: of(() => import('./batches'), 'Batches'),
  users: of(() => import('./users'), 'Users'),
  roles: of(() => import('./roles'), 'Roles'),
  teams: of(() => import('./teams'), 'Teams'),
  keys: of(() => import('./keys'), 'Keys'),
  objects: of(() => import('./objects'), 'Objects'),
  pipelines: of(() => import('./pipelines/pipelines'), 'Pipelines'),
  audit: of(() => import('./audit'), 'Audit'),
  workspace: of(() => import('./workspace'), 'Workspace'),
};
type Section = keyof typeof SECTIONS;
const NAMES = Object.keys(SECTIONS) as Section[];
const OWN = new Set<Section>(['profile', 'undo']);

export function SettingsPage() {
  const { section = 'profile' } = useParams({ from: '/shell/settings/{-$section}' });
  const { t } = useI18n();
  const me = useQuery(meQuery);
  // Stages are records: whoever may change them may set up pipelines.
  const stages = useObjects().find((object) => object.name === 'stage')?.may.update === true;
  const chosen = NAMES.find((name) => name === section);
  if (!chosen) return <NotFound />;
  const Part = SECTIONS[chosen];
  // Nobody in particular has come by the link of the installation, and may do everything.
  const all = me.data === null || me.data?.administrator === true;
  const shown = NAMES.filter((name) => (name === 'pipelines' ? stages : all || OWN.has(name)));
  return (
    <Stack>
      <Title order={1} size="h2">
        {t.settings.title}
      </Title>
      <Group gap={4} component="nav" aria-label={t.settings.title}>
        {shown.map((name) => (
          <ButtonTo
            key={name}
            size="xs"
            variant={name === chosen ? 'light' : 'subtle'}
            color={name === chosen ? undefined : 'gray'}
            to="/settings/{-$section}"
            params={{ section: name }}
            aria-current={name === chosen ? 'page' : undefined}
          >
            {t.settings.sections[name]}
          </ButtonTo>
        ))}
      </Group>
      <Suspense fallback={<Waiting />}>
        <Part />
      </Suspense>
    </Stack>
  );
}
