// Ruled and squared paper: which way its rules run, and the ink without them; ruled.py's steps.
import { even, largestInRows, map, mean, most, openedRows, quantile, sampled, turned } from "./filters.js";
import THRESHOLDS from "../thresholds.json" with { type: "json" };

const CHANGES = [[0, 1], [2, 3]].flatMap((changed) => [-1, 0, 1].flatMap((a) => [-1, 0, 1].map((b) =>
  [0, 1, 2, 3].map((place) => (place === changed[0] ? a : place === changed[1] ? b : 0)))));

// By column, how far the rules of a course fall a quarter of the page from above, and how much more from below.
// A course: pixels by which they fall from left to right there and there; and by which their middle sags.
function fallByColumn([upper, lower, upperSag, lowerSag], wide) {
  const across = Float64Array.from({ length: wide }, (_, x) => (x && x === wide - 1 ? 1 : x * (1 / Math.max(1, wide - 1))));
  const sag = across.map((share) => 4 * share * (1 - share));
  return [across.map((share, x) => upper * share + upperSag * sag[x]),
    across.map((share, x) => (lower - upper) * share + (lowerSag - upperSag) * sag[x])];
}

function straightened({ values, wide, high }, course) {  // with its rules as rows; what leaves comes in again
  const [upper, more] = fallByColumn(course, wide), straight = new Float32Array(values.length);
  for (let y = 0, i = 0; y < high; y++) {
    const down = (2 * (y + 0.5)) / high - 0.5;
    for (let x = 0; x < wide; x++, i++) straight[i] = values[within(y + even(upper[x] + more[x] * down), high) * wide + x];
  }
  return { values: straight, wide, high };
}

function straightRows({ wide, high }, course) {  // the row to which straightened takes each place
  const [upper, more] = fallByColumn(course, wide);
  return Int32Array.from({ length: wide * high }, (_, i) => {
    const x = i % wide, row = Math.floor(i / wide) - upper[x] - more[x] * (1 / high - 0.5);
    return within(even(row / Math.max(1 + (2 * more[x]) / high, 0.1)), high);
  });
}

const within = (row, high) => ((row % high) + high) % high;

function thin(rows, thickest) {  // how far they are darker than around, where at most so many are dark together
  const opened = openedRows({ values: rows, wide: rows.length, high: 1 }, thickest + 1).values;
  return rows.map((value, y) => value - opened[y]);
}

const byRow = ({ values, wide, high }, statistic) =>
  Float32Array.from({ length: high }, (_, y) => statistic(values.subarray(y * wide, (y + 1) * wide)));

const darkLines = (straight, thickest) =>  // right across, by row
  thin(byRow(straight, (row) => quantile(row, THRESHOLDS.ruled.quantile)), thickest);

function isOfPaper(lines, straight, darkest) {  // paler than its darkest ink, or up to its border
  if (most(lines) < THRESHOLDS.ruled.paler * darkest) return true;
  const edge = Math.max(1, even(THRESHOLDS.ruled.border * straight.wide));
  const isRule = (_, y) => lines[y] > THRESHOLDS.ruled.min_ink;
  const ends = [[0, edge], [-edge, undefined]].map((end) =>
    mean(byRow(straight, (row) => mean(row.slice(...end))).filter(isRule)));
  return Math.max(...ends) > mean(lines.filter(isRule)) / 2;
}

function likeliest(few, courses, step, thickest) {  // the course along which most is seen of the rules, and its energy
  let best = { energy: -1 };
  for (const course of courses) {
    const rows = byRow(straightened(few, course.map((pixels) => pixels / step)), mean);
    const energy = thin(rows, thickest).reduce((total, value) => total + value ** 2, 0);
    if (energy > best.energy) best = { energy, course };
  }
  return best;
}

const maxThickness = (high, step) => Math.max(1, even(THRESHOLDS.ruled.thickness * high / step));

function coarseCourse(few, step, wide, thickest) {  // the likeliest straight one in wide steps
  const limits = THRESHOLDS.ruled, falls = [], first = Math.max(1, even(limits.first_step * wide));
  const [farthest, apart] = [limits.max_fall, limits.max_difference].map((share) => even(share * wide));
  for (let fall = -farthest; fall <= farthest; fall += first) falls.push(fall);
  const pairs = falls.flatMap((upper) => falls.map((lower) => [upper, lower, 0, 0]));
  return likeliest(few, pairs.filter(([a, b]) => Math.abs(a - b) <= apart), step, thickest);
}

function courseIn(ink, step) {  // which way rules across ink run; null without
  const limits = THRESHOLDS.ruled, few = sampled(ink, Math.max(step, Math.floor(ink.wide / limits.columns)), step);
  const darkest = new Float32Array(few.wide), thickest = maxThickness(ink.high, step);
  few.values.forEach((value, i) => { darkest[i % few.wide] = Math.max(darkest[i % few.wide], value); });
  if (mean(darkest.map((value) => +(value > limits.min_darkest))) < 1 - limits.quantile) return null;
  let best = coarseCourse(few, step, ink.wide, thickest);
  const straight = straightened(few, best.course.map((pixels) => pixels / step));
  if (most(darkLines(straight, thickest)) < limits.min_coarse) return null;
  const [first, last] = [limits.first_step, limits.last_step].map((share) => Math.max(1, even(share * ink.wide)));
  for (let by = Math.max(last, first >> 1); by >= last;) {  // from coarse to fine
    const near = CHANGES.map((change) => change.map((sign, place) => best.course[place] + by * sign));
    const better = likeliest(few, near, step, thickest);
    if (better.energy > best.energy) best = better;
    else by >>= 1;
  }
  return best.course;
}

function onRules(ink, step, minCount) {  // where there are so many rules or more, and nothing clearly darker
  const limits = THRESHOLDS.ruled, course = courseIn(ink, step), nowhere = map(ink, () => 0);
  if (!course) return nowhere;
  const straight = straightened(ink, course), lines = darkLines(straight, step * maxThickness(ink.high, step) + 2);
  if (most(lines) < limits.min_darkest || !isOfPaper(lines, straight, most(ink.values))) return nowhere;
  const size = Math.max(5, 2 * even(limits.deviation * ink.wide) + 1);
  const wide = largestInRows({ values: lines, wide: ink.high, high: 1 }, size).values;
  const isRule = (y) => wide[y] > limits.min_ink;
  if (wide.filter((_, y) => isRule(y) && !isRule(y - 1)).length < minCount) return nowhere;
  const rows = straightRows(ink, course);
  return map(ink, (value, i) =>
    +(isRule(rows[i]) && value < limits.crossing_factor * wide[rows[i]] + limits.crossing_offset));
}

export function withoutRules(ink, step) {  // what is clearly darker is ink and stays
  const columns = turned(onRules(turned(ink), step, 2)).values;  // a single one is a 1
  const rows = onRules(ink, step, 1).values;
  return map(ink, (value, i) => (rows[i] || columns[i] ? 0 : value));
}
