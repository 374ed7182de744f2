/**
 * Job ids: UUIDv7 (RFC 9562, section 5.7) that name the place of the job's first event in the log.
 *
 * | bits | hold |
 * | --- | --- |
 * | 48 | milliseconds since the epoch |
 * | 4 | version 7 |
 * | 12 | the position's high bits |
 * | 4 | variant, and two bits of 0 |
 * | 32 | the position's low bits |
 * | 28 | random |
 *
 * So ids sort by creation, and a job whose history is one event is found without a row of its own.
 *
 * @module
 */

/** 2^44 events; a log that writes 100,000 a second is there after five years. */
const POSITIONS = 2 ** 44;
const LOW = 2 ** 32;

const CODE_OF_0 = 0x30;
const CODE_OF_9 = 0x39;
const CODE_OF_A = 0x61;

const DIGIT_CODES = Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));

const random = new Uint32Array(256);
let drawn = random.length;

/** What the id says that was asked about last: mostly it is asked about again. */
let asked = { id: "", time: NaN, position: NaN };

/** The characters of the id that is being made. */
const codes = Array.from("00000000-0000-7000-8000-000000000000", (character) => character.charCodeAt(0));

/** @throws {RangeError} If the position is beyond 2^44. */
export function newJobId(ms: number, position: number): string {
  if (position >= POSITIONS) throw new RangeError(`Position ${position} is too large for a job id`);
  return idOf(ms, position, draw());
}

/** A bound for ranges of ids: no job of this time that begins at this position or later has a smaller one. */
export function lowestJobId(ms: number, position: number): string {
  return idOf(ms, position, 0);
}

function idOf(ms: number, position: number, random: number): string {
  const early = Math.floor(ms / 2 ** 16);
  const high = Math.floor(position / LOW);
  const low = position % LOW;
  put(0, early >>> 16);
  put(4, early);
  put(9, ms % 2 ** 16);
  put(14, 0x7000 | high);
  put(19, 0x8000 | low >>> 20);
  put(24, low >>> 4);
  put(28, (low & 0xf) << 12 | random >>> 16);
  put(32, random);
  // Put together from parts it would stay parts to V8, and `JSON.stringify` take twice as long for whatever holds it.
  return String.fromCharCode(...codes);
}

/** Four hexadecimal digits of the number's low 16 bits. */
function put(at: number, value: number): void {
  codes[at] = DIGIT_CODES[value >>> 12 & 0xf]!;
  codes[at + 1] = DIGIT_CODES[value >>> 8 & 0xf]!;
  codes[at + 2] = DIGIT_CODES[value >>> 4 & 0xf]!;
  codes[at + 3] = DIGIT_CODES[value & 0xf]!;
}

/** Where the job's first event is, if the id was made by {@linkcode newJobId}; of other ids, any number. */
export function positionIn(id: string): number {
  if (id !== asked.id) asked = read(id);
  return asked.position;
}

/** When the id was made, in milliseconds since the epoch. */
export function timeIn(id: string): number {
  if (id !== asked.id) asked = read(id);
  return asked.time;
}

function read(id: string): typeof asked {
  return {
    id,
    time: digitsOf(id, 9, 13, digitsOf(id, 0, 8, 0)),
    position: digitsOf(id, 24, 29, digitsOf(id, 20, 23, digitsOf(id, 15, 18, 0))),
  };
}

/** The number that goes on with these hexadecimal digits; `parseInt` would need new strings. */
function digitsOf(id: string, start: number, end: number, number: number): number {
  for (let i = start; i < end; i++) {
    const code = id.charCodeAt(i);
    number = number * 16 + (code <= CODE_OF_9 ? code - CODE_OF_0 : code - CODE_OF_A + 10);
  }
  return number;
}

/** 28 random bits. */
function draw(): number {
  if (drawn === random.length) {
    crypto.getRandomValues(random);
    drawn = 0;
  }
  return random[drawn++]! >>> 4;
}
