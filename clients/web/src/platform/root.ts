/** The path that the server stands below, with a slash at its end; the server writes it into the page. */
export const root: string = document.querySelector<HTMLMetaElement>('meta[name=albumen-root]')?.content ?? '/'
