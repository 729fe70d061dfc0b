// From a picture's brightness to its ink: the sheet found, light evened, rules taken out; ink.py's steps.
import { blurred, both, cropped, dilated, eroded, even, extended, labelled, largest, map, mean, most,
  nearestOutside, quantile, sampled, scaled, smoothed, triangle } from "./filters.js";
import { withoutRules } from "./ruled.js";
import THRESHOLDS from "../thresholds.json" with { type: "json" };

export class Problem extends Error {}

const shorter = ({ wide, high }) => Math.min(wide, high);

const few = (image, step) => sampled(image, step, step).values;

function reduced({ values, wide, high }) {  // averaged in squares, and their side
  const factor = Math.ceil(Math.max(wide, high) / THRESHOLDS.ink.reduced_side);
  const across = Math.floor(wide / factor), down = Math.floor(high / factor);
  const means = new Float32Array(across * down);
  for (let y = 0; y < down * factor; y++) for (let x = 0; x < across * factor; x++)
    means[Math.floor(y / factor) * across + Math.floor(x / factor)] += values[y * wide + x] / factor ** 2;
  return [{ values: means, wide: across, high: down }, factor];
}

const border = ({ values, wide }) =>
  values.filter((_, i) => i < wide || i >= values.length - wide || i % wide === 0 || i % wide === wide - 1);

function fromBorder(places) {  // those connected to the border
  const { labels } = labelled(places, 0, false), outer = new Set(border({ ...places, values: labels }));
  return map(places, (value, i) => +(value > 0 && outer.has(labels[i])));
}

const others = (places) => map(places, (value) => 1 - value);

function deskIn(small) {  // where a desk is seen around a sheet, null where none is
  const limits = THRESHOLDS.ink, wide = Math.max(3, even(limits.desk_width * shorter(small)));
  const darkestPaper = limits.desk_brightness * quantile(small.values, limits.paper_quantile);
  const dark = map(smoothed(small, 3), (value) => +(value < darkestPaper));
  if (mean(border(dark)) < limits.desk_border) return null;
  const around = both(dark, (rows) => extended(rows, wide, "nearest"));
  const thick = cropped(dilated(eroded(around, wide), wide), wide, wide, small.wide, small.high);
  const desk = fromBorder(thick), { labels, boxes } = labelled(others(desk), 0, false);
  if (mean(border(desk)) < limits.desk_border || !boxes.length) return null;
  const number = 1 + boxes.reduce((best, box, i) => (box.size > boxes[best].size ? i : best), 0);
  const sheet = others(fromBorder(map(desk, (_, i) => +(labels[i] !== number))));
  if (!isSheet(sheet, boxes[number - 1], dark)) return null;
  let inner = sheet;
  for (let i = 0; i < (wide >> 1) + 2; i++) inner = shrunk(inner);
  return others(inner);
}

function isSheet({ values }, { left, right, top, bottom }, dark) {  // large, about a rectangle, and mostly bright
  const limits = THRESHOLDS.ink, size = mean(values) * values.length;
  return size >= limits.sheet_area * values.length && size >= limits.sheet_fill * (right - left) * (bottom - top)
    && mean(dark.values.filter((_, i) => values[i])) <= limits.sheet_dark;
}

function shrunk({ values, wide, high }) {  // without the places beside others or the border
  const inside = (i) => i >= wide && i < values.length - wide && i % wide && i % wide < wide - 1;
  const inner = values.map((value, i) =>
    (inside(i) && value && values[i - 1] && values[i + 1] && values[i - wide] && values[i + wide] ? 1 : 0));
  return { values: inner, wide, high };
}

function closed(small, share) {  // dark places filled that are narrower than a share of the picture
  const size = Math.max(3, even(share * shorter(small)));
  const [across, down] = [small.wide, small.high].map((side) => Math.min(size, side - 1));
  const wide = both(small, (rows) => extended(rows, Math.min(size, rows.wide - 1), "continued"));
  return map(cropped(eroded(dilated(wide, size), size), across, down, small.wide, small.high),
    (value) => Math.max(value, THRESHOLDS.ink.min_paper));
}

function litPaper(small) {  // how bright the paper is everywhere, shadows included
  const limits = THRESHOLDS.ink;
  const paper = closed(small, limits.stroke_width), strict = closed(small, limits.usual_stroke_width);
  const ink = small.values.map((value, i) => 1 - value / paper.values[i]);
  const broad = ink.filter((value, i) => value > 1 - small.values[i] / strict.values[i] + limits.shadow_difference);
  return broad.length && quantile(broad, 0.5) < limits.shadow_depth * most(ink) ? strict : paper;
}

function otsuThreshold(values) {  // the brightness that separates dark from bright; source: Otsu 1979
  const low = values.reduce((a, b) => Math.min(a, b)), step = (most(values) - low) / 64 || 1 / 64;
  const counts = new Float64Array(64), best = { spread: -1 };
  for (const value of values) counts[Math.min(63, Math.floor((value - low) / step))]++;
  const middle = (i) => low + (i + 0.5) * step;
  const all = counts.reduce((sum, count, i) => sum + count * middle(i), 0) / values.length;
  let share = 0, sum = 0;
  counts.forEach((count, i) => {
    share += count / values.length; sum += count * middle(i) / values.length;
    const spread = (all * share - sum) ** 2 / Math.max(share * (1 - share), 1e-9);
    if (spread > best.spread) Object.assign(best, { spread, threshold: low + (i + 1) * step });
  });
  return best.threshold;
}

