/** Saved views, and lists that are put in order, in English. */
export const viewsTexts = {
  views: {
    title: 'Views',
    all: 'Everything',
    mine: 'My views',
    others: 'Views of others',
    save: 'Save as a view',
    update: (name: string) => `Save to “${name}”`,
    manage: 'Order, names and sharing',
    manageHelp:
      'Drag a view by its handle, or move it with the arrow keys. The starred view is what the list opens with for you.',
    remove: (name: string) => `Delete “${name}”`,
    name: 'Name',
    nameOf: (name: string) => `Name of “${name}”`,
    shared: 'Who sees it',
    sharedOf: (name: string) => `Who sees “${name}”`,
    sharing: { private: 'Only me', all: 'Everybody' },
    ofTeam: (team: string) => `Team: ${team}`,
    first: 'The list opens with it',
    firstOf: (name: string) => `Open the list with “${name}”`,
    saved: (name: string) => `View “${name}” saved`,
    removed: (name: string) => `View “${name}” deleted`,
    failed: 'The view could not be saved.',
    removeFailed: 'The view could not be deleted.',
  },
  order: {
    keys: 'Drag it, or press the up and down arrows',
    move: (name: string) => `Move ${name}`,
    moved: (name: string, place: string, count: string) => `${name} is number ${place} of ${count}`,
  },
};
