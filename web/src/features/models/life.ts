/** What can be done with a registered model, each with the step that takes it back. */
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { activate, challenge, endTrial, modelsKey, modelsQuery, rollback } from '~/api/models';
import type { ChallengeRequest, Model, TrialFact } from '~/api/schema';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';

const again = (trial: TrialFact): ChallengeRequest =>
  trial.mode === 'canary' ? { mode: 'canary', percent: trial.percent ?? undefined } : { mode: 'shadow' };

/** What was accepted is in the log and on its way to the models in memory: so often, and with such pauses, it is looked for. */
const LOOKS = 10;
const LOOK_MS = 200;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Fetches the models until `seen` holds for those of the score, or it takes too long. */
async function arrived(client: QueryClient, score: string, seen: (models: Model[]) => boolean): Promise<void> {
  for (let look = 0; look < LOOKS; look += 1) {
    const { models } = await client.fetchQuery({ ...modelsQuery, staleTime: 0 });
    if (seen(models.filter((model) => model.score === score))) break;
    await pause(LOOK_MS);
  }
  await client.invalidateQueries({ queryKey: modelsKey });
}

const isLive = (version: number) => (models: Model[]) => models.some((one) => one.active && one.version === version);
const isTried = (version: number) => (models: Model[]) => models.some((one) => one.trial && one.version === version);
const noTrial = (models: Model[]) => models.every((one) => !one.trial);

interface Step<T> {
  work(): Promise<T>;
  text(done: T): string;
  seen(done: T): (models: Model[]) => boolean;
  undo?: () => Promise<void>;
}

/** Actions on the models of one score. Each resolves when the pages show what came of it, or why it was refused. */
export function useLife(score: string) {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  return useMemo(() => {
    async function act<T>({ work, text, seen, undo }: Step<T>): Promise<void> {
      try {
        const done = await work();
        notice.done({ id: `life-${score}`, text: text(done), undo });
        await arrived(client, score, seen(done));
      } catch (error) {
        notice.failed(t.life.failed, error);
      }
    }
    // A rollback, and not another activation: it also puts back the trial that the activation had ended.
    const back = (inService?: number, undo?: () => Promise<void>) =>
      act({
        work: () => rollback(score, inService),
        text: ({ version, on_trial: tried }) =>
          tried === null ? t.life.live(String(version)) : t.life.liveAgain(String(version), String(tried)),
        seen: (done) => isLive(done.version),
        undo,
      });
    const makeLive = (version: number, before: number | undefined): Promise<void> =>
      act({
        work: () => activate(score, version),
        text: () => t.life.live(String(version)),
        seen: () => isLive(version),
        undo: before === undefined ? undefined : () => back(version),
      });
    const rollBack = (before: number) => back(before, () => makeLive(before, undefined));
    const start = (version: number, request: ChallengeRequest, undo?: () => Promise<void>) =>
      act({
        work: () => challenge(score, version, request),
        text: () => t.life.onTrial(String(version)),
        seen: () => isTried(version),
        undo,
      });
    const end = (undo?: () => Promise<void>) =>
      act({ work: () => endTrial(score), text: () => t.life.trialEnded, seen: () => noTrial, undo });
    return {
      /** `before` is the version in service now, which an undo puts back. */
      makeLive,
      /** `before` is the version in service now, which an undo puts back. */
      rollBack,
      start: (version: number, request: ChallengeRequest) => start(version, request, () => end()),
      end: (version: number, trial: TrialFact) => end(() => start(version, again(trial))),
    };
  }, [score, t, client, notice]);
}
