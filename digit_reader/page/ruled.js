// Ruled and squared paper: which way its lines run, and the ink without them; ruled.py's steps.
import { even, largestInRows, map, mean, most, openedRows, quantile, sampled, turned } from "./filters.js";
import { RULES } from "./rules.js";

const CHANGES = [[0, 1], [2, 3]].flatMap((changed) => [-1, 0, 1].flatMap((a) => [-1, 0, 1].map((b) =>
  [0, 1, 2, 3].map((place) => (place === changed[0] ? a : place === changed[1] ? b : 0)))));

// How far the lines of a course have fallen at each place. A course: pixels by which they fall from left
// to right a quarter of the page from above, and from below; and by which their middle hangs there.
function falls([upper, lower, upperHangs, lowerHangs], wide, high) {
  const found = new Int32Array(wide * high), step = 1 / Math.max(1, wide - 1);
  for (let y = 0, i = 0; y < high; y++) {
    const down = (2 * (y + 0.5)) / high - 0.5;
    const fall = upper + (lower - upper) * down, hangs = upperHangs + (lowerHangs - upperHangs) * down;
    for (let x = 0; x < wide; x++, i++) {
      const across = x && x === wide - 1 ? 1 : x * step;
      found[i] = even(fall * across + hangs * (4 * across * (1 - across)));
    }
  }
  return found;
}

function straightened(ink, course) {  // with the course's lines as rows; what leaves comes in again
  const { values, wide, high } = ink, fallen = falls(course, wide, high), found = new Float32Array(values.length);
  for (let y = 0, i = 0; y < high; y++) for (let x = 0; x < wide; x++, i++)
    found[i] = values[within(y + fallen[i], high) * wide + x];
  return { values: found, wide, high };
}

const within = (row, high) => ((row % high) + high) % high;

function thin(rows, thickest) {  // how far they are darker than around, over no more than so many
  const opened = openedRows({ values: rows, wide: rows.length, high: 1 }, thickest + 1).values;
  return rows.map((value, y) => value - opened[y]);
}

const byRow = ({ values, wide, high }, of) =>
  Float32Array.from({ length: high }, (_, y) => of(values.subarray(y * wide, (y + 1) * wide)));

const darkLines = (ink, course, thickest) =>  // of a course, right across, by row
  thin(byRow(straightened(ink, course), (row) => quantile(row, RULES.rule_quantile)), thickest);

function likeliest(few, courses, step, thickest) {  // how much is seen of the lines of the best, and it
  let best = { seen: -1 };
  for (const course of courses) {
    const rows = byRow(straightened(few, course.map((pixels) => pixels / step)), mean);
    const seen = thin(rows, thickest).reduce((total, value) => total + value ** 2, 0);
    if (seen > best.seen) best = { seen, course };
  }
  return best;
}

function rulesIn(ink, step) {  // how dark the rules across are, by row, and their course; null without
  const few = sampled(ink, Math.max(step, Math.floor(ink.wide / RULES.columns)), step);
  const darkest = new Float32Array(few.wide), thickest = Math.max(1, even(RULES.rule_thick * ink.high / step));
  few.values.forEach((value, i) => { darkest[i % few.wide] = Math.max(darkest[i % few.wide], value); });
  if (mean(darkest.map((value) => +(value > RULES.rule_seen))) < 1 - RULES.rule_quantile) return null;
  const [farthest, first, last] = RULES.rule_falls, some = [];
  for (let fall = -farthest; fall <= farthest; fall += first) some.push(fall);
  const pairs = some.flatMap((upper) => some.map((lower) => [upper, lower, 0, 0]));
  let best = likeliest(few, pairs.filter(([a, b]) => Math.abs(a - b) <= RULES.rule_apart), step, thickest);
  if (most(darkLines(few, best.course.map((pixels) => pixels / step), thickest)) < RULES.rule_hint) return null;
  for (let by = first >> 1; by >= last;) {
    const near = CHANGES.map((change) => change.map((sign, place) => best.course[place] + by * sign));
    const better = likeliest(few, near, step, thickest);
    if (better.seen > best.seen) best = better;
    else by >>= 1;
  }
  const lines = darkLines(ink, best.course, step * thickest + 2);
  if (most(lines) < RULES.rule_seen) return null;
  const size = Math.max(5, 2 * even(RULES.rule_wider * ink.wide) + 1);
  return { lines: largestInRows({ values: lines, wide: ink.high, high: 1 }, size).values, course: best.course };
}

function onRules(ink, step, least) {  // where there are so many rules or more, and nothing clearly darker
  const { lines, course } = rulesIn(ink, step) ?? { lines: [] };
  if (lines.filter((line, y) => line > RULES.rule && !(lines[y - 1] > RULES.rule)).length < least) return map(ink, () => 0);
  const fallen = falls(course, ink.wide, ink.high), [times, more] = RULES.over_rule;
  return map(ink, (value, i) => {
    const line = lines[within(Math.floor(i / ink.wide) - fallen[i], ink.high)];
    return +(line > RULES.rule && value < times * line + more);
  });
}

export function withoutRules(ink, step) {  // what is clearly darker is ink and stays
  const columns = turned(onRules(turned(ink), step, 2)).values;  // a single one is a 1
  const rows = onRules(ink, step, 1).values;
  return map(ink, (value, i) => (rows[i] || columns[i] ? 0 : value));
}
