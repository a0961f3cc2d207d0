/** A time relative to now that keeps itself true. */
import { useEffect, useState } from 'react';
import { useI18n } from '~/i18n';
import { nextTick } from '~/i18n/format';

export function Ago({ at }: { at: string }) {
  const { format } = useI18n();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const wait = nextTick(at, now);
    if (wait === null) return;
    const timer = setTimeout(() => setNow(Date.now()), Math.max(wait, 1_000));
    return () => clearTimeout(timer);
  }, [at, now]);
  return (
    <time dateTime={at} title={format.dateTime(at)}>
      {format.relative(at, Math.max(now, Date.parse(at) > now ? Date.now() : now))}
    </time>
  );
}
