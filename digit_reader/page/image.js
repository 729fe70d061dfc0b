// From a picture's pixels to its brightness and its digits: picture.py's and prepare.py's steps.
import { centred } from "./centre.js";
import { placed, readDigit } from "./cut.js";
import { box, cropped, cubic, dilated, even, inkBounds, largest, map, most, scaled } from "./filters.js";
import { Problem, inkOf } from "./ink.js";
import { LEVELS } from "./model.js";
import { surest } from "./network.js";
import { digitsIn, partsOf } from "./parts.js";
import THRESHOLDS from "../thresholds.json" with { type: "json" };

const MOST_SIDE = 4096;  // pixels of a picture's longer side: all browsers have canvases of that
const SLIGHT = 16;  // of 255: noise that browsers add against fingerprinting and that no digit suffers from
const LIGHT = [0.299, 0.587, 0.114];  // how bright red, green and blue are

export function pixelsOf(bitmap) {  // of a very large one: of it made smaller
  const scale = Math.min(1, MOST_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(scale * side)));
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  context.drawImage(bitmap, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

export function canBeRead() {  // whether a canvas gives back what was painted, but for a slight noise
  const side = 64, [painted, shown] = [0, 1].map(() =>
    Object.assign(document.createElement("canvas"), { width: side, height: side }).getContext("2d"));
  const known = painted.createImageData(side, side);
  known.data.forEach((_, i) => { known.data[i] = i % 4 < 3 ? (37 * i) % 256 : 255; });
  painted.putImageData(known, 0, 0);
  shown.drawImage(painted.canvas, 0, 0);
  try {
    return shown.getImageData(0, 0, side, side).data.every((value, i) => Math.abs(value - known.data[i]) <= SLIGHT);
  } catch { return false; }  // it is refused
}

export function brightness({ data, width, height }) {  // of pixels; transparent ones on paper unlike their ink
  const grey = new Uint8ClampedArray(width * height);
  let clear = false, ink = 0, count = 0;
  for (let i = 0, at = 0; i < grey.length; i++, at += 4) {
    grey[i] = LIGHT[0] * data[at] + LIGHT[1] * data[at + 1] + LIGHT[2] * data[at + 2];
    clear ||= data[at + 3] < 255;
    if (data[at + 3] > 127) { ink += grey[i]; count++; }
  }
  const paper = clear && ink > 127 * count ? 0 : 255;
  if (clear) grey.forEach((value, i) => { grey[i] = paper + (value - paper) * data[4 * i + 3] / 255; });
  const limits = THRESHOLDS.picture, longer = Math.max(width, height), shorter = Math.min(width, height);
  const scale = longer > limits.large_side ? limits.large_side / longer : Math.max(1, limits.small_side / shorter);
  const [wide, high] = [width, height].map((side) => Math.max(1, even(scale * side)));
  const resized = scaled({ values: grey, wide: width, high: height }, wide, high, scale < 1 ? box : cubic);
  return { paper, bright: { values: Float32Array.from(resized.values, (value) => value / 255), wide, high } };
}

function inkNear(ink, labels, digit) {  // its ink with soft edges, cut to it, some of it full ink
  const height = digit.bottom - digit.top, width = digit.right - digit.left;
  const edge = Math.max(2, even(THRESHOLDS.prepare.soft_edge * Math.max(height, width)));
  const left = Math.max(0, digit.left - edge), top = Math.max(0, digit.top - edge);
  const size = [Math.min(ink.wide, digit.right + edge) - left, Math.min(ink.high, digit.bottom + edge) - top];
  const cut = (values) => cropped({ ...ink, values }, left, top, ...size);
  const own = map(cut(labels), (label) => +digit.members.includes(label));
  const near = largest(own, 2 * edge + 1).values;
  const soft = map(cut(ink.values), (value, i) => (near[i] && value > THRESHOLDS.prepare.trace ? value : 0));
  const full = most(soft.values);
  return map(soft, (value) => value / full);
}

function thickEnough(ink) {  // strokes that would come out pale in 20×20 made thicker
  const { values, wide, high } = ink, least = THRESHOLDS.parts.ink;
  const strong = (x, y) => x >= 0 && x < wide && y >= 0 && y < high && values[y * wide + x] > least;
  let count = 0, edges = 0;
  for (let y = 0; y < high; y++) for (let x = 0; x < wide; x++) {
    if (!strong(x, y)) continue;
    count++;
    edges += !strong(x - 1, y) + !strong(x + 1, y) + !strong(x, y - 1) + !strong(x, y + 1);
  }
  const { width, height } = inkBounds(ink, least);
  const missing = THRESHOLDS.prepare.stroke_width * Math.max(width, height) / 20 - 2 * count / Math.max(1, edges);
  return missing > 0.5 ? dilated(ink, 1 + even(missing)) : ink;
}

function digitsOf(bright, pale) {  // each digit's box in shares of the picture, its ink and its 28×28; or {problem}
  try {
    const ink = inkOf(bright, pale), { boxes, labels } = partsOf(ink), digits = digitsIn(boxes);
    if (!digits.length) throw new Problem("There are only lines in the picture.");
    const tooMany = digits.length > THRESHOLDS.reading.max_digits;
    if (tooMany) throw new Problem(`${digits.length} pieces of ink are no number: crop the picture.`);
    return digits.map((digit) => {
      const own = thickEnough(inkNear(ink, labels, digit)), { wide, high } = bright;
      return { ink: own, image: centred(own), box: { ...digit, left: digit.left / wide,
        right: digit.right / wide, top: digit.top / high, bottom: digit.bottom / high } };
    });
  } catch (problem) {
    if (problem instanceof Problem) return { problem: problem.message };
    throw problem;
  }
}

export function pictureRead(layers, bright) {  // its digits and their probabilities; or {problem}
  const look = (pale) => {
    const parts = digitsOf(bright, pale);
    if (parts.problem) return parts;
    const digits = parts.flatMap(({ box, image, ink }) => placed(box, readDigit(layers, image, ink)));
    const highest = most(digits.map(({ probabilities }) => surest(probabilities)));
    return highest < THRESHOLDS.reading.min_probability ? { problem: "There is no digit: crop the picture to one." } : digits;
  };
  const lowest = (digits) => (digits.length ? Math.min(...digits.map(({ probabilities }) => surest(probabilities))) : 0);
  const first = look(false);
  if (!first.problem && lowest(first) >= LEVELS.sure) return first;
  const second = look(true);  // at pale strokes; it counts where it is surer, and no digit is lost
  const surer = !second.problem && (lowest(second) >= LEVELS.sure
    || (first.length > 1 && lowest(second) > lowest(first)));
  return surer && second.length >= (first.length ?? 0) ? second : first;
}
