/** The pages by their addresses. */
import { createRootRoute, createRoute, createRouter, Outlet } from '@tanstack/react-router';
import type { SortKey } from '~/api/types';
import { NotFound } from '~/components/states';
import { CustomerPage } from '~/features/customer/customer-page';
import { CustomersPage } from '~/features/customers/customers-page';
import { SignInPage } from '~/features/session/sign-in-page';
import { Shell } from './shell';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

export const signInRoute = createRoute({
  getParentRoute: () => root,
  path: '/signin',
  validateSearch: (search: Record<string, unknown>) => ({
    token: typeof search.token === 'string' ? search.token : undefined,
  }),
  component: () => <SignInPage token={signInRoute.useSearch().token} />,
});

const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Shell });

export const customersRoute = createRoute({
  getParentRoute: () => shell,
  path: '/',
  validateSearch: (search: Record<string, unknown>): { q?: string; sort?: SortKey } => ({
    ...(typeof search.q === 'string' && search.q !== '' ? { q: search.q } : {}),
    ...(search.sort === 'score' ? { sort: 'score' as const } : {}),
  }),
  component: () => <CustomersPage {...customersRoute.useSearch()} />,
});

export const customerRoute = createRoute({
  getParentRoute: () => shell,
  path: '/customers/$id',
  component: () => <CustomerPage id={customerRoute.useParams().id} />,
});

export const router = createRouter({
  routeTree: root.addChildren([signInRoute, shell.addChildren([customersRoute, customerRoute])]),
  defaultPreload: 'intent',
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
