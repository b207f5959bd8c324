// Wires the page together: the only place where its state is made.

import { api, onAnswer, onProblem } from './api/index.ts'
import { saveArchive, saveFile } from './platform/archive.ts'
import { breathe } from './platform/breathe.ts'
import { copyText } from './platform/clipboard.ts'
import { digestOf, isReadable } from './platform/files.ts'
import * as memory from './platform/memory.ts'
import { onFailedPicture, retryPictures, retryPicturesOnce } from './platform/pictures.ts'
import { root } from './platform/root.ts'
import { sleep } from './platform/sleep.ts'
import { PhotoActions } from './state/actions.ts'
import { Choosing } from './state/choosing.ts'
import { Connection } from './state/connection.svelte.ts'
import { Datasets, DEFAULT_DATASET } from './state/datasets.svelte.ts'
import { Gallery } from './state/gallery.svelte.ts'
import { bareMeasures, captionedMeasures, Looking, type MeasuresFor } from './state/looking.svelte.ts'
import { Notices } from './state/notices.svelte.ts'
import { Preferences } from './state/preferences.svelte.ts'
import { Restoring } from './state/restoring.svelte.ts'
import { Router } from './state/router.svelte.ts'
import { datasetOf } from './state/route.ts'
import { Selection } from './state/selection.svelte.ts'
import { Session } from './state/session.svelte.ts'
import type { Shelf } from './state/shelf.ts'
import { Shortcuts } from './state/shortcuts.svelte.ts'
import { Target } from './state/target.svelte.ts'
import { Uploads } from './state/uploads/uploads.svelte.ts'
import { Viewer } from './state/viewer.svelte.ts'
import { language } from './words/language.svelte.ts'

export { api, language }
export const preferences = new Preferences(language, memory, navigator.languages)
export const router = new Router(window, root)
export const session = new Session(api)
export const notices = new Notices()
export const shortcuts = new Shortcuts()
export const datasets = new Datasets(api)
export const shelf = shelfOf(bareMeasures)
export const { photos, selection } = shelf
export const trash = shelfOf(captionedMeasures)
export const viewer = new Viewer({ api, photos, sleep })
export const actions = new PhotoActions({
  api, photos, selection, trash: trash.photos, datasets, notices, language, copyText, saveFile, saveArchive,
})
export const restoring = new Restoring({
  api, trash: trash.photos, selection: trash.selection, photos, datasets, notices, language,
})
export const target = new Target()
export const uploads = new Uploads({
  digestOf,
  isReadable,
  known: (dataset, digests, signal) => api.knownPhotos(dataset, digests, signal),
  upload: (files, options) => api.upload(files, options),
  now: () => performance.now(),
  breathe,
  onOffline: (problem) => connection.note(problem),
  onFinished: () => void Promise.allSettled([photos.refresh(), datasets.refresh()]),
})

export const connection = new Connection({
  probe: () => api.probe(),
  sleep,
  onBack: () => {
    uploads.serverIsBack()
    retryPictures()
    if (session.isOpen) void Promise.allSettled([photos.refresh(), trash.photos.refresh(), datasets.refresh(), viewer.refresh()])
  },
  onStillThere: retryPicturesOnce,
})

onAnswer(() => connection.answered())
onFailedPicture(() => void connection.doubt())

onProblem((problem) => {
  session.note(problem)
  connection.note(problem)
})

function shelfOf(measuresFor: MeasuresFor): Shelf {
  const photos = new Gallery(api)
  const selection = new Selection()
  return { photos, selection, looking: new Looking(photos, measuresFor), choosing: new Choosing({ photos, selection, notices, language }) }
}

/** Logs out. Uploads end with it: whoever comes next must neither see them nor send them. */
export async function leave(): Promise<void> {
  uploads.clear()
  await session.leave()
}

/** The dataset that the page is about, or else the default one. */
export function presentDataset(): string {
  return datasetOf(router.route) ?? DEFAULT_DATASET
}

/** The dataset that uploads go to from where the page is; empty when the field on their page names none. */
export function targetDataset(): string {
  return router.route.view === 'uploads' ? target.slug : presentDataset()
}
