// Which file of a photo is shown: the smallest that is sharp where it is looked at.

import type { PreviewSize } from '../api/client.ts'
import type { Photo } from '../api/types.ts'

export type Sharpness = PreviewSize | 'original'

const SIZES: readonly PreviewSize[] = [256, 512, 1024, 2048]
const LARGEST = 2048
/** Rows so low, in pixels of the device, do with the smallest preview; the next one is made before anybody asks for it. */
const LOW_ROW = 128
/** A picture this much too small still looks sharp. */
const TOLERANCE = 1.1
const SHOWN_BY_BROWSERS = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif', 'image/bmp'])

const OPAQUE = new Set(['image/jpeg', 'image/bmp'])

/** Whether something may be seen through a photo; only its bytes tell whether it is. */
export const mayBeTransparent = ({ media_type }: Pick<Photo, 'media_type'>): boolean => !OPAQUE.has(media_type)

/** The preview that a grid shows of photos in rows of this height. */
export const tileSize = (rowPixels: number): PreviewSize => (rowPixels > LOW_ROW ? 512 : 256)

export const isShownByBrowsers = ({ media_type }: Pick<Photo, 'media_type'>): boolean => SHOWN_BY_BROWSERS.has(media_type)

/**
 * The file to show a photo from whose longer side covers `pixels` of the screen. Previews are tried first, as they are
 * light; the original when it has more to show, or moves.
 */
export function sharpnessFor(photo: Pick<Photo, 'width' | 'height' | 'media_type' | 'frames'>, pixels: number): Sharpness {
  const side = Math.max(photo.width, photo.height)
  if (isShownByBrowsers(photo) && (photo.frames > 1 || (pixels > LARGEST * TOLERANCE && side > LARGEST))) return 'original'
  return SIZES.find((size) => size * TOLERANCE >= Math.min(pixels, side)) ?? LARGEST
}
