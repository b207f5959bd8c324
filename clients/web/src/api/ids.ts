const PHOTO_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const SLUG = /^[a-z0-9][a-z0-9_-]{0,62}$/

export const isPhotoId = (text: string): boolean => PHOTO_ID.test(text)

export const isSlug = (text: string): boolean => SLUG.test(text)
