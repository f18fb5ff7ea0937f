// Dates and times of cells. Pure. In: a trimmed text. Out: the normal form (a date yyyy-mm-dd, a
// time in UTC with milliseconds), or undefined. Called by cell-kinds.ts.

const datetimePattern =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(?:(Z)|([+-])([0-9]{2}):?([0-9]{2}))?$/i

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** A date of the calendar as yyyy-mm-dd; nothing else is guessed at. */
export function readDate(text: string): string | undefined {
  if (text.length !== 10 || text[4] !== '-' || text[7] !== '-') return undefined
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  return isCalendarDay(year, twoDigits(text, 5), twoDigits(text, 8)) ? text : undefined
}

/** As readDate, or YY/MM/DD: 00-69 are 20xx, 70-99 are 19xx. */
export function readShortDate(text: string): string | undefined {
  if (text.length !== 8 || text[2] !== '/' || text[5] !== '/') return readDate(text)
  const century = twoDigits(text, 0) < 70 ? '20' : '19'
  return readDate(`${century}${text.slice(0, 2)}-${text.slice(3, 5)}-${text.slice(6)}`)
}

/** ISO 8601; without a zone it means UTC. */
export function readDatetime(text: string): string | undefined {
  const parts = datetimePattern.exec(text)
  if (!parts) return undefined
  const [, day = '', hour, minute, second = '0', fraction = '', , sign, zoneHour, zoneMinute] =
    parts
  if (readDate(day) === undefined) return undefined
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  if (Number(zoneHour ?? 0) > 23 || Number(zoneMinute ?? 0) > 59) return undefined
  const ms = fraction.slice(0, 3).padEnd(3, '0')
  const local = Date.parse(`${day}T${hour}:${minute}:${second.padStart(2, '0')}.${ms}Z`)
  const ahead = (Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0)) * 60_000
  return new Date(sign === '-' ? local + ahead : local - ahead).toISOString()
}

/** The number that two characters write; NaN when they are no digits. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48
  const ones = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

// NaN fails every comparison, so what is no number is no day either.
function isCalendarDay(year: number, month: number, day: number): boolean {
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1)) return false
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return day <= (month === 2 && isLeap ? 29 : (monthDays[month - 1] as number))
}
