/** The queue of duplicates, and two records side by side, in English. */
import { s } from './plural';

export const duplicatesTexts = {
  duplicates: {
    title: 'Duplicates',
    lead: 'Records that seem to be one. Merge them, or say that they are two; either can be undone.',
    none: 'No pair is waiting',
    noneHelp: 'Records are compared as they come in; what seems to be there twice appears here by itself.',
    waiting: (n: number, count: string) => `${count} ${s(n, 'pair', 'pairs')}`,
    list: 'Pairs, the most alike first',
    comparison: 'The two side by side',
    keep: 'Keep this one',
    keepOf: (title: string, side: string) => `Keep this one: ${title} (${side})`,
    sides: { one: 'the older', other: 'the newer' },
    stays: 'stays',
    goes: 'goes into the trash',
    united: 'Both are kept',
    swap: 'Swap',
    dismiss: 'Not duplicates',
    dismissed: (one: string, other: string) => `${one} and ${other} are two`,
    dismissFailed: 'It was not noted.',
    keys: 'J and K go through the pairs, S swaps which one stays, M merges, N says that they are two.',
  },
};
