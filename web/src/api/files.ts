/** Contents of files: brought with their record, replaced, taken away; and everything as one file. */
import { addressOf, call } from './client';
import type { Fields, Item } from './records';

const of = (id: string) => `/files/${encodeURIComponent(id)}/content`;

/** Makes a record of the object `file` with a content. `about` names the records that it belongs to. */
export const uploadFile = (file: File, about: Fields = {}) =>
  call<Item | undefined>('POST', '/files', {
    query: { ...(about as Record<string, string>), name: file.name },
    body: file,
  });

export const replaceFile = (id: string, file: File, version: number) =>
  call<Item | undefined>('PUT', of(id), { body: file, version });

/** Where a file's content is taken from. */
export const fileAddress = (id: string) => addressOf(of(id));

/** Where everything that the installation holds is taken from. */
export const workspaceAddress = addressOf('/workspace');
