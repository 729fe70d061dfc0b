// The page: with each change the drawing is painted, cut into digits, which are classified, and the answer is shown.
import { LEVELS, NETWORK } from "./model.js";
import { centred } from "./centre.js";
import { placed, readDigit } from "./cut.js";
import { EXAMPLES } from "./examples.js";
import { brightness, canBeRead, pictureRead, pixelsOf } from "./image.js";
import { Problem } from "./ink.js";
import { surest, unpack } from "./network.js";
import { digitsIn } from "./parts.js";
import THRESHOLDS from "../thresholds.json" with { type: "json" };
import { Drawing, Ink, Painting, paint } from "./strokes.js";

const PEN = 0.07;  // the pen's width as a share of the canvas, and of a digit made as large as it
const SIDE = 112;  // pixels at which a digit's strokes are drawn to be classified
const find = (id) => document.getElementById(id);
const page = find("page"), painting = new Painting(page);
const large = new Ink(SIDE);
const FALSE_PIXELS = "This browser protects against fingerprinting and gives the page false pixels: allow it to read canvases, or ";
const REST = 200;  // milliseconds that the pen is up before digits that touch are looked for
let layers = null, picture = null, frame = 0, later = 0, readings = [], drawn = [];

function bounds(points) {  // Math.min(...x) would fail where there are many points
  const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (const [x, y] of points) {
    box.left = Math.min(box.left, x); box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y); box.bottom = Math.max(box.bottom, y);
  }
  return box;
}

const known = new WeakMap();  // what is known of a stroke, or of a digit by its first stroke

function boundsOf(stroke) {  // its box; measured anew only when it has grown
  const before = known.get(stroke);
  if (before?.points === stroke.length) return before.box;
  const box = bounds(stroke);
  known.set(stroke, { points: stroke.length, box });
  return box;
}

function drawnLarge(strokes) {  // a digit's strokes, as large as fits whatever their size: its ink
  const boxes = strokes.map(boundsOf);
  const box = bounds(boxes.flatMap(({ left, right, top, bottom }) => [[left, top], [right, bottom]]));
  const wide = PEN * SIDE, longest = Math.max(box.right - box.left, box.bottom - box.top, 0.02);
  const scale = (SIDE - wide - 4) / longest;
  const across = (box.left + box.right) / 2, down = (box.top + box.bottom) / 2;
  return large.of(strokes, `${across} ${down} ${scale}`, wide,
    ([x, y]) => [SIDE / 2 + scale * (x - across), SIDE / 2 + scale * (y - down)]);
}

function drawnDigits() {  // each digit that the strokes make: its box on the canvas, its 28×28 and its probabilities
  const boxes = drawing.strokes.map((stroke, number) => ({ ...boundsOf(stroke), members: [number] }));
  const digits = digitsIn(boxes.map((box) => ({ ...box, left: box.left - PEN / 2, right: box.right + PEN / 2,
    top: box.top - PEN / 2, bottom: box.bottom + PEN / 2 })));
  const tooMany = digits.length > THRESHOLDS.reading.max_digits;
  if (tooMany) return { problem: `${digits.length} pieces of ink are no number.` };
  drawn = digits.map((box) => {
    const strokes = box.members.sort((a, b) => a - b).map((n) => drawing.strokes[n]), first = known.get(strokes[0]);
    const same = first.strokes?.length === strokes.length
      && strokes.every((stroke, n) => first.strokes[n] === stroke && first.lengths[n] === stroke.length);
    if (!same) {  // a digit that did not change is not classified again
      const ink = { values: drawnLarge(strokes), wide: SIDE, high: SIDE }, read = readDigit(layers, centred(ink));
      const ready = surest(read[0].probabilities) >= THRESHOLDS.cut.whole_probability;  // it is no two digits
      Object.assign(first, { strokes, lengths: strokes.map((stroke) => stroke.length), ink, read, ready });
    }
    return first;
  });
  return digits.flatMap((box, n) => placed(box, drawn[n].read));
}

function cutNext(penUp) {  // look for two that touch in one digit; that takes some tenths of a second, no frame has them
  const digit = drawn.find(({ ready }) => !ready);
  if (digit) {
    Object.assign(digit, { ready: true, read: readDigit(layers, digit.read[0].image, digit.ink) });
    later = setTimeout(cutNext, 0, penUp);
    read();
  } else if (penUp) find("spoken").textContent = find("answer").textContent;
}

const ranked = (probabilities) =>  // the ten digits, the most probable first
  [...probabilities.keys()].sort((one, other) => probabilities[other] - probabilities[one]);

function inWords(probabilities) {  // "9", "probably 9", "9 or 3?"
  const [first, second] = ranked(probabilities);
  if (surest(probabilities) >= LEVELS.sure) return `${first}`;
  return surest(probabilities) >= LEVELS.probable ? `probably ${first}` : `${first} or ${second}?`;
}

function inNumber({ box, probabilities }, i) {  // "9", or "[9|3]" where it is not sure, after a gap or in a new line
  const [first, second] = ranked(probabilities);
  const answer = surest(probabilities) >= LEVELS.sure ? `${first}` : `[${first}|${second}]`;
  const newLine = i > 0 && box.line !== readings[i - 1].box.line;
  return (newLine ? "\n" : box.gap ? " " : "") + answer;
}

function show(probabilities, image) {
  find("table").querySelectorAll("tr").forEach((row, digit) => {
    row.querySelector("meter").value = probabilities ? probabilities[digit] : 0;
    row.cells[2].textContent = probabilities ? `${(100 * probabilities[digit]).toFixed(1)}%` : "";
    row.classList.toggle("most", !!probabilities && probabilities[digit] === surest(probabilities));
  });
  const context = find("seen").getContext("2d"), seen = context.createImageData(28, 28);
  seen.data.forEach((_, i) => { seen.data[i] = i % 4 < 3 ? 255 * (image?.[i >> 2] ?? 0) : 255; });
  context.putImageData(seen, 0, 0);
}

