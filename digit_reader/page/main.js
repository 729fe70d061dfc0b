// The page: with each change the drawing is painted, cut into digits, read, and the answer shown.
import { LEVELS, NETWORK } from "./model.js";
import { centred } from "./centre.js";
import { EXAMPLES } from "./examples.js";
import { inkOf, partsOf } from "./image.js";
import { probabilities, unpack } from "./network.js";
import { digitsIn } from "./parts.js";
import { RULES } from "./rules.js";
import { Drawing, paint } from "./strokes.js";

const PEN = 0.07;  // the pen's width as a share of the canvas, and of a digit made as large as it
const SIDE = 112;  // pixels at which a digit's strokes are drawn to be read
const find = (id) => document.getElementById(id);
const page = find("page"), pen = page.getContext("2d", { willReadFrequently: true });
const small = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
let layers = null, picture = null, frame = 0, readings = [];

function bounds(points) {  // Math.min(...x) would fail where there are many points
  const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
  const x = points.map((point) => point[0]), y = points.map((point) => point[1]);
  return { left: least(x), right: most(x), top: least(y), bottom: most(y) };
}

function drawnLarge(strokes) {  // a digit's strokes, as large as fits whatever their size: its ink
  const box = bounds(strokes.flat()), wide = PEN * SIDE;
  const longest = Math.max(box.right - box.left, box.bottom - box.top, 0.02);
  const scale = (SIDE - wide - 4) / longest;
  const ink = small.getContext("2d", { willReadFrequently: true });
  ink.fillStyle = "#000"; ink.fillRect(0, 0, SIDE, SIDE);
  const across = (box.left + box.right) / 2, down = (box.top + box.bottom) / 2;
  paint(ink, strokes, wide, "#fff",
    ([x, y]) => [SIDE / 2 + scale * (x - across), SIDE / 2 + scale * (y - down)]);
  const { data } = ink.getImageData(0, 0, SIDE, SIDE);
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i] / 255);
}

const known = new WeakMap();  // what is known of a stroke, or of a digit by its first stroke

function boundsOf(stroke) {  // its box; measured anew only when it has grown
  const kept = known.get(stroke);
  if (kept?.points === stroke.length) return kept.box;
  const box = bounds(stroke);
  known.set(stroke, { points: stroke.length, box });
  return box;
}

function drawnDigits() {  // each digit that the strokes make: its box on the canvas and its 28×28
  const boxes = drawing.strokes.map((stroke, number) => ({ ...boundsOf(stroke), members: [number] }));
  const digits = digitsIn(boxes.map((box) => ({ ...box, left: box.left - PEN / 2, right: box.right + PEN / 2,
    top: box.top - PEN / 2, bottom: box.bottom + PEN / 2 })));
  if (digits.length > RULES.most) return { problem: `${digits.length} pieces of ink are no number.` };
  return digits.map((box) => {
    const strokes = box.members.map((n) => drawing.strokes[n]), first = known.get(strokes[0]);
    const same = first.of?.length === strokes.length
      && strokes.every((stroke, n) => first.of[n] === stroke && first.long[n] === stroke.length);
    if (!same) Object.assign(first, { of: strokes, long: strokes.map((stroke) => stroke.length),
      image: centred(drawnLarge(strokes), SIDE), shares: null });
    return { box, image: first.image, kept: first };  // a digit that did not change is not read again
  });
}

function pictureDigits() {  // the same of a picture
  const { data, width, height } = picture.pixels;
  const grey = (_, i) => (0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]) / 255;
  const ink = inkOf(Float32Array.from({ length: width * height }, grey), width, height);
  if (ink.problem) return ink;
  const { boxes, labels, problem } = partsOf(ink.values, width, height);
  if (problem) return { problem };
  const digits = digitsIn(boxes);
  if (digits.length > RULES.most) return { problem: `${digits.length} pieces of ink are no number: crop the picture.` };
  return digits.map((box) => {
    const own = new Set(box.members);
    const values = ink.values.map((value, i) => (own.has(labels[i]) && value > 0.1 ? value : 0));
    const across = { left: box.left / width, right: box.right / width };
    const down = { top: box.top / height, bottom: box.bottom / height };
    return { box: { ...box, ...across, ...down }, image: centred(values, width) };
  });
}

const sure = (shares) => Math.max(...shares);

const byShare = (shares) => [...shares.keys()].sort((one, other) => shares[other] - shares[one]);

function inWords(shares) {  // "9", "probably 9", "9 or 3?"
  const order = byShare(shares);
  if (sure(shares) >= LEVELS.sure) return `${order[0]}`;
  return sure(shares) >= LEVELS.probable ? `probably ${order[0]}` : `${order[0]} or ${order[1]}?`;
}

function inNumber({ box, shares }, i) {  // "9", or "[9|3]" where it is not sure, after a gap or in a new line
  const order = byShare(shares);
  const said = sure(shares) >= LEVELS.sure ? `${order[0]}` : `[${order[0]}|${order[1]}]`;
  const newLine = i > 0 && box.line !== readings[i - 1].box.line;
  return (newLine ? "\n" : box.gap ? " " : "") + said;
}

