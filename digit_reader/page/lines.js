// Which strokes' boxes belong to one digit, and in which order digits are read: lines.py's rules.
import { most } from "./centre.js";
import THRESHOLDS from "../thresholds.json" with { type: "json" };

export const heightOf = (box) => box.bottom - box.top;
const width = (box) => box.right - box.left;

export function quantile(values, share) {  // as NumPy has it
  const sorted = Float64Array.from(values).sort(), place = share * (sorted.length - 1), low = sorted[Math.floor(place)];
  return low + (place % 1) * (sorted[Math.ceil(place)] - low);
}

function overlap(low, high, otherLow, otherHigh) {  // as a share of the shorter range
  const shorter = Math.max(1e-6, Math.min(high - low, otherHigh - otherLow));
  return (Math.min(high, otherHigh) - Math.max(low, otherLow)) / shorter;
}

const across = (one, other) => overlap(one.left, one.right, other.left, other.right);
const down = (one, other) => overlap(one.top, one.bottom, other.top, other.bottom);

function belongs(one, other) {
  const limits = THRESHOLDS.lines;
  const tall = Math.max(heightOf(one), heightOf(other)), short = Math.min(heightOf(one), heightOf(other));
  const gap = Math.max(
    Math.max(one.left, other.left) - Math.min(one.right, other.right),
    Math.max(one.top, other.top) - Math.min(one.bottom, other.bottom));
  if (gap >= tall) return false;  // most pairs: none of the rules joins these
  const beside = down(one, other) > 0;
  if (!beside && across(one, other) > limits.stacked_overlap) return areStacked(one, other, gap);
  if (beside && gap < limits.stem_gap * tall && isStemOfFour(one, other)) return true;
  return gap < limits.beside_gap * tall
    && (across(one, other) > limits.beside_overlap || (short < limits.beside_height * tall && beside));
}

function areStacked(one, other, gap) {  // above each other and of one digit: a 5 and its bar, or two halves
  const limits = THRESHOLDS.lines;
  if (heightOf(one) > width(one) && heightOf(other) > width(other)) return false;  // two digits
  const tall = Math.max(heightOf(one), heightOf(other)), short = Math.min(heightOf(one), heightOf(other));
  const isBar = short < limits.bar_height * tall && across(one, other) > limits.bar_overlap;
  return gap < (isBar ? limits.bar_gap : limits.stacked_gap) * (tall + short + gap);
}

function isStemOfFour(...both) {  // beside its corner, and lower; two digits stand about equally high
  const limits = THRESHOLDS.lines;
  const [corner, stem] = both.sort((one, other) => one.left - other.left || one.top - other.top);
  const top = stem.top - corner.top, bottom = stem.bottom - corner.bottom;
  const [lowest, highest] = limits.stem_drop.map((share) => share * heightOf(corner));
  const isNarrow = width(stem) < limits.stem_aspect * heightOf(stem);
  const isStem = isNarrow && heightOf(stem) > limits.stem_height * heightOf(corner);
  return isStem && Math.min(top, bottom) > lowest && top < highest;
}

export const around = (one, other) => ({
  top: Math.min(one.top, other.top), bottom: Math.max(one.bottom, other.bottom),
  left: Math.min(one.left, other.left), right: Math.max(one.right, other.right) });

function linesOf(boxes) {  // each continues the line of which one of the last two stands beside it
  const lines = [];
  for (const box of [...boxes].sort((one, other) => one.left - other.left)) {
    const middle = (box.top + box.bottom) / 2;
    const beside = lines.filter((line) => Math.min(...line.slice(-2).map((last) => last.top)) <= middle
      && middle <= Math.max(...line.slice(-2).map((last) => last.bottom)));
    if (beside.length) beside.reduce((a, b) => (b.at(-1).left > a.at(-1).left ? b : a)).push(box);
    else lines.push([box]);
  }
  const middle = (line) => line.reduce((sum, box) => sum + box.top + box.bottom, 0) / line.length;
  return lines.sort((one, other) => middle(one) - middle(other));
}

function withGaps(line, number) {  // each box with its line, and whether a gap is before it
  const limits = THRESHOLDS.lines, tall = quantile(line.map(heightOf), 0.5);
  const gaps = line.slice(1).map((box, i) => box.left - line[i].right);
  const usual = gaps.length ? Math.max(quantile(gaps, 0.25), 0) : 0;
  const widestWithin = gaps.length > 1
    ? Math.max(limits.number_gap * tall, limits.number_gap_usual * usual) : limits.number_gap_of_two * tall;
  return line.map((box, i) => ({ ...box, line: number, gap: i > 0 && gaps[i - 1] > widestWithin }));
}

export function digitsIn(boxes) {  // boxes with members; joined where they belong together
  const limits = THRESHOLDS.lines, parts = [];
  for (const box of [...boxes].sort((a, b) => heightOf(b) - heightOf(a))) {
    const near = parts.findIndex((other) => belongs(other, box));
    const [part] = near < 0 ? [] : parts.splice(near, 1);
    parts.push(part ? { ...around(part, box), members: [...part.members, ...box.members] } : box);
  }
  const isNarrow = (box) => width(box) < limits.max_aspect * heightOf(box);
  const longest = most(boxes.filter(isNarrow).flatMap((box) => [heightOf(box), width(box)]));
  const high = parts.filter((box) => isNarrow(box) && heightOf(box) > limits.min_height * longest);
  return linesOf(high).flatMap(withGaps);
}
