// The people of generated organizations: their names and e-mail addresses.
// Called by contact-row.ts and configuration-row.ts.

import { organizationHost } from './recipe.ts'

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

/** Walks through all pairs of names in a scattered order; beyond them, last names are doubled. */
export function nameOf(organization: number, member: number): [string, string] {
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

/** The person's address at the organization, as the name is written. */
export const addressOf = (organization: number, first: string, last: string) =>
  `${plain(first)}.${plain(last)}@${organizationHost(organization)}`