function show(shares, image) {
  find("table").querySelectorAll("tr").forEach((row, digit) => {
    row.querySelector("meter").value = shares ? shares[digit] : 0;
    row.cells[2].textContent = shares ? `${(100 * shares[digit]).toFixed(1)}%` : "";
    row.classList.toggle("most", !!shares && shares[digit] === sure(shares));
  });
  const context = find("seen").getContext("2d"), seen = context.createImageData(28, 28);
  seen.data.forEach((_, i) => { seen.data[i] = i % 4 < 3 ? 255 * (image?.[i >> 2] ?? 0) : 255; });
  context.putImageData(seen, 0, 0);
}

function sharesOf(digit) {  // the ten probabilities of a digit, kept with its strokes
  const shares = digit.kept?.shares ?? probabilities(layers, digit.image, LEVELS.temperature);
  if (digit.kept) digit.kept.shares = shares;
  return shares;
}

function read() {
  if (!layers) return;
  const found = picture ? pictureDigits() : drawnDigits();
  readings = (found.problem ? [] : found).filter((digit) => digit.image)
    .map((digit) => ({ ...digit, shares: sharesOf(digit) }));
  find("answer").textContent = found.problem ?? (readings.length > 1
    ? readings.map(inNumber).join("") : readings.map(({ shares }) => inWords(shares)).join("") || "Draw a digit.");
  const last = readings.at(-1), order = last && byShare(last.shares);
  const which = readings.length > 1 ? "The last: " : "";
  find("doubt").textContent = last
    ? `${which}${(100 * last.shares[order[0]]).toFixed(1)}% a ${order[0]}, next ${order[1]}.` : "";
  show(last?.shares, last?.image);
}

function paintPage() {
  pen.fillStyle = "#fff"; pen.fillRect(0, 0, page.width, page.height);
  if (picture) pen.drawImage(picture.bitmap, ...picture.place);
  paint(pen, drawing.strokes, PEN * page.width, "#111", ([x, y]) => [x * page.width, y * page.height]);
}

function change(penUp) {
  if (drawing.strokes.length) picture = null;
  paintPage();
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => {
    read();
    if (penUp) find("spoken").textContent = find("answer").textContent;
  });
}

function onPaper(bitmap, size) {  // its pixels; where it is transparent, on paper that its ink stands out from
  const sheet = Object.assign(document.createElement("canvas"), { width: size[0], height: size[1] });
  const context = sheet.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0, ...size);
  const { data } = context.getImageData(0, 0, ...size);
  let clear = false, ink = 0, count = 0;
  for (let i = 0; i < data.length; i += 4) {
    clear ||= data[i + 3] < 250;
    if (data[i + 3] > 127) { ink += data[i] + data[i + 1] + data[i + 2]; count += 3; }
  }
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = clear && count && ink / count > 127 ? "#000" : "#fff";
  context.fillRect(0, 0, ...size);
  return { sheet, pixels: context.getImageData(0, 0, ...size) };
}

async function take(file) {  // a picture, chosen, dropped or pasted
  try {
    const bitmap = await createImageBitmap(file), scale = page.width / Math.max(bitmap.width, bitmap.height);
    const size = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(scale * side)));
    const place = [(page.width - size[0]) / 2, (page.height - size[1]) / 2, ...size];
    const { sheet, pixels } = onPaper(bitmap, size);
    picture = { bitmap: sheet, place, pixels };
    drawing.set([]);
  } catch {
    picture = null;
    drawing.set([]);
    cancelAnimationFrame(frame);  // which would read the empty page
    read();
    find("answer").textContent = "This picture cannot be opened. Give PNG or JPEG.";
  }
}

function save() {  // the drawing, and beside it the 28×28
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
document.onkeydown = (event) => {
  const key = event.key.toLowerCase(), held = event.ctrlKey || event.metaKey;
  if (event.key === "Escape") actions.clear();
  else if (held && key === "z") drawing[event.shiftKey ? "redo" : "undo"]();
  else if (held && key === "y") drawing.redo();
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
  const ground = canvas.getContext("2d");
  ground.fillStyle = "#fff"; ground.fillRect(0, 0, 56, 56);  // seen in forced colours, too
  const onclick = () => drawing.set(strokes);
  Object.assign(button, { type: "button", ariaLabel: `Example ${number + 1}`, onclick });
  paint(canvas.getContext("2d"), strokes, 4, "#111", ([x, y]) => [56 * x, 56 * y]);
  button.append(canvas);
  find("examples").append(button);
});
find("table").innerHTML = Array.from({ length: 10 }, (_, digit) => `<tr><th scope="row">${digit}</th>
  <td><meter min="0" max="1" aria-label="${digit}"></meter></td><td></td></tr>`).join("");
paintPage();
const TOO_OLD = "This browser is too old: the page needs DecompressionStream "
  + "(browsers of 2023 and later have it).";
export const ready = typeof DecompressionStream === "undefined"
  ? Promise.resolve().then(() => { find("answer").textContent = TOO_OLD; })
  : unpack(NETWORK).then((unpacked) => { layers = unpacked; change(false); });
