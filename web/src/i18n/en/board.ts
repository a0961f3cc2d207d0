/** The board, in English. */
export const boardTexts = {
  board: {
    none: 'These records have no stage or choice to make columns of. Add a choice field to the object.',
    pipeline: 'Pipeline',
    group: 'Columns by',
    without: 'Without',
    keys: 'Arrows go from card to card. Space lifts a card, left and right move it, Space drops it, Escape puts it back.',
    moveTo: 'Move to',
    moveOf: (title: string) => `Move ${title}`,
    moved: (title: string, column: string) => `${title}: ${column}`,
    notMoved: (title: string) => `${title} could not be moved.`,
    lifted: (title: string, column: string) => `${title} is lifted from ${column}`,
    over: (title: string, column: string) => `${title} is over ${column}`,
    cancelled: (title: string) => `${title} is back where it was`,
    more: (count: string) => `${count} more`,
    inTable: (count: string) => `All ${count} as a table`,
  },
};
