/** Who sees a view: its owner, a team of theirs, or everybody. */
import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { meQuery, teamsQuery } from '~/api/people';
import type { Shared } from '~/api/views';
import { useI18n } from '~/i18n';

export interface Sharing {
  shared: Shared;
  team: string | null;
}

interface SharingProps {
  value: Sharing;
  onChange(value: Sharing): void;
  label?: string;
  'aria-label'?: string;
  size?: string;
  w?: number;
}

export function SharingInput({ value, onChange, ...input }: SharingProps) {
  const { t } = useI18n();
  const me = useQuery(meQuery).data;
  const teams = (useQuery(teamsQuery).data ?? []).filter(
    (team) => me?.administrator || me?.teams.includes(team.id) || team.id === value.team,
  );
  const key = value.shared === 'team' ? `team ${value.team}` : value.shared;
  const data = [
    { value: 'private', label: t.views.sharing.private },
    ...teams.map((team) => ({ value: `team ${team.id}`, label: t.views.ofTeam(team.name) })),
    { value: 'all', label: t.views.sharing.all },
  ];
  const read = (chosen: string): Sharing => {
    const [shared, team = null] = chosen.split(' ');
    return { shared: shared as Shared, team };
  };
  return (
    <Select
      {...input}
      data={data}
      value={key}
      allowDeselect={false}
      onChange={(next) => next && onChange(read(next))}
    />
  );
}
