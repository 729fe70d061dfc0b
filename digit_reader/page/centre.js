// One digit's ink, bright on zero, cropped into 20×20 and centred: centre.py in JavaScript.
// Images are {values, wide, high}.

const NO_FRACTIONS = 1.5 * 2 ** 52;  // doubles of that size have none
const even = (x) => x + NO_FRACTIONS - NO_FRACTIONS;  // as Python rounds: a half to the even number

export function most(values) {
  let largest = -Infinity;
  for (const value of values) if (value > largest) largest = value;
  return largest;
}

function inked({ values, wide, high }) {  // the smallest part with all ink; null without
  let top = Infinity, left = Infinity, bottom = -1, right = -1;
  values.forEach((value, place) => {
    if (value <= 0) return;
    const x = place % wide, y = (place - x) / wide;
    top = Math.min(top, y); bottom = Math.max(bottom, y);
    left = Math.min(left, x); right = Math.max(right, x);
  });
  return bottom < 0 ? null : cropped({ values, wide, high }, left, top, right - left + 1, bottom - top + 1);
}

export function cropped({ values, wide, high }, left, top, newWide, newHigh) {  // beyond it there is no ink
  const inner = new Float32Array(newWide * newHigh);
  for (let y = 0, i = 0; y < newHigh; y++) for (let x = left; x < left + newWide; x++, i++)
    if (x >= 0 && x < wide && top + y >= 0 && top + y < high) inner[i] = values[(top + y) * wide + x];
  return { values: inner, wide: newWide, high: newHigh };
}

function turned({ values, wide, high }) {  // rows become columns
  const columns = new Float32Array(values.length);
  for (let y = 0, i = 0; y < high; y++) for (let x = 0; x < wide; x++) columns[x * high + y] = values[i++];
  return { values: columns, wide: high, high: wide };
}

function cubic(x) {  // the curve of Pillow's bicubic filter
  x = Math.abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

function taps(from, to) {  // for each new pixel: the first old one and the weights from there on
  const scale = from / to, wide = Math.max(scale, 1), reach = 2 * wide;
  return Array.from({ length: to }, (_, place) => {
    const centre = (place + 0.5) * scale, first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.min(from, Math.trunc(centre + reach + 0.5));
    const weights = Array.from({ length: last - first }, (_, i) => cubic((first + i - centre + 0.5) / wide));
    const sum = weights.reduce((one, other) => one + other);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

function scaledRows({ values, wide, high }, to) {
  const rows = new Float32Array(to * high), along = taps(wide, to);
  for (let y = 0, at = 0; y < high; y++) for (let x = 0; x < to; x++, at++) {
    const { weights, first } = along[x], from = y * wide + first;
    for (let i = 0; i < weights.length; i++) rows[at] += weights[i] * values[from + i];
  }
  return { values: rows, wide: to, high };
}

function inTwenty(ink) {  // as Pillow scales it
  const fitted = (length) => Math.max(1, even(20 * length / Math.max(ink.wide, ink.high))), darkest = most(ink.values);
  const small = turned(scaledRows(turned(scaledRows(ink, fitted(ink.wide))), fitted(ink.high)));
  return { ...small, values: small.values.map((value) => Math.min(1, Math.max(0, value / darkest))) };
}

export function centred(ink) {  // ink as 28×28; null without ink
  const own = inked(ink);
  if (!own) return null;
  const small = inTwenty(own);
  let sum = 0, rows = 0, columns = 0;
  small.values.forEach((value, i) => {
    sum += value; rows += value * Math.floor(i / small.wide); columns += value * (i % small.wide);
  });
  return cropped(small, even(20 + columns / sum) - 34, even(20 + rows / sum) - 34, 28, 28).values;
}
