// The content of one generated contact: row number in, 12 cells out, the same on every machine.
// Every row has a random stream of its own, so any row can be made without the rows before it,
// and the variants of a file agree on everything that the variant does not change.
// Called by make-csv.ts.

export const contactColumns = [
  'external_id',
  'organization',
  'first_name',
  'last_name',
  'title',
  'contact_type',
  'important',
  'emails',
  'phones',
  'notes',
  'tags',
  'archived'
]

/** base: the file; changed: the same rows, every second one with other title, phones or notes;
 *  bad: the same rows, one in a hundred cannot be imported. */
export const variants = ['base', 'changed', 'bad'] as const
export type Variant = (typeof variants)[number]

// Names are unique without regard to accents, so that e-mail addresses made of them are too.
const firstNames = (
  'Aaron,Abigail,Adam,Aisha,Alan,Alexandra,Amelia,Amir,Ana,Andrew,Anita,Anthony,Arjun,Astrid,' +
  'Barbara,Benjamin,Beth,Björn,Brian,Bruno,Camila,Carla,Carlos,Caroline,Charles,Chen,Chloé,' +
  'Christine,Claire,Craig,Daniel,Daria,David,Deborah,Diego,Dmitri,Donna,Edith,Edward,Elena,' +
  'Emily,Eric,Esther,Eva,Farah,Felix,Fiona,Frank,Gabriel,Gloria,Grace,Greta,Hannah,Harold,' +
  'Hassan,Heidi,Hugo,Ian,Ingrid,Irene,Isabel,Ivan,Jack,Jamal,Jane,Jason,Jennifer,Joan,José,' +
  'Judith,Julia,Kamal,Karen,Keith,Kevin,Lars,Laura,Leon,Lillian,Linh,Lucas,Łukasz,Mara,Marcus,' +
  'María,Martin,Megan,Michael,Mila,Nadia,Naomi,Nathan,Nina,Noah,Nora,Olga,Oliver,Oscar,Pamela,' +
  'Patrick,Paula,Peter,Priya,Rachel,Rafael,Ravi,Rebecca,Robert,Rosa,Ruth,Samuel,Sandra,Sara,' +
  'Sean,Simone,Sofia,Stefan,Susan,Tamara,Thomas,Tomás,Ursula,Vera,Victor,Wendy,Xavier,Yasmin,Zoë'
).split(',')

const lastNames = (
  'Abbott,Adams,Adeyemi,Alvarez,Andersen,Archer,Bailey,Baker,Barnes,Bauer,Bennett,Bianchi,Black,' +
  'Bowman,Bradley,Brooks,Brown,Bryant,Burke,Butler,Campbell,Carlson,Carter,Castillo,Chapman,' +
  'Clark,Cohen,Coleman,Collins,Cooper,Costa,Cox,Cruz,Dahl,Davis,Delgado,Diaz,Dixon,Douglas,Dubois,' +
  'Duncan,Edwards,Eklund,Ellis,Evans,Farrell,Ferrari,Fischer,Fletcher,Flores,Ford,Foster,Fox,' +
  'Freeman,Fuller,Garcia,Gardner,Gibson,Gomez,Gordon,Graham,Grant,Gray,Green,Griffin,Gupta,Hall,' +
  'Hamilton,Hansen,Harper,Harris,Hayes,Henry,Hill,Hoffmann,Holmes,Howard,Hughes,Hunt,Ibrahim,' +
  'Jackson,Jacobs,James,Jansen,Jensen,Johnson,Jones,Jordan,Kelly,Kennedy,Khan,Kim,King,Klein,' +
  'Knight,Kowalski,Kumar,Lambert,Larsen,Lawson,Lee,Lewis,Lindberg,Long,Lopez,Marino,Marshall,' +
  'Mason,Mendoza,Meyer,Miller,Mitchell,Moore,Morgan,Morris,Müller,Murphy,Murray,Nakamura,Nelson,' +
  'Newman,Nguyen,Nielsen,Novak,Núñez,Olsen,Ortega,Owens,Palmer,Park,Parker,Patel,Payne,Pereira,' +
  'Perry,Peterson,Phillips,Pierce,Porter,Powell,Price,Quinn,Ramirez,Reed,Reyes,Richards,Rivera,' +
  'Roberts,Robinson,Rogers,Romero,Rossi,Russell,Ryan,Santos,Sato,Schmidt,Scott,Shaw,Silva,Simmons,' +
  'Singh,Smith,Snyder,Sørensen,Spencer,Stewart,Stone,Sullivan,Suzuki,Tanaka,Taylor,Torres,Tran,' +
  'Tucker,Turner,Vargas,Vega,Wagner,Walker,Wallace,Walsh,Wang,Ward,Watson,Webb,Weber,Wells,West,' +
  'Williams,Wilson,Wong,Wood,Wright,Yamada,Yang,Young,Zhang,Zimmermann'
).split(',')

