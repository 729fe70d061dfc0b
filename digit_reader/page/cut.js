// Digits that touch: a part of ink in doubt is cut into two where both are likely; cut.py's rules.
import { centred } from "./centre.js";
import { box, cropped, even, inkBounds, map, scaled } from "./filters.js";
import { LEVELS } from "./model.js";
import { probabilities, surest } from "./network.js";
import { RULES } from "./rules.js";

function forCutting(ink) {  // cropped, with at most so many pixels a side; null where it is narrow
  const { left, top, width, height } = inkBounds(ink);
  if (width < RULES.cut_wide * height) return null;
  const scale = Math.min(1, RULES.cut_side / Math.max(width, height));
  const [wide, high] = [width, height].map((side) => Math.max(1, even(scale * side)));
  return scaled(cropped(ink, left, top, width, height), wide, high, box);
}

function cutsAlong(ink, slope) {  // of that slope, through the least ink: each place and its two halves
  const { values, wide, high } = ink, crossed = new Float64Array(wide);
  const across = Int32Array.from(values, (_, i) => {  // the column that a pixel counts for
    const column = even(i % wide + slope * (Math.floor(i / wide) - high / 2));
    return Math.min(wide - 1, Math.max(0, column));
  });
  values.forEach((value, i) => { crossed[across[i]] += value; });
  const [low, end] = RULES.cut_inner.map((share) => even(share * wide)), found = [];
  const places = Array.from({ length: end - low }, (_, i) => low + i).sort((a, b) => crossed[a] - crossed[b]);
  for (const place of places)
    if (found.every((other) => Math.abs(place - other) > RULES.cut_apart * wide)) found.push(place);
  return found.slice(0, RULES.cut_each).map((place) => {
    const halves = [true, false].map((left) => map(ink, (value, i) => (across[i] < place === left ? value : 0)));
    return { place: place / wide, halves };
  }).filter((cut) => cut.halves.every(isHigh))
    .map(({ place, halves }) => ({ place, images: halves.map(centred) }));
}

const isHigh = (half) => inkBounds(half, RULES.faint)?.height >= RULES.cut_high * half.high;  // as a digit

function halves(layers, ink) {  // each {from, to, image, shares}, from and to shares of its width; or none
  const small = forCutting(ink);
  if (!small) return [];
  const likely = RULES.cut_slopes.flatMap((slope) => cutsAlong(small, slope)).map((cut) => {
    const shares = cut.images.map((image) => probabilities(layers, image, LEVELS.temperature));
    return { ...cut, shares, least: Math.min(...shares.map(surest)) };
  }).filter(({ least }) => least >= RULES.cut_likely);
  if (!likely.length) return [];
  const { place, images } = likely.reduce((a, b) => (b.least > a.least ? b : a));
  return images.map((image, side) => ({  // with the likely cuts' mean: where they disagree it is in doubt
    from: side ? place : 0, to: side ? 1 : place, image,
    shares: likely[0].shares[side].map((_, n) => likely.reduce((sum, { shares }) => sum + shares[side][n], 0) / likely.length),
  }));
}

// One digit, or two that touch, which are looked for where ink is given: each from, to, image, shares.
export function readDigit(layers, image, ink) {
  const shares = probabilities(layers, image, LEVELS.temperature);
  const found = ink && surest(shares) < RULES.cut_below ? halves(layers, ink) : [];
  return found.length ? found : [{ from: 0, to: 1, image, shares }];
}

export function placed(box, found) {  // what readDigit found in a box, each with its own box
  const width = box.right - box.left;
  return found.map(({ from, to, ...digit }) => ({ ...digit, box: { ...box,
    left: box.left + from * width, right: box.left + to * width, gap: box.gap && from === 0 } }));
}
