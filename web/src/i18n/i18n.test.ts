import { expect, it } from 'vitest';
import { en } from './en';

/** The pages' own code as text; texts are used as `t.section.name`. */
const pages = Object.values(
  import.meta.glob<string>(['../**/*.{ts,tsx}', '!../i18n/**', '!../**/*.test.ts'], {
    query: '?raw',
    import: 'default',
    eager: true,
  }),
).join('\n');

it('every text is shown somewhere', () => {
  const named = Object.entries(en).flatMap(([section, texts]) =>
    Object.keys(texts).map((name) => `${section}.${name}`),
  );
  const unused = named.filter((name) => !new RegExp(`\\bt\\.${name.replace('.', '\\.')}\\b`).test(pages));
  expect(unused).toEqual([]);
});
