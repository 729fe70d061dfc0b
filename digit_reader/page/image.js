// A picture's ink: the light evened, dark on light or light on dark; ink.py in short, at one size.

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
  const size = Math.max(3, Math.round(0.5 * Math.min(wide, high)));
  const paper = square(square(light, wide, high, size, Math.max), wide, high, size, Math.min);
  const ink = light.map((value, i) => Math.max(0, 1 - value / Math.max(paper[i], 0.05)));
  const peak = quantile(ink, 0.9995);
  if (peak < 0.12) return { problem: peak < 0.05 ? "The page is blank." : "The ink is too faint." };
  const level = quantile(ink.filter((value) => value > 0.7 * peak), 0.5);
  return { values: ink.map((value) => Math.min(1, value / level)) };
}

export function partsOf(ink, wide, high) {  // connected strong ink: {boxes, labels}, without specks
  const labels = new Int32Array(ink.length), boxes = [];
  ink.forEach((value, start) => {
    if (value <= 0.5 || labels[start]) return;
    const box = { left: wide, right: 0, top: high, bottom: 0, size: 0, sum: 0, members: [boxes.length + 1] };
    const open = [start];
    labels[start] = boxes.length + 1;
    while (open.length) {
      const place = open.pop(), x = place % wide, y = (place - x) / wide;
      box.left = Math.min(box.left, x); box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y); box.bottom = Math.max(box.bottom, y + 1);
      box.size++; box.sum += ink[place];
      for (let v = Math.max(0, y - 1); v <= Math.min(high - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(wide - 1, x + 1); u++)
          if (ink[v * wide + u] > 0.5 && !labels[v * wide + u]) {
            labels[v * wide + u] = boxes.length + 1;
            open.push(v * wide + u);
          }
    }
    boxes.push(box);
  });
  const strong = boxes.filter((box) => box.sum > 0.7 * box.size);
  const least = Math.max(...strong.map((box) => box.size)) / 20;
  return { boxes: strong.filter((box) => box.size >= least), labels };
}
