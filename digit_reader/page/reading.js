// From strokes to lines of digits.
import { centred } from "./centre.js";
import { around, digitsIn } from "./lines.js";
import { LEVELS } from "./model.js";
import { probabilities } from "./network.js";
import { Ink, PEN } from "./strokes.js";
import THRESHOLDS from "../thresholds.json" with { type: "json" };

const SIDE = 112;  // pixels at which a digit's strokes are drawn to be classified
const large = new Ink(SIDE, SIDE);
const known = new WeakMap();  // what is known of a stroke, and of a digit by its first stroke

function boundsOf(stroke) {  // its box; measured anew only when it has grown
  const before = known.get(stroke);
  if (before?.points === stroke.length) return before.box;
  const box = stroke.map(([x, y]) => ({ left: x, right: x, top: y, bottom: y })).reduce(around);
  known.set(stroke, { points: stroke.length, box });
  return box;
}

const larger = ({ left, right, top, bottom }, by) =>
  ({ left: left - by, right: right + by, top: top - by, bottom: bottom + by });

function remembered(strokes, find) {  // what was found of strokes that did not change; else it is found
  const first = known.get(strokes[0]), before = first.digit;
  if (before?.strokes.length === strokes.length
    && strokes.every((stroke, n) => before.strokes[n] === stroke && before.lengths[n] === stroke.length)) return before.found;
  first.digit = { strokes, lengths: strokes.map((stroke) => stroke.length), found: find() };
  return first.digit.found;
}

function classified(layers, strokes) {  // a digit: its strokes drawn as large as fits, whatever their size
  const box = strokes.map(boundsOf).reduce(around), pen = PEN * SIDE;
  const scale = (SIDE - pen - 4) / Math.max(box.right - box.left, box.bottom - box.top, 0.02);
  const across = (box.left + box.right) / 2, down = (box.top + box.bottom) / 2;
  const image = centred(large.of(strokes, `${across} ${down} ${scale}`, pen,
    ([x, y]) => [SIDE / 2 + scale * (x - across), SIDE / 2 + scale * (y - down)]));
  return { image, probabilities: probabilities(layers, image, LEVELS.temperature) };
}

export function linesRead(layers, strokes) {  // the lines that strokes make, each its digits; or {problem}
  const boxes = strokes.map((stroke, number) => ({ ...larger(boundsOf(stroke), PEN / 2), members: [number] }));
  const parts = digitsIn(boxes), lines = [];
  if (parts.length > THRESHOLDS.reading.max_digits) return { problem: `${parts.length} pieces of ink are no number.` };
  for (const { members, line, gap } of parts) {
    const own = members.sort((a, b) => a - b).map((n) => strokes[n]);
    const digit = remembered(own, () => classified(layers, own));
    (lines[line] ??= []).push({ ...digit, line, gap });
  }
  return { lines };
}
