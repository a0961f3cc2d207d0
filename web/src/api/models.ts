/** What the pages ask about models: the registry, trainings, trials, how a model does. */
import { queryOptions } from '@tanstack/react-query';
import { api, ProblemError, told } from './client';
import type { ChallengeRequest, TrainRequest } from './schema';

export const modelsKey = ['models'] as const;
export const jobsKey = ['jobs'] as const;

/** Others act on models too, and trainings start by schedule: lists are asked for again so often. */
const LOOK_AGAIN_MS = 10_000;
/** Measuring replays the history: its result is kept for so long. */
const MEASURED_MS = 300_000;

export const modelsQuery = queryOptions({
  queryKey: [...modelsKey, 'list'],
  queryFn: ({ signal }) => told(api.GET('/v1/models', { signal })),
  refetchInterval: LOOK_AGAIN_MS,
});

export const jobsQuery = queryOptions({
  queryKey: jobsKey,
  queryFn: ({ signal }) => told(api.GET('/v1/models/jobs', { signal })),
  refetchInterval: LOOK_AGAIN_MS,
});

export function modelQuery(score: string, version: number) {
  return queryOptions({
    queryKey: [...modelsKey, 'one', score, version],
    queryFn: ({ signal }) =>
      told(api.GET('/v1/models/{score}/{version}', { params: { path: { score, version } }, signal })),
    refetchInterval: LOOK_AGAIN_MS,
    retry: (count, error) => !(error instanceof ProblemError && error.status === 404) && count < 3,
  });
}

export function monitorQuery(score: string) {
  return queryOptions({
    queryKey: ['monitor', score],
    queryFn: ({ signal }) => told(api.GET('/v1/models/{score}/monitor', { params: { path: { score } }, signal })),
    staleTime: MEASURED_MS,
    retry: false,
  });
}

export const train = (request: TrainRequest) => told(api.POST('/v1/models/train', { body: request }));
export const cancelJob = (id: string) => told(api.DELETE('/v1/models/jobs/{id}', { params: { path: { id } } }));

export const activate = (score: string, version: number) =>
  told(api.POST('/v1/models/{score}/{version}/activate', { params: { path: { score, version } } }));
/** `inService` is the version that is taken back; refused if another one is in service by now. */
export const rollback = (score: string, inService?: number) =>
  told(api.POST('/v1/models/{score}/rollback', { params: { path: { score }, query: { in_service: inService } } }));
export const challenge = (score: string, version: number, request: ChallengeRequest) =>
  told(api.POST('/v1/models/{score}/{version}/challenge', { params: { path: { score, version } }, body: request }));
export const endTrial = (score: string) =>
  told(api.DELETE('/v1/models/{score}/challenger', { params: { path: { score } } }));

/** `inputs`: for ONNX, the features that its columns are, with commas between them; empty for all in their order. */
export const importModel = (score: string, file: File, inputs: string) =>
  told(
    api.POST('/v1/models/{score}/import', {
      params: { path: { score }, query: { inputs: inputs.trim() || undefined } },
      headers: { 'Content-Type': 'application/octet-stream' },
      // The document's word for bytes is a text to the types; the file goes as it is.
      body: file as unknown as string,
      bodySerializer: (body) => body as unknown as BodyInit,
    }),
  );

export type Form = 'artifact' | 'onnx' | 'report';

/** Where a model is as a document. */
export const documentAddress = (score: string, version: number, form: Form, language: string) =>
  `/v1/models/${encodeURIComponent(score)}/${version}/${form}${form === 'report' ? `?lang=${language}` : ''}`;
