// The drawing: a list of strokes. With each change it is painted, prepared and read anew.
import { MODEL } from "./model.js";
import { probabilities, unpack } from "./network.js";
import { prepared } from "./prepare.js";

const find = (id) => document.getElementById(id);
const page = find("page"), pen = page.getContext("2d", { willReadFrequently: true });
const strokes = [];
let layers = null, drawing = null, frame = 0;

function paint() {
  pen.fillStyle = "#000"; pen.fillRect(0, 0, page.width, page.height);
  pen.strokeStyle = "#fff"; pen.lineWidth = 24; pen.lineCap = pen.lineJoin = "round";
  for (const stroke of strokes) pen.stroke(stroke);
}

function inkDrawn() {
  const pixels = pen.getImageData(0, 0, page.width, page.height).data;
  return Float32Array.from({ length: pixels.length / 4 }, (_, i) => pixels[4 * i] / 255);
}

function showImage(image) {
  const small = find("seen").getContext("2d"), picture = small.createImageData(28, 28);
  for (let i = 0; i < picture.data.length; i++)  // red, green, blue and opacity of each pixel
    picture.data[i] = i % 4 < 3 ? 255 * (image?.[i >> 2] ?? 0) : 255;
  small.putImageData(picture, 0, 0);
}

function showAnswer(shares) {
  document.querySelectorAll("#table tr").forEach((row, digit) => {
    row.querySelector(".bar").style.width = shares ? `${100 * shares[digit]}%` : 0;
    row.cells[2].textContent = shares ? `${(100 * shares[digit]).toFixed(1)}%` : "";
  });
  const most = shares ? Math.max(...shares) : 0, digit = shares ? shares.indexOf(most) : null;
  const reading = most >= MODEL.threshold ? `This is a ${digit}.` : `Not sure. Perhaps a ${digit}?`;
  find("answer").textContent = shares ? reading : "Draw a digit.";
}

function read() {
  if (!layers) return;
  const image = prepared(inkDrawn(), page.width);
  showImage(image);
  showAnswer(image && probabilities(layers, image, MODEL.temperature));
}

function change() {
  paint();
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(read);
}

function place({ offsetX, offsetY }) {
  return [offsetX, offsetY].map((pixels) => pixels * page.width / page.clientWidth);
}

function extend(event) {
  if (event.pointerId !== drawing) return;
  strokes.at(-1).lineTo(...place(event));
  change();
}

function keep(count) {  // the first strokes; one in hand ends, though the pen is still down
  drawing = null;
  strokes.length = Math.max(0, count);
  change();
}

const undo = () => keep(strokes.length - 1), clear = () => keep(0);
find("undo").onclick = undo; find("clear").onclick = clear;
document.onkeydown = (event) => {
  if (event.key === "Escape") clear();
  if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  undo();
};
page.onpointerdown = (event) => {
  if (event.button !== 0 || drawing !== null) return;
  drawing = event.pointerId;
  page.setPointerCapture(drawing);
  strokes.push(new Path2D(`M${place(event)}`));
  extend(event);
};
page.onpointermove = extend;
page.onpointerup = page.onpointercancel = (event) => {
  if (event.pointerId === drawing) { drawing = null; read(); }
};
const row = (digit) =>
  `<tr><th scope="row">${digit}</th><td><div class="bar"></div></td><td></td></tr>`;
find("table").innerHTML = Array.from({ length: 10 }, (_, digit) => row(digit)).join("");
paint();
export const ready = unpack(MODEL).then((unpacked) => { layers = unpacked; read(); });
