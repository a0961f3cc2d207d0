/** Steps in the life of a model that ask first, and say what they will do. */
import { Button, Group, Modal, SegmentedControl, Slider, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type ReactNode, useId, useState } from 'react';
import type { Model, TrialKind } from '~/api/schema';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import { useLife } from './life';

/** The share of a canary that the dialog offers first, in percent. */
const CANARY_PERCENT = 10;

interface AskProps {
  /** What the button that opens the dialog says. */
  label: string;
  title: string;
  confirm: string;
  primary?: boolean;
  children: ReactNode;
  act(): Promise<void>;
}

/** A button with a dialog that says what will happen. */
function Ask({ label, title, confirm, primary, children, act }: AskProps) {
  const { t } = useI18n();
  const [open, { open: show, close }] = useDisclosure();
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    await act();
    setBusy(false);
    close();
  };
  return (
    <>
      <Button size="xs" variant={primary ? 'filled' : 'default'} onClick={show}>
        {label}
      </Button>
      <Modal opened={open} onClose={close} title={title} closeButtonProps={{ 'aria-label': t.app.close }} centered>
        <Stack>
          {children}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              {t.app.cancel}
            </Button>
            <Button loading={busy} onClick={() => void go()} data-autofocus>
              {confirm}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

export function MakeLive({ model, live }: { model: Model; live: Model | undefined }) {
  const { t } = useI18n();
  const title = useTitles();
  const life = useLife(model.score);
  const version = String(model.version);
  return (
    <Ask
      label={t.life.makeLive}
      title={t.life.makeLiveOf(version)}
      confirm={t.life.makeLive}
      primary
      act={() => life.makeLive(model.version, live?.version)}
    >
      <Text size="sm">{t.life.makeLiveHelp(title(model.score), version)}</Text>
      <Text size="sm">{live ? t.life.before(String(live.version)) : t.life.first}</Text>
    </Ask>
  );
}

export function RollBack({ live }: { live: Model }) {
  const { t } = useI18n();
  const title = useTitles();
  const life = useLife(live.score);
  return (
    <Ask
      label={t.life.rollBack}
      title={t.life.rollBack}
      confirm={t.life.rollBack}
      act={() => life.rollBack(live.version)}
    >
      <Text size="sm">{t.life.rollBackHelp(title(live.score), String(live.version))}</Text>
    </Ask>
  );
}

export function Try({ model, other }: { model: Model; other: Model | undefined }) {
  const { t } = useI18n();
  const life = useLife(model.score);
  const [mode, setMode] = useState<TrialKind>('shadow');
  const [percent, setPercent] = useState(CANARY_PERCENT);
  const share = useId();
  return (
    <Ask
      label={t.life.try}
      title={t.life.tryOf(String(model.version))}
      confirm={t.life.start}
      act={() => life.start(model.version, mode === 'canary' ? { mode, percent } : { mode })}
    >
      <SegmentedControl
        aria-label={t.life.mode}
        value={mode}
        onChange={(next) => setMode(next as TrialKind)}
        data={[
          { value: 'shadow', label: t.life.shadow },
          { value: 'canary', label: t.life.canary },
        ]}
      />
      <Text size="sm">{mode === 'shadow' ? t.life.shadowHelp : t.life.canaryHelp}</Text>
      {mode === 'canary' && (
        <div>
          <Text size="sm" fw={500} id={share}>
            {t.life.share(String(percent))}
          </Text>
          <Slider
            min={1}
            max={99}
            value={percent}
            onChange={setPercent}
            label={null}
            thumbProps={{ 'aria-labelledby': share }}
            aria-label={t.life.share(String(percent))}
          />
        </div>
      )}
      {other && <Text size="sm">{t.life.replaces(String(other.version))}</Text>}
    </Ask>
  );
}
