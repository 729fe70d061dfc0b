// A line read as a whole: its crop, the characters that the line network sees, and what they and its digits say.
import { cropped, most } from "./centre.js";
import { heightOf, quantile } from "./lines.js";
import { LEVELS } from "./model.js";
import { logits, shares, surest } from "./network.js";
import { Ink } from "./strokes.js";
import THRESHOLDS from "../thresholds.json" with { type: "json" };

const CHARACTERS = "0123456789 +-×÷/()=.,:?", BLANK = CHARACTERS.length;  // a gap, signs, other ink
const HIGH = 32, DIGIT = 20, THIN = 2;  // pixels of a crop, of a digit in it and of its pen
const LEAST = 0.02;  // height of a digit as a share of the canvas: a dot has none

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export function cropOf(boxes) {  // of a line, given its digits' boxes without the pen: how wide, and where a point is
  const limits = THRESHOLDS.lines, highest = most(boxes.map(heightOf));
  const tall = boxes.filter((box) => heightOf(box) >= limits.as_high * highest);
  const height = Math.max(LEAST, quantile(tall.map(heightOf), 0.5));
  const across = tall.map((box) => (box.left + box.right) / 2), down = tall.map((box) => (box.top + box.bottom) / 2);
  const [x, y] = [mean(across), mean(down)], spread = mean(across.map((own) => (own - x) ** 2));
  const slope = tall.length < 3 ? 0 : mean(across.map((own, i) => (own - x) * (down[i] - y))) / (spread || 1);
  const fall = Math.min(limits.max_slope, Math.max(-limits.max_slope, slope)), scale = (DIGIT - THIN) / height;
  const left = Math.min(...boxes.map((box) => box.left)) - (DIGIT + THIN) / 2 / scale;
  const right = Math.max(...boxes.map((box) => box.right)) + (DIGIT + THIN) / 2 / scale;
  return { wide: Math.max(16, Math.round(scale * (right - left))),
    at: ([u, v]) => [scale * (u - left), HIGH / 2 + scale * (v - y - fall * (u - x))] };
}

export function decoded({ values, wide, channels }) {  // the best path's characters, repeats merged, blanks dropped
  const characters = [];
  for (let step = 0, before = BLANK; step < wide; step++) {
    const own = shares(values.subarray(step * channels, (step + 1) * channels)), best = own.indexOf(surest(own));
    if (best !== BLANK && best !== before) characters.push({ character: CHARACTERS[best], from: step, probability: 0 });
    if (best !== BLANK) {
      const last = characters.at(-1);
      last.to = step + 1;
      if (own[best] > last.probability) Object.assign(last, { probability: own[best], probabilities: own.slice(0, 10) });
    }
    before = best;
  }
  return characters.map(({ from, to, ...seen }) => ({ ...seen, place: (from + to) / 2 / wide }));
}

export function charactersIn(layers, strokes, boxes) {  // each with its place as a share of the width, and as 28×28
  const { wide, at } = cropOf(boxes), crop = new Ink(wide, HIGH).of(strokes, "", THIN, at);
  return decoded(logits(layers, crop)).map((seen) => ({ ...seen,
    image: cropped(crop, Math.round(seen.place * wide) - 14, (HIGH - 28) / 2, 28, 28).values }));
}

function paired(digits, seen) {  // their longest common subsequence: for each that was seen the digit, or null
  const same = (i, j) => digits[i].probabilities.indexOf(surest(digits[i].probabilities)) === +seen[j].character;
  const longest = Array.from({ length: digits.length + 1 }, () => new Uint8Array(seen.length + 1));
  for (let i = digits.length - 1; i >= 0; i--) for (let j = seen.length - 1; j >= 0; j--)
    longest[i][j] = same(i, j) ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
  const pairs = [];
  for (let i = 0, j = 0; j < seen.length;)
    if (i < digits.length && same(i, j)) { pairs.push(digits[i++]); j++; }
    else if (i < digits.length && longest[i + 1][j] >= longest[i][j + 1]) i++;
    else { pairs.push(null); j++; }
  return pairs;
}

function digitsOf(characters) {  // those that are digits; whether a gap or a sign is before each
  let gap = false;
  return characters.flatMap((seen) => {
    const isDigit = /\d/.test(seen.character), own = isDigit ? [{ ...seen, gap }] : [];
    gap = !isDigit && (gap || seen.character !== "?");
    return own;
  });
}

// A line's digits, read one by one, and its characters: the digits to answer; mayBeSure, and of all: agreed.
export function decided(digits, characters) {
  const seen = digitsOf(characters), pairs = paired(digits, seen);
  const agreed = seen.length === digits.length && pairs.every(Boolean);
  const isOne = digits.length === 1
    && (seen.length === 1 || surest(digits[0].probabilities) >= THRESHOLDS.reading.one_probability);
  if (!agreed && (isOne || !seen.length)) return digits.map((digit) => ({ ...digit, mayBeSure: false, agreed }));
  return seen.map(({ probability, probabilities, image, gap }, i) => ({
    ...(pairs[i] ?? { probabilities, image, line: digits[0].line }), agreed,
    gap: i > 0 && (gap || !!pairs[i]?.gap), mayBeSure: !!pairs[i] && probability >= LEVELS.line_sure,
  }));
}
