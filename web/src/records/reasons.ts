/** Why two records are alike, in words. */
import { useCallback } from 'react';
import type { Reason } from '~/api/duplicates';
import { useI18n } from '~/i18n';

export function useReasons(): (reasons: Reason[]) => string {
  const { t, language } = useI18n();
  return useCallback(
    (reasons) => reasons.map((reason) => t.record.reasons[reason]).join(language === 'zh' ? '、' : ', '),
    [t, language],
  );
}
