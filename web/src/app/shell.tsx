/** What stands around every page: name, live light, language, theme, palette, sign-out; and the way to the sign-in. */
import {
  ActionIcon,
  Alert,
  AppShell,
  Badge,
  Burger,
  Button,
  Container,
  Group,
  Text,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { spotlight } from '@mantine/spotlight';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Navigate, Outlet, useRouter, useRouterState } from '@tanstack/react-router';
import { Languages, LogOut, Moon, Search, Sun } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { aboutQuery, sessionQuery, signOut } from '~/api/queries';
import { Failed, Waiting } from '~/components/states';
import { useI18n } from '~/i18n';
import { LiveProvider, useLiveState } from '~/live/react';
import { DemoNote } from './demo-note';
import { Navigation } from './navigation';

/** It comes when it is first wanted; that it is open is kept outside of it. */
const Palette = lazy(() => import('./palette'));

export function Shell() {
  const session = useQuery(sessionQuery);
  if (session.isPending) return <Waiting />;
  if (session.isError) return <Failed error={session.error} retry={() => session.refetch()} />;
  if (session.data === null) return <ToSignIn />;
  return (
    <LiveProvider>
      <Frame />
    </LiveProvider>
  );
}

function ToSignIn() {
  const router = useRouter();
  // Where one was when the session was found to be over, not where this has led meanwhile.
  const [here] = useState(() => router.state.location.href);
  return <Navigate to="/signin" search={{ from: here === '/' ? undefined : here }} />;
}

function Frame() {
  const { t } = useI18n();
  const [wanted, setWanted] = useState(false);
  const openPalette = () => {
    setWanted(true);
    spotlight.toggle();
  };
  useHotkeys([['mod+K', openPalette]]);
  const [open, { toggle, close }] = useDisclosure(false);
  // A table takes all the width that there is; what is read does not.
  const isWide = useRouterState({
    select: (state) => /^\/(objects|settings|duplicates)(\/|$)/.test(state.location.pathname),
  });
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 200, breakpoint: 'sm', collapsed: { mobile: !open } }}
      padding="md"
    >
      <a className="skip" href="#content">
        {t.app.skip}
      </a>
      <AppShell.Header>
        <Group h={56} px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={open}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={t.app.navigation}
              aria-expanded={open}
            />
            <Text component={Link} to="/" fw={700} size="lg" c="var(--mantine-color-text)" td="none">
              {t.app.name}
            </Text>
            <LiveLight />
          </Group>
          <Tools openPalette={openPalette} />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar>
        <Navigation close={close} />
      </AppShell.Navbar>
      <AppShell.Main id="content">
        <Container size="lg" fluid={isWide} p={0}>
          <DataNote />
          <DemoNote />
          <Outlet />
        </Container>
      </AppShell.Main>
      {wanted && (
        <Suspense>
          <Palette />
        </Suspense>
      )}
    </AppShell>
  );
}

/** Says whether what is shown is current. */
function LiveLight() {
  const { t, format } = useI18n();
  const state = useLiveState();
  const [color, text, help] = (() => {
    switch (state.kind) {
      case 'live': {
        const behind = Math.floor(state.behindSeconds);
        return behind < 1
          ? ['green', t.live.live, t.live.liveHelp]
          : ['yellow', t.live.behind(behind, format.number(behind, 0)), t.live.behindHelp];
      }
      case 'connecting':
        return ['gray', t.live.connecting, t.live.liveHelp];
      case 'reconnecting':
        return ['orange', t.live.reconnecting, t.live.reconnectingHelp];
      case 'signed_out':
        return ['gray', t.live.signedOut, t.problem.unauthorized];
    }
  })();
  return (
    <Badge
      variant="dot"
      color={color}
      tt="none"
      role="status"
      title={help}
      aria-label={`${t.live.label}: ${text}`}
      data-testid="live"
    >
      {text}
    </Badge>
  );
}

function Tools({ openPalette }: { openPalette(): void }) {
  const { t, language, setLanguage } = useI18n();
  const { colorScheme, toggleColorScheme } = useMantineColorScheme();
  const client = useQueryClient();
  const dark = colorScheme === 'dark';
  const theme = dark ? t.app.themeLight : t.app.themeDark;
  const leave = async () => {
    await signOut();
    client.clear();
    await client.invalidateQueries();
    window.location.assign('/signin');
  };
  return (
    <Group gap={4} wrap="nowrap">
      <Button
        variant="default"
        size="xs"
        leftSection={<Search size={14} aria-hidden />}
        onClick={openPalette}
        visibleFrom="sm"
      >
        {t.app.search}
      </Button>
      <Tool label={t.app.language} onClick={() => setLanguage(language === 'en' ? 'zh' : 'en')}>
        <Languages size={18} aria-hidden />
      </Tool>
      <Tool label={theme} onClick={() => toggleColorScheme()}>
        {dark ? <Sun size={18} aria-hidden /> : <Moon size={18} aria-hidden />}
      </Tool>
      <Tool label={t.app.signOut} onClick={() => void leave()}>
        <LogOut size={18} aria-hidden />
      </Tool>
    </Group>
  );
}

function Tool({ label, onClick, children }: { label: string; onClick: () => void; children: React.ReactNode }) {
  return (
    <ActionIcon variant="subtle" color="gray" size="lg" aria-label={label} title={label} onClick={onClick}>
      {children}
    </ActionIcon>
  );
}

/** Says so where the shown data is not the company's own. */
function DataNote() {
  const { t } = useI18n();
  const about = useQuery(aboutQuery);
  const note = about.data?.data_note;
  if (!note) return null;
  return (
    <Alert variant="light" mb="md" py="xs">
      {note === 'online_retail' ? t.app.onlineRetail : t.app.synthetic}
    </Alert>
  );
}
