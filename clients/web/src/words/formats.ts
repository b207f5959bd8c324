// Numbers, sizes and times as people of a language write them.

export type Locale = 'en' | 'ru'

/** One form per category of Intl.PluralRules; a category that is missing takes `other`. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const
const STEP = 1000
const MEGAPIXELS: Record<Locale, string> = { en: 'MP', ru: 'Мп' }

export type Formats = ReturnType<typeof formatsOf>

/** The formats of a language; `tag` names it with a region (en-GB), whose dates they follow. */
export function formatsOf(locale: Locale, tag: string = locale) {
  const percents = new Intl.NumberFormat(tag, { style: 'percent' })
  const plain = new Intl.NumberFormat(tag)
  const rules = new Intl.PluralRules(locale)
  const moments = new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'short' })
  const days = new Intl.DateTimeFormat(tag, { dateStyle: 'full' })
  const dates = new Intl.DateTimeFormat(tag, { dateStyle: 'full', timeZone: 'UTC' })
  const shortDates = new Intl.DateTimeFormat(tag, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
  const months = new Intl.DateTimeFormat(tag, { month: 'short', year: 'numeric', timeZone: 'UTC' })
  const lists = new Intl.ListFormat(locale, { type: 'conjunction' })

  const number = (value: number): string => plain.format(value)
  const unit = (value: number, name: string, options: Intl.NumberFormatOptions): string =>
    new Intl.NumberFormat(tag, { style: 'unit', unit: name, ...options }).format(value)

  return {
    number,
    /** The count and the form of the word that goes with it: 1 photo, 2 photos. */
    counted: (count: number, forms: Forms): string => `${number(count)} ${forms[rules.select(count)] ?? forms.other}`,
    bytes(count: number): string {
      const power = count < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3))
      const unitDisplay = power === 0 ? 'long' : 'short' // the short form of bytes has no plural in English
      return unit(count / STEP ** power, UNITS[power] ?? 'byte', { maximumSignificantDigits: 3, unitDisplay })
    },
    seconds: (value: number): string =>
      unit(value, 'second', { unitDisplay: 'narrow', maximumFractionDigits: value < 1 ? 2 : value < 10 ? 1 : 0 }),
    /** A count in millions, as people tell pixels. */
    millions: (count: number): string => plain.format(Number((count / 1e6).toPrecision(3))),
    /** A length of time in one unit, two for hours: 40 sec, 3 min, 2 hr 5 min. */
    span(seconds: number): string {
      const short = (value: number, name: string): string => unit(value, name, { unitDisplay: 'short', maximumFractionDigits: 0 })
      if (seconds < 59.5) return short(seconds, 'second')
      const minutes = Math.round(seconds / 60)
      if (minutes < 60) return short(minutes, 'minute')
      return `${short(Math.floor(minutes / 60), 'hour')} ${short(minutes % 60, 'minute')}`
    },
    percent: (value: number): string => percents.format(value),
    megapixels: (width: number, height: number): string =>
      `${plain.format(Number(((width * height) / 1e6).toPrecision(2)))} ${MEGAPIXELS[locale]}`,
    /** Degrees of latitude and longitude, as maps write them and take them. */
    position: ({ latitude, longitude }: { latitude: number; longitude: number }): string =>
      `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`,
    pixels: (width: number, height: number): string => `${number(width)} × ${number(height)}`,
    /** An RFC 3339 time as a date and a time of this device's zone. */
    moment: (time: string): string => moments.format(new Date(time)),
    /** The day of an RFC 3339 time, with its weekday. */
    day: (time: string): string => days.format(new Date(time)),
    /** A day of the calendar, such as 2026-11-23, with its weekday. */
    date: (day: string): string => dates.format(new Date(day)),
    /** The same in little room. */
    shortDate: (day: string): string => shortDates.format(new Date(day)),
    /** The month of a day of the calendar. */
    month: (day: string): string => months.format(new Date(day)),
    list: (parts: readonly string[]): string => lists.format(parts),
  }
}
