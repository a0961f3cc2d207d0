import { expect, it } from 'vitest';
import { isPressed } from './use-keys';

const press = { repeat: false, ctrlKey: false, metaKey: false, altKey: false };

it.each([
  ['a key acts', {}, true],
  ['one that is held down acts once', { repeat: true }, false],
  ['a combination is the browser’s', { ctrlKey: true }, false],
  ['a combination is the system’s', { metaKey: true }, false],
])('%s', (_what, how, is) => {
  expect(isPressed({ ...press, ...how })).toBe(is);
});
