// Digits that touch: a part of ink that is no certain digit is cut into two where both are likely; cut.py's rules.
import { centred } from "./centre.js";
import { box, cropped, even, inkBounds, map, scaled } from "./filters.js";
import { LEVELS } from "./model.js";
import { probabilities, surest } from "./network.js";
import THRESHOLDS from "../thresholds.json" with { type: "json" };

function forCutting(ink) {  // cropped, with at most so many pixels a side; null where it is narrow
  const { left, top, width, height } = inkBounds(ink);
  if (width < THRESHOLDS.cut.min_aspect * height) return null;
  const scale = Math.min(1, THRESHOLDS.cut.side / Math.max(width, height));
  const [wide, high] = [width, height].map((side) => Math.max(1, even(scale * side)));
  return scaled(cropped(ink, left, top, width, height), wide, high, box);
}

function cutsAlong(ink, slope) {  // of that slope, through the least ink: each place and its two halves
  const limits = THRESHOLDS.cut, { values, wide, high } = ink, crossed = new Float64Array(wide);
  const across = Int32Array.from(values, (_, i) => {  // the column that a pixel counts for
    const column = even(i % wide + slope * (Math.floor(i / wide) - high / 2));
    return Math.min(wide - 1, Math.max(0, column));
  });
  values.forEach((value, i) => { crossed[across[i]] += value; });
  const [low, end] = limits.inner.map((share) => even(share * wide)), places = [];
  const columns = Array.from({ length: end - low }, (_, i) => low + i).sort((a, b) => crossed[a] - crossed[b]);
  for (const place of columns)
    if (places.every((other) => Math.abs(place - other) > limits.min_distance * wide)) places.push(place);
  return places.slice(0, limits.per_slope).map((place) => {
    const halves = [true, false].map((left) => map(ink, (value, i) => (across[i] < place === left ? value : 0)));
    return { place: place / wide, halves };
  }).filter((cut) => cut.halves.every(isHigh))
    .map(({ place, halves }) => ({ place, images: halves.map(centred) }));
}

const isHigh = (half) =>  // as a digit
  inkBounds(half, THRESHOLDS.parts.link)?.height >= THRESHOLDS.cut.min_height * half.high;

function halves(layers, ink) {  // each {from, to, image, probabilities}, from and to shares of its width; or none
  const small = forCutting(ink);
  if (!small) return [];
  const cuts = THRESHOLDS.cut.slopes.flatMap((slope) => cutsAlong(small, slope)).map((cut) => {
    const both = cut.images.map((image) => probabilities(layers, image, LEVELS.temperature));
    return { ...cut, both, lower: Math.min(...both.map(surest)) };
  });
  const likely = cuts.filter(({ lower }) => lower >= THRESHOLDS.cut.half_probability);
  if (!likely.length) return [];
  const { place, images } = likely.reduce((a, b) => (b.lower > a.lower ? b : a));
  const mean = (side, digit) => likely.reduce((sum, { both }) => sum + both[side][digit], 0) / likely.length;
  return images.map((image, side) => ({  // where the likely cuts disagree, their means are low
    from: side ? place : 0, to: side ? 1 : place, image,
    probabilities: likely[0].both[side].map((_, digit) => mean(side, digit)),
  }));
}

// One digit, or two that touch, which are looked for where ink is given: each from, to, image, probabilities.
export function readDigit(layers, image, ink) {
  const whole = { from: 0, to: 1, image, probabilities: probabilities(layers, image, LEVELS.temperature) };
  const isCertain = surest(whole.probabilities) >= THRESHOLDS.cut.whole_probability;
  const two = ink && !isCertain ? halves(layers, ink) : [];
  return two.length ? two : [whole];
}

export function placed(box, digits) {  // what readDigit gives for a box, each with its own box
  const width = box.right - box.left;
  return digits.map(({ from, to, ...digit }) => ({ ...digit, box: { ...box,
    left: box.left + from * width, right: box.left + to * width, gap: box.gap && from === 0 } }));
}
