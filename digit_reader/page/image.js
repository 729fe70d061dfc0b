// A picture's ink: the light evened, dark on light or light on dark; ink.py in short, at one size.
import { RULES } from "./rules.js";

const BLANK = 0.05;  // less contrast is none

function slid(values, wide, high, size, pick) {  // the largest or smallest in a window, row by row
  const found = new Float32Array(values.length), half = size >> 1;
  for (let y = 0; y < high; y++) {
    const queue = [];  // places of candidates, best first
    for (let x = -half; x < wide; x++) {
      const next = x + half;
      if (next < wide) {
        const value = values[y * wide + next];
        while (queue.length && pick(value, values[y * wide + queue.at(-1)]) === value) queue.pop();
        queue.push(next);
      }
      if (queue[0] < x - half) queue.shift();
      if (x >= 0) found[y * wide + x] = values[y * wide + queue[0]];
    }
  }
  return found;
}

function turned(values, wide, high) {  // rows become columns
  return Float32Array.from(values, (_, i) => values[(i % high) * wide + Math.floor(i / high)]);
}

function square(values, wide, high, size, pick) {
  const rows = slid(values, wide, high, size, pick);
  return turned(slid(turned(rows, wide, high), high, wide, size, pick), high, wide);
}

function quantile(values, share) {
  const sorted = Float32Array.from(values).sort();
  return sorted[Math.floor(share * (sorted.length - 1))];
}

export function inkOf(bright, wide, high) {  // {values} from 0 to 1, or {problem}
  const middle = quantile(bright, 0.5), mean = bright.reduce((sum, value) => sum + value) / bright.length;
  const light = mean <= middle ? bright : bright.map((value) => 1 - value);  // strokes are the few
  if (quantile(bright, 1) - quantile(bright, 0) < BLANK) return { problem: "The page is blank." };
  const size = Math.max(3, Math.round(0.5 * Math.min(wide, high)));
  const paper = square(square(light, wide, high, size, Math.max), wide, high, size, Math.min);
  const ink = light.map((value, i) => Math.max(0, 1 - value / Math.max(paper[i], 0.05)));
  const peak = quantile(ink, 0.9995);
  if (peak < 0.12) return { problem: peak < BLANK ? "The page is blank." : "The ink is too faint." };
  const level = quantile(ink.filter((value) => value > 0.7 * peak), 0.5);
  return { values: ink.map((value) => Math.min(1, value / level)) };
}

function labelled(ink, wide, high, least) {  // connected ink: {labels, boxes}
  const labels = new Int32Array(ink.length), boxes = [];
  ink.forEach((value, start) => {
    if (value <= least || labels[start]) return;
    const number = boxes.length + 1;
    const box = { left: wide, right: 0, top: high, bottom: 0, size: 0, sum: 0, start, members: [number] };
    const open = [start];
    labels[start] = number;
    while (open.length) {
      const place = open.pop(), x = place % wide, y = (place - x) / wide;
      box.left = Math.min(box.left, x); box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y); box.bottom = Math.max(box.bottom, y + 1);
      box.size++; box.sum += ink[place];
      for (let v = Math.max(0, y - 1); v <= Math.min(high - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(wide - 1, x + 1); u++)
          if (ink[v * wide + u] > least && !labels[v * wide + u]) {
            labels[v * wide + u] = number;
            open.push(v * wide + u);
          }
    }
    boxes.push(box);
  });
  return { labels, boxes };
}

export function partsOf(ink, wide, high) {  // {boxes, labels}, without specks and weak residue; or {problem}
  const { labels, boxes } = labelled(ink, wide, high, RULES.ink);
  const links = labelled(ink, wide, high, RULES.faint).labels;
  const strong = boxes.filter((box) => box.sum >= RULES.weak * box.size);
  const most = (values) => values.reduce((a, b) => Math.max(a, b), 0);
  const length = (box) => Math.max(box.bottom - box.top, box.right - box.left);
  const least = RULES.speck * most(strong.map((box) => box.size));
  const shortest = RULES.short * most(strong.map(length));
  const kept = strong.filter((box) => box.size >= least && length(box) >= shortest);
  if (kept.length > RULES.many) return { problem: `${kept.length} pieces of ink are no number: crop the picture.` };
  return { boxes: kept.map((box) => ({ ...box, linked: [links[box.start]] })), labels };
}
