/** The pages by their addresses. Each page is a file of its own that comes when it is first needed. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from '@tanstack/react-router';
import type { SortKey } from '~/api/queries';
import { Crashed, NotFound, Waiting } from '~/components/states';
import { readSearch } from '~/features/table/search';
import { Shell } from './shell';
import { readSignIn } from './sign-in';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/signin',
  validateSearch: readSignIn,
  component: lazyRouteComponent(() => import('~/features/session/sign-in-page'), 'SignInPage'),
});

const readToken = (search: Record<string, unknown>) => ({ token: String(search.token ?? '') });

const accept = createRoute({
  getParentRoute: () => root,
  path: '/accept',
  validateSearch: readToken,
  component: lazyRouteComponent(() => import('~/features/session/accept-page'), 'AcceptPage'),
});

const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset-password',
  validateSearch: readToken,
  component: lazyRouteComponent(() => import('~/features/session/accept-page'), 'ResetPage'),
});

const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Shell });

const customers = createRoute({
  getParentRoute: () => shell,
  path: '/',
  validateSearch: (search: Record<string, unknown>): { q?: string; sort?: SortKey } => ({
    ...(typeof search.q === 'string' && search.q !== '' ? { q: search.q } : {}),
    ...(search.sort === 'score' ? { sort: 'score' as const } : {}),
  }),
  component: lazyRouteComponent(() => import('~/features/customers/customers-page'), 'CustomersPage'),
});

const customer = createRoute({
  getParentRoute: () => shell,
  path: '/customers/$id',
  component: lazyRouteComponent(() => import('~/features/customer/customer-page'), 'CustomerPage'),
});

const models = createRoute({
  getParentRoute: () => shell,
  path: '/models',
  /** `train` opens the dialog for that score, or for the first if it is empty. */
  validateSearch: (search: Record<string, unknown>): { train?: string } =>
    typeof search.train === 'string' ? { train: search.train } : {},
  component: lazyRouteComponent(() => import('~/features/models/models-page'), 'ModelsPage'),
});

const model = createRoute({
  getParentRoute: () => shell,
  path: '/models/$score/$version',
  component: lazyRouteComponent(() => import('~/features/model/model-page'), 'ModelPage'),
});

const monitoring = createRoute({
  getParentRoute: () => shell,
  path: '/models/$score/monitoring',
  component: lazyRouteComponent(() => import('~/features/monitoring/monitoring-page'), 'MonitoringPage'),
});

const table = createRoute({
  getParentRoute: () => shell,
  path: '/objects/$object',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('~/features/table/table-page'), 'TablePage'),
});

const board = createRoute({
  getParentRoute: () => shell,
  path: '/objects/$object/board',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('~/features/board/board-page'), 'BoardPage'),
});

const duplicates = createRoute({
  getParentRoute: () => shell,
  path: '/duplicates',
  validateSearch: (search: Record<string, unknown>): { object?: string } =>
    typeof search.object === 'string' ? { object: search.object } : {},
  component: lazyRouteComponent(() => import('~/features/duplicates/duplicates-page'), 'DuplicatesPage'),
});

const importing = createRoute({
  getParentRoute: () => shell,
  path: '/objects/$object/import',
  /** `id`: the import that was begun. */
  validateSearch: (search: Record<string, unknown>): { id?: string } =>
    typeof search.id === 'string' ? { id: search.id } : {},
  component: lazyRouteComponent(() => import('~/features/import/import-page'), 'ImportPage'),
});

const record = createRoute({
  getParentRoute: () => shell,
  path: '/objects/$object/$id',
  component: lazyRouteComponent(() => import('~/features/record/record-page'), 'RecordPage'),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings/{-$section}',
  component: lazyRouteComponent(() => import('~/features/settings/settings-page'), 'SettingsPage'),
});

const records = [table, board, importing, record, duplicates];

/** An address that leads nowhere, inside the frame, so that there is a way on. */
const elsewhere = createRoute({ getParentRoute: () => shell, path: '$', component: NotFound });

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    accept,
    reset,
    shell.addChildren([customers, customer, models, model, monitoring, ...records, settings, elsewhere]),
  ]),
  defaultPreload: 'intent',
  defaultPendingComponent: Waiting,
  defaultErrorComponent: Crashed,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
