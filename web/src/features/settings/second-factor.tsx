/** The second factor of the sign-in: set up by a QR code, in force after a first code. */
import { Button, Card, Code, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState } from 'react';
import { encode } from 'uqr';
import { type Account, beginSecondFactor, confirmSecondFactor, endSecondFactor, meKey } from '~/api/people';
import { FormDialog } from '~/components/form-dialog';
import { Secret } from '~/components/secret';
import { useI18n } from '~/i18n';
import { useAct, useRun } from './part';

export function SecondFactor({ me }: { me: Account }) {
  const { t } = useI18n();
  const act = useAct(meKey);
  const [setup, setSetup] = useState<{ uri: string; secret: string } | null>(null);
  const [ending, setEnding] = useState(false);
  const [recovery, setRecovery] = useState<string[] | null>(null);
  return (
    <Card withBorder>
      <Stack>
        <Title order={2} size="h4">
          {t.profile.factor}
        </Title>
        <Text size="sm">{me.second_factor ? t.profile.factorOn(me.recovery_codes) : t.profile.factorOff}</Text>
        {recovery && (
          <Secret
            title={t.profile.recovery}
            help={t.profile.recoveryHelp}
            text={recovery.join('\n')}
            close={() => setRecovery(null)}
          />
        )}
        <Group>
          {me.second_factor ? (
            <Button variant="default" onClick={() => setEnding(true)}>
              {t.profile.factorEnd}
            </Button>
          ) : (
            <Button
              variant="default"
              onClick={() => void act(async () => setSetup(await beginSecondFactor()))}
              disabled={!me.password}
            >
              {t.profile.factorBegin}
            </Button>
          )}
        </Group>
      </Stack>
      {setup && (
        <CodeDialog
          title={t.profile.factorBegin}
          submit={async (code) => setRecovery((await confirmSecondFactor(code)).recovery_codes)}
          close={() => setSetup(null)}
        >
          <Text size="sm">{t.profile.scan}</Text>
          <QrCode text={setup.uri} label={t.profile.qr} />
          <Text size="sm">{t.profile.typed}</Text>
          <Code block data-testid="secret">
            {setup.secret}
          </Code>
        </CodeDialog>
      )}
      {ending && <CodeDialog title={t.profile.factorEnd} submit={endSecondFactor} close={() => setEnding(false)} />}
    </Card>
  );
}

interface CodeDialogProps {
  title: string;
  submit(code: string): Promise<unknown>;
  close(): void;
  children?: React.ReactNode;
}

function CodeDialog({ title, submit, close, children }: CodeDialogProps) {
  const { t } = useI18n();
  const run = useRun(meKey);
  const [code, setCode] = useState('');
  return (
    <FormDialog
      title={title}
      send={t.profile.confirm}
      failed={t.settings.failed}
      disabled={code.trim() === ''}
      submit={async () => {
        await run(() => submit(code.trim()));
        close();
      }}
      close={close}
    >
      {children}
      <TextInput
        label={t.signin.code}
        description={t.signin.codeHelp}
        autoComplete="one-time-code"
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
      />
    </FormDialog>
  );
}

/** Black on white in both themes: cameras read nothing else as surely. */
function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { border: 2 });
  const path = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('');
  return (
    <svg viewBox={`0 0 ${size} ${size}`} width={200} height={200} role="img" shapeRendering="crispEdges">
      <title>{label}</title>
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
