// From a picture's brightness to its ink: the sheet found, light evened, lines taken out; ink.py's steps.
import { blurred, both, cropped, dilated, eroded, even, extended, labelled, largest, map, mean, most,
  nearestOutside, quantile, sampled, scaled, smoothed, triangle } from "./filters.js";
import { withoutRules } from "./ruled.js";
import { RULES } from "./rules.js";

const R = RULES;

export class Problem extends Error {}

const shorter = ({ wide, high }) => Math.min(wide, high);

const few = (image, step) => sampled(image, step, step).values;

function reduced({ values, wide, high }) {  // averaged in squares, and their side
  const factor = Math.ceil(Math.max(wide, high) / R.reduced);
  const across = Math.floor(wide / factor), down = Math.floor(high / factor);
  const found = new Float32Array(across * down);
  for (let y = 0; y < down * factor; y++) for (let x = 0; x < across * factor; x++)
    found[Math.floor(y / factor) * across + Math.floor(x / factor)] += values[y * wide + x] / factor ** 2;
  return [{ values: found, wide: across, high: down }, factor];
}

const border = ({ values, wide }) =>
  values.filter((_, i) => i < wide || i >= values.length - wide || i % wide === 0 || i % wide === wide - 1);

function fromBorder(places) {  // those connected to the border
  const { labels } = labelled(places, 0, false), outer = new Set(border({ ...places, values: labels }));
  return map(places, (value, i) => +(value > 0 && outer.has(labels[i])));
}

const others = (places) => map(places, (value) => 1 - value);

function deskIn(small) {  // where a desk is seen around a sheet, null where none is
  const wide = Math.max(3, even(R.fringe * shorter(small))), least = R.desk * quantile(small.values, R.paper);
  const dark = map(smoothed(small, 3), (value) => +(value < least));
  if (mean(border(dark)) < R.desk_border) return null;
  const around = both(dark, (rows) => extended(rows, wide, "nearest"));
  const thick = cropped(dilated(eroded(around, wide), wide), wide, wide, small.wide, small.high);
  const desk = fromBorder(thick), { labels, boxes } = labelled(others(desk), 0, false);
  if (mean(border(desk)) < R.desk_border || !boxes.length) return null;
  const number = 1 + boxes.reduce((best, box, i) => (box.size > boxes[best].size ? i : best), 0);
  const { left, right, top, bottom } = boxes[number - 1];
  const sheet = others(fromBorder(map(desk, (_, i) => +(labels[i] !== number))));
  const size = mean(sheet.values) * sheet.values.length;
  const fills = size >= R.sheet * sheet.values.length && size >= R.sheet_fills * (right - left) * (bottom - top);
  if (!fills || mean(dark.values.filter((_, i) => sheet.values[i])) > R.sheet_dark) return null;
  let inner = sheet;
  for (let i = 0; i < (wide >> 1) + 2; i++) inner = shrunk(inner);
  return others(inner);
}

function shrunk({ values, wide, high }) {  // without the places beside others or the border
  const inside = (i) => i >= wide && i < values.length - wide && i % wide && i % wide < wide - 1;
  const found = values.map((value, i) =>
    (inside(i) && value && values[i - 1] && values[i + 1] && values[i - wide] && values[i + wide] ? 1 : 0));
  return { values: found, wide, high };
}

function closed(small, share) {  // dark places filled that are narrower than a share of the picture
  const size = Math.max(3, even(share * shorter(small)));
  const [across, down] = [small.wide, small.high].map((side) => Math.min(size, side - 1));
  const wide = both(small, (rows) => extended(rows, Math.min(size, rows.wide - 1), "going_on"));
  return map(cropped(eroded(dilated(wide, size), size), across, down, small.wide, small.high),
    (value) => Math.max(value, R.darkest));
}

function litPaper(small) {  // how bright the paper is everywhere, shadows included
  const paper = closed(small, R.stroke), strict = closed(small, R.stroke_strict);
  const ink = small.values.map((value, i) => 1 - value / paper.values[i]);
  const broad = ink.filter((value, i) => value > 1 - small.values[i] / strict.values[i] + R.shadow);
  return broad.length && quantile(broad, 0.5) < R.shadow_ink * most(ink) ? strict : paper;
}

function between(values) {  // the brightness that parts dark from bright; source: Otsu 1979
  const low = values.reduce((a, b) => Math.min(a, b)), step = (most(values) - low) / 64 || 1 / 64;
  const counts = new Float64Array(64), first = { spread: -1 };
  for (const value of values) counts[Math.min(63, Math.floor((value - low) / step))]++;
  const middle = (i) => low + (i + 0.5) * step;
  const all = counts.reduce((sum, count, i) => sum + count * middle(i), 0) / values.length;
  let share = 0, sum = 0;
  counts.forEach((count, i) => {
    share += count / values.length; sum += count * middle(i) / values.length;
    const spread = (all * share - sum) ** 2 / Math.max(share * (1 - share), 1e-9);
    if (spread > first.spread) Object.assign(first, { spread, at: low + (i + 1) * step });
  });
  return first.at;
}

