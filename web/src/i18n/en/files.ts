/** Contents of files, the trash emptied, the whole workspace, in English. */
import { s } from './plural';

export const filesTexts = {
  files: {
    attach: 'Attach',
    attached: (name: string) => `${name} is attached`,
    drop: 'Drop files here, or attach them by the button.',
    upload: 'Bring a file',
    download: 'Download',
    replace: 'Replace the content',
    replaced: (title: string) => `${title} has another content`,
    failed: (name: string) => `${name} was not brought.`,
    details: 'Details',
    about: (title: string) => `Details of ${title}`,
    emptyTrash: 'Empty the trash',
    emptyTrashOf: (what: string) => `Empty the trash of ${what}`,
    emptyTrashHelp:
      'Everything in it that you may delete is gone for good, contents of files included. Nothing brings it back; what it was stays in the history.',
    purged: (n: number, count: string) => `${count} ${s(n, 'record is', 'records are')} gone`,
    notPurged: 'The trash was not emptied',
  },
  workspace: {
    lead: 'Everything that this installation holds, as one file in formats that any program reads: a zip of JSON lines with a description. It is yours; take it whenever you like.',
    download: 'Download the workspace',
    facts: [
      'In it are all records with those in the trash, people, teams, roles, views, objects of your own, and the contents of files.',
      'Passwords, keys and the history of changes are not. For those, back up: rapport backup.',
      'rapport import-workspace brings it into an installation without records, on either database.',
      'The audit tells who has downloaded it.',
    ],
  },
};