const titles = (
  'Accountant,Account Manager,Administrator,Analyst,Chief Executive Officer,Controller,Developer,' +
  'Director of Operations,Engineer,Facilities Manager,Head of IT,Human Resources Manager,' +
  'Legal Counsel,Marketing Manager,Office Manager,Project Manager,Purchasing Agent,' +
  'Sales Representative,Security Officer,Support Technician,Systems Administrator,Vice President'
).split(',')

const contactTypes = 'Decision maker,End user,Technical,Billing,Executive,Vendor'.split(',')
const tags = 'vip,newsletter,onboarding,renewal,partner,beta,remote,event-2024'.split(',')
const areaCodes = '201,206,212,213,214,303,305,312,404,415,512,602,617,702,713,718,801,917'.split(
  ','
)

const notes = (
  'Prefers to be called in the afternoon.|Speaks Spanish and French.|Has a company phone.|' +
  'Works from the Denver office on Mondays and Tuesdays.|Signed the new contract in May.|' +
  'Was moved here from the old tenant together with the whole department.|' +
  'Asked for a second monitor and a docking station.|On parental leave until autumn.|' +
  'Approves purchases up to 5000.|Needs access to the shared drive of the finance team.'
).split('|')

const organizationWords =
  'Alder,Beacon,Cedar,Delta,Ember,Falcon,Granite,Harbor,Iris,Juniper,Keystone,Lumen'.split(',')
const organizationKinds = 'Dental,Foods,Health,Legal,Logistics,Motors,Partners,Schools'.split(',')

/** A small, fast random stream (mulberry32); `state` is any 32-bit number. */
interface Stream {
  state: number
}

