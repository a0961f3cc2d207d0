/** Who uses Rapport and what they may do: oneself, users, roles, teams, keys. */
import { queryOptions } from '@tanstack/react-query';
import { call, ProblemError } from './client';
import type {
  Account,
  Colleague,
  KeyFacts as Key,
  SessionFacts as OwnSession,
  TeamFacts as Team,
  User,
} from './schema';

export type { Account, Key, Team, User };

export type Reach = 'none' | 'own' | 'team' | 'all' | { condition: string };

export interface Grant {
  read: Reach;
  create: boolean;
  update: Reach;
  delete: Reach;
  hidden: string[];
  locked: string[];
}

/** A role as it is written. */
export interface RoleDefinition {
  name: string;
  administrator: boolean;
  transfer: boolean;
  objects: Record<string, Grant>;
  other: Grant;
}

export interface Role extends RoleDefinition {
  id: string;
  /** How many people have it. */
  people: number;
}

/** Lists of people change seldom. */
const STALE_MS = 60_000;

export const meKey = ['me'] as const;
export const colleaguesKey = ['colleagues'] as const;
export const usersKey = ['users'] as const;
export const rolesKey = ['roles'] as const;
export const teamsKey = ['teams'] as const;
export const keysKey = ['keys'] as const;
export const sessionsKey = ['me', 'sessions'] as const;

/** None where a program's key asks, or nobody in particular. */
export const meQuery = queryOptions({
  queryKey: meKey,
  queryFn: ({ signal }) =>
    call<Account | null>('GET', '/me', { signal }).catch((error: unknown) => {
      if (error instanceof ProblemError && error.status === 403) return null;
      throw error;
    }),
  staleTime: STALE_MS,
});

export const colleaguesQuery = queryOptions({
  queryKey: colleaguesKey,
  queryFn: ({ signal }) => call<{ people: Colleague[] }>('GET', '/colleagues', { signal }),
  select: (answer) => answer.people,
  staleTime: STALE_MS,
});

export const usersQuery = queryOptions({
  queryKey: usersKey,
  queryFn: ({ signal }) => call<{ users: User[] }>('GET', '/users', { signal }),
  select: (answer) => answer.users,
  staleTime: STALE_MS,
});

export const rolesQuery = queryOptions({
  queryKey: rolesKey,
  queryFn: ({ signal }) => call<{ roles: Role[] }>('GET', '/roles', { signal }),
  select: (answer) => answer.roles,
  staleTime: STALE_MS,
});

export const teamsQuery = queryOptions({
  queryKey: teamsKey,
  queryFn: ({ signal }) => call<{ teams: Team[] }>('GET', '/teams', { signal }),
  select: (answer) => answer.teams,
  staleTime: STALE_MS,
});

export const keysQuery = queryOptions({
  queryKey: keysKey,
  queryFn: ({ signal }) => call<{ keys: Key[] }>('GET', '/keys', { signal }),
  select: (answer) => answer.keys,
});

export const sessionsQuery = queryOptions({
  queryKey: sessionsKey,
  queryFn: ({ signal }) => call<{ sessions: OwnSession[] }>('GET', '/me/sessions', { signal }),
  select: (answer) => answer.sessions,
});

export const signInWith = (email: string, password: string, code?: string) =>
  call<void>('POST', '/sign-in', { body: { email, password, ...(code ? { code } : {}) } });
export const accept = (token: string, name: string, password: string) =>
  call<void>('POST', '/accept', { body: { token, name, password } });

export const resetPassword = (token: string, password: string) =>
  call<void>('POST', '/reset-password', { body: { token, password } });

export const setPassword = (next: string, old?: string) =>
  call<void>('POST', '/me/password', { body: { new: next, ...(old ? { old } : {}) } });
export const changeAccount = (changes: { name?: string; language?: 'en' | 'zh' }) =>
  call<Account>('PATCH', '/me', { body: changes });
export const beginSecondFactor = () => call<{ uri: string; secret: string }>('POST', '/me/second-factor');
export const confirmSecondFactor = (code: string) =>
  call<{ recovery_codes: string[] }>('PUT', '/me/second-factor', { body: { code } });
export const endSecondFactor = (code: string) => call<void>('DELETE', '/me/second-factor', { body: { code } });
export const endSession = (id: string) => call<void>('DELETE', `/me/sessions/${encodeURIComponent(id)}`);

export const changeUser = (id: string, changes: Partial<Pick<User, 'name' | 'role' | 'teams' | 'active'>>) =>
  call<User>('PATCH', `/users/${encodeURIComponent(id)}`, { body: changes });
/** `path` stands behind the address of the pages; it is told once. */
export const invite = (email: string, role: string, teams: string[]) =>
  call<{ path: string }>('POST', '/invitations', { body: { email, role, teams } });
export const addRole = (role: RoleDefinition) => call<{ id: string }>('POST', '/roles', { body: role });
export const saveRole = (id: string, role: RoleDefinition) =>
  call<void>('PUT', `/roles/${encodeURIComponent(id)}`, { body: role });
export const deleteRole = (id: string) => call<void>('DELETE', `/roles/${encodeURIComponent(id)}`);
export const addTeam = (name: string) => call<{ id: string }>('POST', '/teams', { body: { name } });
export const saveTeam = (id: string, name: string) =>
  call<void>('PUT', `/teams/${encodeURIComponent(id)}`, { body: { name } });
export const deleteTeam = (id: string) => call<void>('DELETE', `/teams/${encodeURIComponent(id)}`);
export const addKey = (key: { name: string; role: string; read_only: boolean }) =>
  call<Key & { key: string }>('POST', '/keys', { body: key });
export const deleteKey = (id: string) => call<void>('DELETE', `/keys/${encodeURIComponent(id)}`);
export const passwordLink = (id: string) =>
  call<{ path: string }>('POST', `/users/${encodeURIComponent(id)}/password-link`);
export const clearSecondFactor = (id: string) => call<void>('DELETE', `/users/${encodeURIComponent(id)}/second-factor`);
