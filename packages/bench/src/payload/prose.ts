import type { SeededRandom } from './seeded-random.ts'
import { ZipfNumbers } from './zipf-numbers.ts'

// The commonest come first, for words in a text follow Zipf's law.
const words = (
  'the of and to a in that it was he for on with as his they at be this from i have or by one had ' +
  'not but what all were when we there can an your which their said if do will each about how up ' +
  'out them then she many some so these would other into has more her two like him see time could ' +
  'no make than first been its who now people my made over did down only way find use may water ' +
  'long little very after words called just where most know get through back much before go good ' +
  'new write our used me man too any day same right look think also around another came come work ' +
  'three word must because does part even place well such here take why things help put years ' +
  'different away again off went old number great tell men say small every found still between ' +
  'name should home big give air line set own under read last never us left end along while might ' +
  'next sound below saw something thought both few those always looked show large often together ' +
  'asked house world going want school important until form food keep children feet land side ' +
  'without boy once animals life enough took sometimes four head above kind began almost live ' +
  'page got earth need far hand high year mother light parts country father let night following ' +
  'picture being study second eyes soon times story boys since white days ever paper hard near ' +
  'sentence better best across during today others however sure means knew try told young miles ' +
  'sun ways thing whole hear example heard several change answer room sea against top turned ' +
  'learn point city play toward five using himself usually money seen car morning given trees ' +
  'harbour clerk letter parcel lantern ledger engine river winter bridge neighbour captain ' +
  'invoice warehouse courier shipment signature address customer refund delay weather station ' +
  'carriage platform ticket window garden kitchen market bread coffee copper silver iron timber ' +
  'canal anchor rope canvas lighthouse fog storm tide ferry island village church bell tower ' +
  'apprentice merchant physician judge widow sailor painter printer baker tailor carpenter mason ' +
  'promise quarrel memory silence laughter patience suspicion fortune journey bargain weight ' +
  'measure century october thursday margin column archive copy original receipt deposit interest'
).split(' ')

/** Of how often words come: natural texts lie around 1. */
const exponent = 0.8

const endings = ['', '', '', '', 's', 'ed', 'ing', 'ly', 'er'] as const

/** Sentences of so many bytes, all ASCII, of which gzip leaves between a third and a half. */
export function prose(random: SeededRandom, size: number): string {
  const numbers = new ZipfNumbers(words.length, exponent, random)
  const parts: string[] = []
  let length = 0
  while (length < size) {
    const sentence = sentenceOf(random, numbers)
    parts.push(sentence)
    length += sentence.length
  }
  return parts.join('').slice(0, size)
}

function sentenceOf(random: SeededRandom, numbers: ZipfNumbers): string {
  const count = 5 + random.integer(14)
  let text = ''
  for (let index = 0; index < count; index++) {
    const word = words[numbers.next()] ?? ''
    const whole = word.length > 3 ? word + (endings[random.integer(endings.length)] ?? '') : word
    const mark = index === count - 1 ? '. ' : random.integer(9) === 0 ? ', ' : ' '
    text += (index === 0 ? whole.charAt(0).toUpperCase() + whole.slice(1) : whole) + mark
  }
  return random.integer(12) === 0 ? `${text.slice(0, -2)} in ${1600 + random.integer(420)}. ` : text
}