function next(stream: Stream): number {
  stream.state = (stream.state + 0x6d2b79f5) | 0
  let t = Math.imul(stream.state ^ (stream.state >>> 15), 1 | stream.state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return (t ^ (t >>> 14)) >>> 0
}

const below = (stream: Stream, limit: number) => next(stream) % limit
const pick = (stream: Stream, list: string[]) => list[below(stream, list.length)] as string

/** A row's stream; `salt` keeps streams of the same row apart. */
function streamOf(seed: number, row: number, salt: number): Stream {
  const stream = { state: (Math.imul(row, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b) ^ salt) | 0 }
  next(stream)
  return stream
}

/** What stays the same over a file. `nextMember[o]` counts the rows organization o has so far. */
export interface Recipe {
  seed: number
  variant: Variant
  organizations: string[]
  nextMember: Int32Array
}

/** Prepares a file of about `rows` rows: one organization for every 200 rows, 500 at most. */
export function createRecipe(rows: number, variant: Variant, seed: number): Recipe {
  const count = Math.min(500, Math.max(1, Math.ceil(rows / 200)))
  const organizations = Array.from({ length: count }, (_, index) => organizationName(index))
  return { seed, variant, organizations, nextMember: new Int32Array(count) }
}

function organizationName(index: number): string {
  const word = organizationWords[index % organizationWords.length]
  const kind = organizationKinds[Math.floor(index / 12) % organizationKinds.length]
  const ending = index % 9 === 4 ? ', LLC' : ''
  return `${word} ${kind} ${String(index + 1).padStart(3, '0')}${ending}`
}

/** Whether the row differs between base and changed: every second one. */
export const isChangedRow = (row: number) => row % 2 === 0
/** Whether the row is broken in the variant bad: one in a hundred. */
export const isBadRow = (row: number) => row % 100 === 37

/** The cells of row `row` (1-based). Rows must be asked for in order: names inside an organization
 *  are numbered, so that no two people of one organization have the same name. */
export function contactRow(recipe: Recipe, row: number): string[] {
  const stream = streamOf(recipe.seed, row, 0)
  const organization = below(stream, recipe.organizations.length)
  const member = recipe.nextMember[organization] as number
  recipe.nextMember[organization] = member + 1
  const [first, last] = nameOf(organization, member)
  const cells = [
    `c-${String(row).padStart(6, '0')}`,
    recipe.organizations[organization] as string,
    first,
    last,
    below(stream, 12) === 0 ? '' : pick(stream, titles),
    pick(stream, contactTypes),
    below(stream, 10) === 0 ? 'true' : 'false',
    emailsOf(stream, row, organization, first, last),
    phonesOf(stream),
    notesOf(stream),
    tagsOf(stream),
    below(stream, 40) === 0 ? 'true' : 'false'
  ]
  if (recipe.variant === 'changed' && isChangedRow(row)) change(recipe, cells, row)
  if (recipe.variant === 'bad' && isBadRow(row)) spoil(cells, row)
  return cells
}

/** Walks through all pairs of names in a scattered order; beyond them, last names are doubled. */
function nameOf(organization: number, member: number): [string, string] {
  const pairs = firstNames.length * lastNames.length
  const at = (member * 7919 + organization * 1009) % pairs
  const first = firstNames[at % firstNames.length] as string
  const last = lastNames[Math.floor(at / firstNames.length)] as string
  const round = Math.floor(member / pairs)
  return [first, round === 0 ? last : `${last}-${lastNames[round % lastNames.length]}`]
}

const plain = (name: string) =>
  /^[\w-]+$/.test(name)
    ? name
    : name.normalize('NFD').replace(/\p{M}/gu, '').replace('Ł', 'L').replace('ø', 'o')

function emailsOf(s: Stream, row: number, organization: number, first: string, last: string) {
  const word = organizationWords[organization % organizationWords.length] as string
  const host = `${word.toLowerCase()}-${organization + 1}.example`
  const address = `${plain(first)}.${plain(last)}@${host}`
  const main = below(s, 20) === 0 ? address : address.toLowerCase()
  return below(s, 5) === 0 ? `${main}|user${row}@mail.example` : main
}

// Exchange 555 is given to nobody; the numbers differ from row to row as real ones do.
const phone = (s: Stream) =>
  `+1${pick(s, areaCodes)}555${String(below(s, 10_000)).padStart(4, '0')}`

function phonesOf(s: Stream): string {
  const kind = below(s, 10)
  if (kind === 0) return ''
  return kind === 1 ? `${phone(s)}|${phone(s)}` : phone(s)
}

/** 40 % empty, 5 % with a comma, 1 % with a line break. */
function notesOf(s: Stream): string {
  const kind = below(s, 100)
  if (kind < 40) return ''
  const note = pick(s, notes)
  if (kind < 45) return `${note.slice(0, -1)}, see ticket ${below(s, 100_000)}.`
  return kind === 45 ? `${note}\n${pick(s, notes)}` : note
}

function tagsOf(s: Stream): string {
  const kind = below(s, 10)
  if (kind < 5) return ''
  const first = below(s, tags.length)
  if (kind < 8) return tags[first] as string
  return `${tags[first]},${tags[(first + 1 + below(s, tags.length - 1)) % tags.length]}`
}

/** Gives a row another title, other phones or other notes; in a third of the rows all three. */
function change(recipe: Recipe, cells: string[], row: number) {
  const stream = streamOf(recipe.seed, row, 0x5bd1e995)
  const kind = below(stream, 3)
  if (kind !== 1) {
    const at = titles.indexOf(cells[4] as string)
    cells[4] = titles[(at + 1 + below(stream, titles.length - 1)) % titles.length] as string
  }
  // 556 is no exchange of the base file, so the number is never the same by chance.
  if (kind !== 0) cells[8] = phone(stream).replace(/555(?=\d{4}$)/, '556')
  if (kind === 2) cells[9] = `Called on day ${1 + below(stream, 28)}. ${pick(stream, notes)}`
}

/** Breaks a row in one of five ways, in turn. */
function spoil(cells: string[], row: number) {
  const kind = Math.floor(row / 100) % 5
  if (kind === 0) cells[7] = 'not-an-address'
  else if (kind === 1) cells[2] = ''
  else if (kind === 2) cells.push('one cell too many')
  else if (kind === 3) cells[6] = 'perhaps'
  else cells.length = 9
}
