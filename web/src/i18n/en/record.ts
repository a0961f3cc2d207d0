/** One record: its fields, what happened to it, what belongs to it, in English. */
export const recordTexts = {
  record: {
    created: (title: string) => `${title} is there`,
    notCreated: 'It was not saved',
    deleted: (title: string) => `${title} is in the trash`,
    notDeleted: (title: string) => `${title} could not be deleted.`,
    allFields: 'Show all fields',
    similar: 'Is it one of these?',
  },
};
