// The page: with each change the drawing is painted and read, and the answer is shown.
import { EXAMPLES } from "./examples.js";
import { LEVELS, LINES, NETWORK } from "./model.js";
import { surest, unpack } from "./network.js";
import { linesRead } from "./reading.js";
import { Drawing, Painting, paint, whiten } from "./strokes.js";

const REST = 200;  // milliseconds that the pen is up before lines are read as a whole
const SLIGHT = 16;  // of 255: noise that browsers add against fingerprinting and that nobody sees
const find = (id) => document.getElementById(id);
const page = find("page"), painting = new Painting(page);
let networks = null, frame = 0, later = 0;

const ranked = (probabilities) =>  // the ten digits, the most probable first
  [...probabilities.keys()].sort((one, other) => probabilities[other] - probabilities[one]);
const isSure = ({ probabilities, mayBeSure }) => mayBeSure && surest(probabilities) >= LEVELS.sure;

function inWords(digit) {  // "9", "probably 9", "9 or 3?"
  const [first, second] = ranked(digit.probabilities);
  if (isSure(digit) && digit.agreed) return `${first}`;
  return surest(digit.probabilities) >= LEVELS.probable ? `probably ${first}` : `${first} or ${second}?`;
}

function inNumber(digit) {  // "9", or "[9|3]" where it is not sure, maybe after a gap
  const [first, second] = ranked(digit.probabilities);
  return (digit.gap ? " " : "") + (isSure(digit) ? `${first}` : `[${first}|${second}]`);
}

function answered(lines) {
  const digits = lines.flatMap((line) => line.digits);
  if (digits.length < 2) return digits.map(inWords).join("") || "Draw a digit.";
  const number = lines.map((line) => line.digits.map(inNumber).join("")).join("\n");
  return digits.every(({ agreed }) => agreed) || number.includes("[") ? number : `probably ${number}`;
}

function explained(lines, digits) {  // the signs between digits, and how sure the last digit is
  const texts = lines.map(({ characters }) => characters.map(({ character }) => character).join("").replaceAll("?", ""));
  const signs = texts.filter((text) => /[^\d ]/.test(text)), last = digits.at(-1);
  const [first, second] = last ? ranked(last.probabilities) : [];
  return (signs.length ? `with signs: ${signs.join("; ")} · ` : "") + (digits.length > 1 ? "The last: " : "")
    + (last ? `${(100 * last.probabilities[first]).toFixed(1)}% a ${first}, next ${second}.` : "");
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

function say(text, isProblem) {
  find("answer").textContent = text;
  find("answer").classList.toggle("problem", isProblem);
}

function read(isResting) {
  if (!networks) return;
  const { problem, lines = [] } = linesRead(networks, drawing.strokes, isResting);
  const digits = lines.flatMap((line) => line.digits), last = digits.at(-1);
  say(problem ?? answered(lines), !!problem);
  find("certainty").textContent = explained(lines, digits);
  show(last?.probabilities, last?.image);
}

function change(penUp) {
  painting.show(drawing.strokes);
  cancelAnimationFrame(frame);
  clearTimeout(later);
  frame = requestAnimationFrame(() => {
    read(false);
    if (drawing.pointer === null) later = setTimeout(rest, REST, penUp);
  });
}

function rest(penUp) {
  cancelAnimationFrame(frame);
  clearTimeout(later);
  read(true);
  if (penUp) find("spoken").textContent = find("answer").textContent;
}

function refuse(event, { files }) {  // a picture that is dropped or pasted
  event.preventDefault();
  rest(true);  // or its answer would follow and replace what is said here
  if (files.length) say("Pictures are read by the package: python -m digit_reader picture.jpg. Draw here.", true);
}

function canBeRead() {  // whether a canvas gives back what was painted, but for a slight noise
  const side = 16, colour = [64, 128, 192, 255];
  const pen = Object.assign(document.createElement("canvas"), { width: side, height: side }).getContext("2d");
  pen.fillStyle = `rgb(${colour.slice(0, 3)})`;
  pen.fillRect(0, 0, side, side);
  return pen.getImageData(0, 0, side, side).data.every((value, i) => Math.abs(value - colour[i % 4]) <= SLIGHT);
}

function save() {  // the drawing, and beside it the 28×28
  rest(true);
  if (!canBeRead()) {
    find("certainty").textContent = "This browser protects against fingerprinting and gives the page false pixels: "
      + "allow it to read canvases, or take a screenshot.";
    return;
  }
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
const actions = { undo: () => drawing.undo(), redo: () => drawing.redo(), clear: () => drawing.clear(), save };
for (const [name, action] of Object.entries(actions)) find(name).onclick = action;

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
document.onpaste = (event) => refuse(event, event.clipboardData);
document.ondragover = (event) => event.preventDefault();
document.ondrop = (event) => refuse(event, event.dataTransfer);
EXAMPLES.forEach((strokes, number) => {
  const button = document.createElement("button"), canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 56, height: 56 });
  const small = canvas.getContext("2d"), onclick = () => drawing.set(strokes);
  Object.assign(button, { type: "button", ariaLabel: `Example ${number + 1}`, onclick });
  whiten(small);
  paint(small, strokes);
  button.append(canvas);
  find("examples").append(button);
});
find("table").innerHTML = Array.from({ length: 10 }, (_, digit) => `<tr><th scope="row">${digit}</th>
  <td><meter min="0" max="1" aria-label="${digit}"></meter></td><td></td></tr>`).join("");
painting.show(drawing.strokes);
if (!window.lacking.length) Promise.all([NETWORK, LINES].map(unpack)).then(([digit, line]) => {
  networks = { digit, line };
  change(false);
});