function darkPlaces(small) {  // where it is dark, if dark and bright differ clearly; else null
  const threshold = otsuThreshold(small.values), dark = map(small, (value) => +(value <= threshold));
  const [darker, brighter] = [1, 0].map((kind) => small.values.filter((_, i) => dark.values[i] === kind));
  if (!darker.length || !brighter.length) return null;
  return mean(darker) < THRESHOLDS.ink.dark_to_bright * mean(brighter) ? dark : null;
}

function isBright(small) {  // whether the ink is brighter than its paper
  const limits = THRESHOLDS.ink, dark = darkPlaces(small);
  if (dark) return mean(border(dark)) > 0.5;
  const around = smoothed(small, Math.max(3, even(limits.stroke_width * shorter(small))), "nearest").values;
  const rises = small.values.map((value, i) => value - around[i]), middle = mean(rises);
  const centred = rises.map((value) => value - middle), moment = (power) => mean(centred.map((value) => value ** power));
  return moment(3) > limits.skewness * moment(2) ** 1.5 && most(centred) > limits.bright_rise;
}

function paperIn(small) {  // how bright the paper is, and whether the light is even
  const limits = THRESHOLDS.ink, dark = darkPlaces(small), atBorder = dark && border(dark);
  const isLight = atBorder && mean(atBorder) < 1 ? (_, i) => !atBorder[i] : () => true;
  const edge = border(small).filter(isLight);
  if (quantile(edge, 0.1) <= limits.even_light * quantile(edge, 0.9)) return [litPaper(small), false];
  const level = Math.max(limits.min_paper, quantile(edge, 0.5));
  return [map(small, () => level), true];
}

function paperNear(small, strokes) {  // how bright it is close to strokes; null where they are broad
  const nearest = nearestOutside(strokes);
  const away = most(nearest.map((to, i) => (to % small.wide - i % small.wide) ** 2
    + (Math.floor(to / small.wide) - Math.floor(i / small.wide)) ** 2));
  const near = THRESHOLDS.ink.near_widths * 2 * Math.sqrt(away), share = (near + 3) / shorter(small);
  if (share > THRESHOLDS.ink.usual_stroke_width / 2) return null;
  return smoothed(closed(small, share), Math.max(3, even(near)));
}

function levelled(ink, factor, pale) {  // from 0 to 1 in its darkest strokes
  const limits = THRESHOLDS.ink, smooth = smoothed(ink, 3);
  const around = smoothed(ink, Math.max(5, even(limits.surroundings * shorter(ink)))).values;
  const differs = map(ink, (value, i) => Math.abs(value - smooth.values[i]));
  const noise = quantile(few(differs, factor), 0.25), peak = most(smooth.values);
  const rise = most(smooth.values.map((value, i) => value - around[i]));
  const isBlank = peak <= limits.clear && rise <= Math.max(limits.blank, limits.noise_factor * noise);
  if (isBlank) throw new Problem("The page is blank.");
  if (peak <= limits.faint) throw new Problem("The ink is too faint.");
  const level = quantile(ink.values.filter((value) => value > limits.core * peak), 0.5);
  if (!pale) return map(ink, (value) => Math.min(1, value / level));
  const size = Math.max(5, even(limits.pale_window * shorter(ink)));
  const near = smoothed(largest(smooth, size), size).values;
  return map(ink, (value, i) =>
    Math.min(1, value / Math.min(level, Math.max(limits.pale_level * level, near[i]))));
}

function inkOn(paper, bright, desk, factor, pale) {
  const { wide, high } = bright, values = new Float32Array(wide * high);
  const light = scaled(paper, factor * paper.wide, factor * paper.high, triangle);
  for (let y = 0, i = 0; y < high; y++) for (let x = 0; x < wide; x++, i++) {
    const row = Math.min(y, light.high - 1), column = Math.min(x, light.wide - 1);  // the last ones continue
    const onDesk = desk?.values[Math.floor(row / factor) * paper.wide + Math.floor(column / factor)];
    values[i] = onDesk ? 0 : 1 - bright.values[i] / light.values[row * light.wide + column];
  }
  const ground = quantile(few({ values, wide, high }, factor), THRESHOLDS.ink.ground_quantile);
  const ink = { values: values.map((value) => Math.min(1, Math.max(0, value - ground))), wide, high };
  return levelled(withoutRules(ink, factor), factor, pale);
}

function withoutNoise(bright) {  // smoothed, if most pixels differ much from their neighbours
  const smooth = smoothed(bright, 3), differs = map(bright, (value, i) => Math.abs(value - smooth.values[i]));
  const isNoisy = quantile(few(differs, 2), 0.5) > THRESHOLDS.ink.noisy;
  return isNoisy ? blurred(bright, THRESHOLDS.ink.noise_blur) : bright;
}

export function inkOf(picture, pale = false) {  // of a page's brightness; pale: strokes as dark as the darkest nearby
  let bright = withoutNoise(picture), [small, factor] = reduced(bright);
  const desk = deskIn(small);
  if (desk) {  // it gets the brightness of the nearest paper
    const nearest = nearestOutside(desk), { values } = small;
    small = map(small, (_, i) => values[nearest[i]]);
  }
  if (isBright(small)) [bright, small] = [others(bright), others(small)];
  const [paper, isEven] = paperIn(small), ink = inkOn(paper, bright, desk, factor, pale);
  if (isEven) return ink;
  const closer = paperNear(small, map(reduced(ink)[0], (value) => +(value > THRESHOLDS.ink.clear)));
  return closer ? inkOn(closer, bright, desk, factor, pale) : ink;
}