function parted(small) {  // where it is dark, if dark and bright differ clearly; else null
  const edge = between(small.values), dark = map(small, (value) => +(value <= edge));
  const [of, rest] = [1, 0].map((kind) => small.values.filter((_, i) => dark.values[i] === kind));
  return of.length && rest.length && mean(of) < R.parted * mean(rest) ? dark : null;
}

function isBright(small) {  // whether the ink is brighter than its paper
  const dark = parted(small);
  if (dark) return mean(border(dark)) > 0.5;
  const around = smoothed(small, Math.max(3, even(R.stroke * shorter(small))), "nearest").values;
  const rises = small.values.map((value, i) => value - around[i]), middle = mean(rises);
  const centred = rises.map((value) => value - middle);
  const skewed = mean(centred.map((value) => value ** 3)) > R.skew * mean(centred.map((value) => value ** 2)) ** 1.5;
  return skewed && most(centred) > R.stands_out;
}

function paperIn(small) {  // how bright the paper is, and whether the light is even
  const dark = parted(small), atBorder = dark && border(dark);
  const light = atBorder && mean(atBorder) < 1 ? (_, i) => !atBorder[i] : () => true;
  const edge = border(small).filter(light);
  if (quantile(edge, 0.1) <= R.even * quantile(edge, 0.9)) return [litPaper(small), false];
  const level = Math.max(R.darkest, quantile(edge, 0.5));
  return [map(small, () => level), true];
}

function paperNear(small, strokes) {  // how bright it is close to strokes; null where they are broad
  const nearest = nearestOutside(strokes);
  const away = most(nearest.map((to, i) => (to % small.wide - i % small.wide) ** 2
    + (Math.floor(to / small.wide) - Math.floor(i / small.wide)) ** 2));
  const wide = 2 * Math.sqrt(away), share = (R.close * wide + 3) / shorter(small);
  return share > R.stroke_strict / 2 ? null : smoothed(closed(small, share), Math.max(3, even(R.close * wide)));
}

function levelled(ink, factor, pale) {  // from 0 to 1 in its darkest strokes
  const smooth = smoothed(ink, 3), around = smoothed(ink, Math.max(5, even(R.around * shorter(ink)))).values;
  const differs = map(ink, (value, i) => Math.abs(value - smooth.values[i]));
  const noise = quantile(few(differs, factor), 0.25), peak = most(smooth.values);
  const standsOut = most(smooth.values.map((value, i) => value - around[i]));
  if (peak <= R.clear && standsOut <= Math.max(R.blank, R.noise * noise)) throw new Problem("The page is blank.");
  if (peak <= R.too_faint) throw new Problem("The ink is too faint.");
  const level = quantile(ink.values.filter((value) => value > R.strong * peak), 0.5);
  if (!pale) return map(ink, (value) => Math.min(1, value / level));
  const size = Math.max(5, even(R.nearby * shorter(ink)));
  const near = smoothed(largest(smooth, size), size).values;
  return map(ink, (value, i) =>
    Math.min(1, value / Math.min(level, Math.max(R.pale_level * level, near[i]))));
}

function inkOn(paper, bright, desk, factor, pale) {
  const { wide, high } = bright, values = new Float32Array(wide * high);
  const light = scaled(paper, factor * paper.wide, factor * paper.high, triangle);
  for (let y = 0, i = 0; y < high; y++) for (let x = 0; x < wide; x++, i++) {
    const row = Math.min(y, light.high - 1), column = Math.min(x, light.wide - 1);  // the last go on
    const onDesk = desk?.values[Math.floor(row / factor) * paper.wide + Math.floor(column / factor)];
    values[i] = onDesk ? 0 : 1 - bright.values[i] / light.values[row * light.wide + column];
  }
  const ground = quantile(few({ values, wide, high }, factor), R.ground);
  const ink = { values: values.map((value) => Math.min(1, Math.max(0, value - ground))), wide, high };
  return levelled(withoutRules(ink, factor), factor, pale);
}

export function inkOf(bright, pale = false) {  // of a page; pale: strokes as dark as the darkest nearby
  const smooth = smoothed(bright, 3), differs = map(bright, (value, i) => Math.abs(value - smooth.values[i]));
  if (quantile(few(differs, 2), 0.5) > R.grain) bright = blurred(bright, R.smoothed);
  let [small, factor] = reduced(bright);
  const desk = deskIn(small);
  if (desk) {  // it gets the brightness of the nearest paper
    const nearest = nearestOutside(desk), { values } = small;
    small = map(small, (_, i) => values[nearest[i]]);
  }
  if (isBright(small)) [bright, small] = [others(bright), others(small)];
  const [paper, isEven] = paperIn(small), ink = inkOn(paper, bright, desk, factor, pale);
  if (isEven) return ink;
  const closer = paperNear(small, map(reduced(ink)[0], (value) => +(value > R.clear)));
  return closer ? inkOn(closer, bright, desk, factor, pale) : ink;
}
