/** Demo data, in English. */
export const demoTexts = {
  demo: {
    note: (records: string) =>
      `Demo data: ${records} of the records here are synthetic. The company, its people and all addresses do not exist.`,
    remove: 'Remove demo data',
    removing: (left: string) => `Removing the demo data: ${left} records are left.`,
    goes: (records: string) =>
      `The demo brought ${records} records. They are removed for good, with their history; this cannot be undone.`,
    stays:
      'Records that somebody made stay. So do demo records that somebody has changed and not deleted, and those that a record which stays names.',
    removed: (removed: string, kept: string | null) =>
      `${removed} records of the demo were removed.${kept === null ? '' : ` ${kept} stay, because people use them.`}`,
    failed: 'The demo data could not be removed.',
  },
};
