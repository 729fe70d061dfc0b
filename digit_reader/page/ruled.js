// Ruled and squared paper: which way its lines run, and the ink without them; ruled.py's steps.
import { even, largestInRows, map, mean, most, openedRows, quantile, sampled, turned } from "./filters.js";
import { RULES } from "./rules.js";

const CHANGES = [[0, 1], [2, 3]].flatMap((changed) => [-1, 0, 1].flatMap((a) => [-1, 0, 1].map((b) =>
  [0, 1, 2, 3].map((place) => (place === changed[0] ? a : place === changed[1] ? b : 0)))));

// By column, how far the lines of a course fall a quarter of the page from above, and how much more from
// below. A course: pixels by which they fall from left to right there and there; and by which their middle hangs.
function partsOfFall([upper, lower, upperHangs, lowerHangs], wide) {
  const across = Float64Array.from({ length: wide }, (_, x) => (x && x === wide - 1 ? 1 : x * (1 / Math.max(1, wide - 1))));
  const hang = across.map((share) => 4 * share * (1 - share));
  return [across.map((share, x) => upper * share + upperHangs * hang[x]),
    across.map((share, x) => (lower - upper) * share + (lowerHangs - upperHangs) * hang[x])];
}

function straightened({ values, wide, high }, course) {  // with its lines as rows; what leaves comes in again
  const [upper, more] = partsOfFall(course, wide), found = new Float32Array(values.length);
  for (let y = 0, i = 0; y < high; y++) {
    const down = (2 * (y + 0.5)) / high - 0.5;
    for (let x = 0; x < wide; x++, i++) found[i] = values[within(y + even(upper[x] + more[x] * down), high) * wide + x];
  }
  return { values: found, wide, high };
}

function straightRows({ wide, high }, course) {  // the row to which straightened takes each place
  const [upper, more] = partsOfFall(course, wide);
  return Int32Array.from({ length: wide * high }, (_, i) => {
    const x = i % wide, row = Math.floor(i / wide) - upper[x] - more[x] * (1 / high - 0.5);
    return within(even(row / Math.max(1 + (2 * more[x]) / high, 0.1)), high);
  });
}

const within = (row, high) => ((row % high) + high) % high;

function thin(rows, thickest) {  // how far they are darker than around, over no more than so many
  const opened = openedRows({ values: rows, wide: rows.length, high: 1 }, thickest + 1).values;
  return rows.map((value, y) => value - opened[y]);
}

const byRow = ({ values, wide, high }, of) =>
  Float32Array.from({ length: high }, (_, y) => of(values.subarray(y * wide, (y + 1) * wide)));

const darkLines = (straight, thickest) =>  // right across, by row
  thin(byRow(straight, (row) => quantile(row, RULES.rule_quantile)), thickest);

function isOfPaper(lines, straight, darkest) {  // paler than its darkest ink, or up to its border
  if (most(lines) < RULES.rule_paler * darkest) return true;
  const edge = Math.max(1, even(RULES.rule_border * straight.wide)), of = (_, y) => lines[y] > RULES.rule;
  const ends = [[0, edge], [-edge, undefined]].map((end) => mean(byRow(straight, (row) => mean(row.slice(...end))).filter(of)));
  return Math.max(...ends) > mean(lines.filter(of)) / 2;
}

function likeliest(few, courses, step, thickest) {  // how much is seen of the lines of the best, and it
  let best = { seen: -1 };
  for (const course of courses) {
    const rows = byRow(straightened(few, course.map((pixels) => pixels / step)), mean);
    const seen = thin(rows, thickest).reduce((total, value) => total + value ** 2, 0);
    if (seen > best.seen) best = { seen, course };
  }
  return best;
}

function courseIn(ink, step) {  // which way rules across ink run; null without
  const few = sampled(ink, Math.max(step, Math.floor(ink.wide / RULES.columns)), step);
  const darkest = new Float32Array(few.wide), thickest = Math.max(1, even(RULES.rule_thick * ink.high / step));
  few.values.forEach((value, i) => { darkest[i % few.wide] = Math.max(darkest[i % few.wide], value); });
  if (mean(darkest.map((value) => +(value > RULES.rule_seen))) < 1 - RULES.rule_quantile) return null;
  const [farthest, apart, first, last] = RULES.rule_falls.map((share) => even(share * ink.wide)), some = [];
  for (let fall = -farthest; fall <= farthest; fall += Math.max(1, first)) some.push(fall);
  const pairs = some.flatMap((upper) => some.map((lower) => [upper, lower, 0, 0]));
  let best = likeliest(few, pairs.filter(([a, b]) => Math.abs(a - b) <= apart), step, thickest);
  const straight = straightened(few, best.course.map((pixels) => pixels / step));
  if (most(darkLines(straight, thickest)) < RULES.rule_hint) return null;
  const least = Math.max(1, last);
  for (let by = Math.max(least, first >> 1); by >= least;) {
    const near = CHANGES.map((change) => change.map((sign, place) => best.course[place] + by * sign));
    const better = likeliest(few, near, step, thickest);
    if (better.seen > best.seen) best = better;
    else by >>= 1;
  }
  return best.course;
}

function onRules(ink, step, least) {  // where there are so many rules or more, and nothing clearly darker
  const course = courseIn(ink, step), nowhere = map(ink, () => 0);
  if (!course) return nowhere;
  const straight = straightened(ink, course);
  const lines = darkLines(straight, step * Math.max(1, even(RULES.rule_thick * ink.high / step)) + 2);
  if (most(lines) < RULES.rule_seen || !isOfPaper(lines, straight, most(ink.values))) return nowhere;
  const size = Math.max(5, 2 * even(RULES.rule_wider * ink.wide) + 1);
  const wide = largestInRows({ values: lines, wide: ink.high, high: 1 }, size).values;
  if (wide.filter((line, y) => line > RULES.rule && !(wide[y - 1] > RULES.rule)).length < least) return nowhere;
  const rows = straightRows(ink, course), [times, more] = RULES.over_rule;
  return map(ink, (value, i) => +(wide[rows[i]] > RULES.rule && value < times * wide[rows[i]] + more));
}

export function withoutRules(ink, step) {  // what is clearly darker is ink and stays
  const columns = turned(onRules(turned(ink), step, 2)).values;  // a single one is a 1
  const rows = onRules(ink, step, 1).values;
  return map(ink, (value, i) => (rows[i] || columns[i] ? 0 : value));
}
