// From strokes to digits: one by one as they are drawn, and whole lines once the pen rests.
import { centred } from "./centre.js";
import { charactersIn, decided } from "./characters.js";
import { around, digitsIn } from "./lines.js";
import { LEVELS } from "./model.js";
import { probabilities } from "./network.js";
import { Ink, PEN } from "./strokes.js";
import THRESHOLDS from "../thresholds.json" with { type: "json" };

const SIDE = 112;  // pixels at which a digit's strokes are drawn to be classified
const large = new Ink(SIDE, SIDE);
const known = new WeakMap();  // what is known of a stroke, and of a digit or line by its first stroke

function boundsOf(stroke) {  // its box; measured anew only when it has grown
  const before = known.get(stroke);
  if (before?.points === stroke.length) return before.box;
  const box = stroke.map(([x, y]) => ({ left: x, right: x, top: y, bottom: y })).reduce(around);
  known.set(stroke, { points: stroke.length, box });
  return box;
}

const larger = ({ left, right, top, bottom }, by) =>
  ({ left: left - by, right: right + by, top: top - by, bottom: bottom + by });

// What was found of strokes that did not change; else it is found, or null where that is not given.
function remembered(kind, strokes, find, [first] = strokes) {
  const before = known.get(first)[kind];
  const isSame = before?.strokes.length === strokes.length
    && strokes.every((stroke, n) => before.strokes[n] === stroke && before.lengths[n] === stroke.length);
  if (isSame || !find) return isSame ? before.found : null;
  const found = find();
  known.get(first)[kind] = { strokes, lengths: strokes.map((stroke) => stroke.length), found };
  return found;
}

function classified(layers, strokes) {  // a digit: its strokes drawn as large as fits, whatever their size
  const box = strokes.map(boundsOf).reduce(around), pen = PEN * SIDE;
  const scale = (SIDE - pen - 4) / Math.max(box.right - box.left, box.bottom - box.top, 0.02);
  const across = (box.left + box.right) / 2, down = (box.top + box.bottom) / 2;
  const image = centred(large.of(strokes, `${across} ${down} ${scale}`, pen,
    ([x, y]) => [SIDE / 2 + scale * (x - across), SIDE / 2 + scale * (y - down)]));
  return { box, image, probabilities: probabilities(layers, image, LEVELS.temperature) };
}

function lineRead(layers, digits, strokes, isResting) {  // its digits, and its characters where these are known
  const boxes = digits.map(({ box }) => box), { left, right, top, bottom } = boxes.reduce(around);
  const near = strokes.filter((stroke) => {  // also signs; each crop ends nearer
    const box = boundsOf(stroke), far = bottom - top;
    return box.right > left - far && box.left < right + far && box.bottom > top - far && box.top < bottom + far;
  });
  const find = isResting ? () => charactersIn(layers, near, boxes) : null;
  const characters = remembered("line", near, find, digits[0].strokes);
  return { characters: characters ?? [], digits: characters ? decided(digits, characters)
    : digits.map((digit) => ({ ...digit, mayBeSure: true, agreed: true })) };
}

// The lines that strokes make, each with its digits; its characters are looked for when the pen is at rest.
export function linesRead(networks, strokes, isResting) {
  const boxes = strokes.map((stroke, number) => ({ ...larger(boundsOf(stroke), PEN / 2), members: [number] }));
  const parts = digitsIn(boxes), lines = [];
  if (parts.length > THRESHOLDS.reading.max_digits) return { problem: `${parts.length} pieces of ink are no number.` };
  for (const { members, line, gap } of parts) {
    const own = members.sort((a, b) => a - b).map((n) => strokes[n]);
    const digit = remembered("digit", own, () => classified(networks.digit, own));
    (lines[line] ??= []).push({ ...digit, strokes: own, line, gap });
  }
  return { lines: lines.map((digits) => lineRead(networks.line, digits, strokes, isResting)) };
}
