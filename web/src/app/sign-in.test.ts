import { expect, it } from 'vitest';
import { readSignIn } from './sign-in';

it('goes on to a place of these pages only', () => {
  expect(readSignIn({ from: '/objects/deal?filter=a' }).from).toBe('/objects/deal?filter=a');
  for (const from of ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '', 5]) {
    expect(readSignIn({ from }).from).toBeUndefined();
  }
});
