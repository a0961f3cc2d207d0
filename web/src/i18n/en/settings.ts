/** People, roles, keys, objects, audit, in English. */
export const settingsTexts = {
  settings: {
    title: 'Settings',
  },
};
