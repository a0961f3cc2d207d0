/** People, roles, keys, objects, audit, in Chinese (simplified). */
import type { settingsTexts as English } from '../en/settings';

export const settingsTexts: typeof English = {
  settings: {
    title: '设置',
  },
};