function say(text, isProblem = true) {
  find("answer").textContent = text;
  find("answer").classList.toggle("problem", isProblem);
}

function read() {
  if (!layers) return;
  drawn = [];
  const result = picture ? pictureRead(layers, picture.bright) : drawnDigits();
  readings = result.problem ? [] : result;
  say(result.problem ?? (readings.length > 1 ? readings.map(inNumber).join("")
    : readings.map(({ probabilities }) => inWords(probabilities)).join("") || "Draw a digit."), !!result.problem);
  const last = readings.at(-1), [first, second] = last ? ranked(last.probabilities) : [];
  const which = readings.length > 1 ? "The last: " : "";
  find("certainty").textContent = last
    ? `${which}${(100 * last.probabilities[first]).toFixed(1)}% a ${first}, next ${second}.` : "";
  show(last?.probabilities, last?.image);
}

function ground(pen) {  // what the strokes are painted on
  pen.fillStyle = "#fff"; pen.fillRect(0, 0, page.width, page.height);
  if (!picture) return;
  pen.fillStyle = picture.paper ? "#fff" : "#000"; pen.fillRect(...picture.place);
  pen.drawImage(picture.bitmap, ...picture.place);
}

function paintPage() {
  const at = ([x, y]) => [x * page.width, y * page.height];
  painting.show(drawing.strokes, ground, picture, PEN * page.width, "#111", at);
}

function change(penUp) {
  if (drawing.strokes.length) picture = null;
  paintPage();
  cancelAnimationFrame(frame);
  clearTimeout(later);
  frame = requestAnimationFrame(() => {
    read();
    if (drawing.pointer === null) later = setTimeout(cutNext, REST, penUp);
  });
}

async function take(file) {  // a picture, chosen, dropped or pasted
  try {
    const bitmap = await createImageBitmap(file), scale = page.width / Math.max(bitmap.width, bitmap.height);
    const size = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(scale * side)));
    const place = [(page.width - size[0]) / 2, (page.height - size[1]) / 2, ...size];
    if (!canBeRead()) throw new Problem(`${FALSE_PIXELS}draw the digit.`);
    picture = { bitmap, place, ...brightness(pixelsOf(bitmap)) };
    drawing.set([]);
  } catch (problem) {
    picture = null;
    drawing.set([]);
    cancelAnimationFrame(frame);  // which would read the empty page
    read();
    say(problem instanceof Problem ? problem.message : "This picture cannot be opened. Give PNG or JPEG.");
  }
}

function save() {  // the drawing, and beside it the 28×28
  if (!canBeRead()) { find("certainty").textContent = `${FALSE_PIXELS}take a screenshot.`; return; }
  const size = { width: page.width + 300, height: page.height };
  const sheet = Object.assign(document.createElement("canvas"), size);
  const context = sheet.getContext("2d");
  context.drawImage(page, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(find("seen"), page.width + 10, 0, 280, 280);
  sheet.toBlob((blob) => {
    const link = document.createElement("a");
    Object.assign(link, { href: URL.createObjectURL(blob), download: "digit.png" });
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

const drawing = new Drawing(page, change);
const actions = { undo: () => drawing.undo(), redo: () => drawing.redo(), save,
  clear: () => { if (picture) { picture = null; change(true); } drawing.clear(); } };
for (const [name, action] of Object.entries(actions)) find(name).onclick = action;
find("choose").onchange = ({ target }) => { if (target.files[0]) take(target.files[0]); target.value = ""; };

function letterOf({ key, code }) {  // in other scripts, and while a word is composed, the one that QWERTY has there
  const isLatin = !/^(?:[^\0-\x7f\p{Script=Latin}]|Process$|Unidentified$)/u.test(key);
  return (isLatin ? key : code.replace("Key", "")).toLowerCase();
}

document.onkeydown = (event) => {
  const key = letterOf(event), isCommand = (event.ctrlKey || event.metaKey) && !event.altKey;
  if (event.key === "Escape") actions.clear();
  else if (isCommand && key === "z") drawing[event.shiftKey ? "redo" : "undo"]();
  else if (isCommand && key === "y") drawing.redo();
  else return;
  event.preventDefault();
};
document.onpaste = ({ clipboardData }) => { if (clipboardData.files[0]) take(clipboardData.files[0]); };
document.ondragover = (event) => event.preventDefault();
document.ondrop = (event) => {
  event.preventDefault();
  if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
};
EXAMPLES.forEach((strokes, number) => {
  const button = document.createElement("button"), canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 56, height: 56 });
  const small = canvas.getContext("2d");
  small.fillStyle = "#fff"; small.fillRect(0, 0, 56, 56);  // seen in forced colours, too
  const onclick = () => drawing.set(strokes);
  Object.assign(button, { type: "button", ariaLabel: `Example ${number + 1}`, onclick });
  paint(small, strokes, 4, "#111", ([x, y]) => [56 * x, 56 * y]);
  button.append(canvas);
  find("examples").append(button);
});
find("table").innerHTML = Array.from({ length: 10 }, (_, digit) => `<tr><th scope="row">${digit}</th>
  <td><meter min="0" max="1" aria-label="${digit}"></meter></td><td></td></tr>`).join("");
paintPage();
if (!window.lacking.length) unpack(NETWORK).then((unpacked) => { layers = unpacked; change(false); });
