/** All Chinese (simplified) texts; the compiler checks that none is missing. */
import type { Messages } from '../en';
import { appTexts } from './app';
import { boardTexts } from './board';
import { customersTexts } from './customers';
import { demoTexts } from './demo';
import { duplicatesTexts } from './duplicates';
import { filesTexts } from './files';
import { importTexts } from './import';
import { modelTexts } from './model';
import { modelsTexts } from './models';
import { objectsTexts } from './objects';
import { pipelinesTexts } from './pipelines';
import { recordTexts } from './record';
import { recordsTexts } from './records';
import { settingsTexts } from './settings';
import { signOnTexts } from './sign-on';
import { viewsTexts } from './views';

export const zh: Messages = {
  ...appTexts,
  ...boardTexts,
  ...customersTexts,
  ...demoTexts,
  ...duplicatesTexts,
  ...filesTexts,
  ...importTexts,
  ...modelTexts,
  ...modelsTexts,
  ...objectsTexts,
  ...pipelinesTexts,
  ...recordTexts,
  ...recordsTexts,
  ...settingsTexts,
  ...signOnTexts,
  ...viewsTexts,
};
