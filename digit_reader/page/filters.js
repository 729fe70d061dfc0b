// Filters of images {values, wide, high}, along rows and then along columns, as SciPy has them.

export function map(image, change) {  // faster than a typed array's own
  const { values } = image, changed = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) changed[i] = change(values[i], i);
  return { ...image, values: changed };
}

const NO_FRACTIONS = 1.5 * 2 ** 52;  // doubles of that size have none
export const even = (x) => x + NO_FRACTIONS - NO_FRACTIONS;  // as Python rounds: a half to the even number

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export function most(values) {
  let largest = -Infinity;
  for (const value of values) if (value > largest) largest = value;
  return largest;
}

export function quantile(values, share) {  // as NumPy has it
  const sorted = Float32Array.from(values).sort(), place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)];
  return low + (place % 1) * (sorted[Math.ceil(place)] - low);
}

export function sampled({ values, wide, high }, across, down) {  // some values only, of some rows
  const some = { wide: Math.ceil(wide / across), high: Math.ceil(high / down) };
  some.values = new Float32Array(some.wide * some.high);
  for (let y = 0, i = 0; y < high; y += down) for (let x = 0; x < wide; x += across) some.values[i++] = values[y * wide + x];
  return some;
}

export function turned({ values, wide, high }) {  // rows become columns
  const columns = new values.constructor(values.length);
  for (let y = 0, i = 0; y < high; y++) for (let x = 0; x < wide; x++) columns[x * high + y] = values[i++];
  return { values: columns, wide: high, high: wide };
}

export const both = (image, along) => turned(along(turned(along(image))));

const BEYOND = {  // what stands beyond a row's ends
  nearest: (row, i, last) => row[i < 0 ? 0 : last],
  mirrored: (row, i, last) => row[i < 0 ? -1 - i : 2 * last + 1 - i],
  continued: (row, i, last) => (i < 0 ? 2 * row[0] - row[-i] : 2 * row[last] - row[2 * last - i]),
};

export function extended({ values, wide, high }, by, beyond) {  // its rows longer on both sides
  const long = wide + 2 * by, rows = new Float32Array(long * high);
  for (let y = 0; y < high; y++) {
    const row = values.subarray(y * wide, (y + 1) * wide);
    rows.set(row, y * long + by);
    for (let i = 1; i <= by; i++) {
      rows[y * long + by - i] = BEYOND[beyond](row, -i, wide - 1);
      rows[y * long + by + wide - 1 + i] = BEYOND[beyond](row, wide - 1 + i, wide - 1);
    }
  }
  return { values: rows, wide: long, high };
}

export function cropped({ values, wide }, left, top, newWide, newHigh) {
  const rows = Array.from({ length: newHigh }, (_, y) => (top + y) * wide + left);
  const inner = new values.constructor(newWide * newHigh);
  rows.forEach((from, y) => inner.set(values.subarray(from, from + newWide), y * newWide));
  return { values: inner, wide: newWide, high: newHigh };
}

export function inkBounds({ values, wide }, least = 0) {  // where values are above least; null where none is
  let top = Infinity, left = Infinity, bottom = -1, right = -1;
  values.forEach((value, place) => {
    if (value <= least) return;
    const x = place % wide, y = (place - x) / wide;
    top = Math.min(top, y); bottom = Math.max(bottom, y);
    left = Math.min(left, x); right = Math.max(right, x);
  });
  return bottom < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

export function smoothed(image, size, beyond = "mirrored") {  // the mean of each square
  return both(image, ({ values, wide, high }) => {
    const { values: rows, wide: long } = extended({ values, wide, high }, size >> 1, beyond);
    const means = new Float32Array(values.length);
    for (let y = 0; y < high; y++) {
      let sum = 0;
      for (let x = 0; x < size - 1; x++) sum += rows[y * long + x];
      for (let x = 0; x < wide; x++) {
        sum += rows[y * long + x + size - 1];
        means[y * wide + x] = sum / size;
        sum -= rows[y * long + x];
      }
    }
    return { values: means, wide, high };
  });
}

export function blurred(image, deviation) {  // by a bell curve
  const reach = Math.trunc(4 * deviation + 0.5);
  const bell = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / deviation) ** 2));
  const total = bell.reduce((a, b) => a + b);
  return both(image, ({ values, wide, high }) => {
    const { values: rows, wide: long } = extended({ values, wide, high }, reach, "mirrored");
    const means = new Float32Array(values.length);
    for (let y = 0; y < high; y++) for (let x = 0; x < wide; x++) {
      let sum = 0;
      for (let i = 0; i < bell.length; i++) sum += bell[i] * rows[y * long + x + i];
      means[y * wide + x] = sum / total;
    }
    return { values: means, wide, high };
  });
}

// The most in windows along rows, by that of blocks up to each place and from each on; source: van
// Herk 1992. later: whether windows of an even size begin one place later; sign: -1 for the least.
function slid(image, size, later, sign) {
  const { wide, high } = image, { values, wide: long } = extended(image, size >> 1, "nearest");
  const extremes = new Float32Array(wide * high), before = new Float32Array(long), after = new Float32Array(long);
  for (let y = 0; y < high; y++) {
    for (let start = 0; start < long; start += size) {
      const end = Math.min(start + size, long);
      for (let x = start, so = -Infinity; x < end; x++) {
        const value = sign * values[y * long + x];
        before[x] = so = value > so ? value : so;
      }
      for (let x = end - 1, so = -Infinity; x >= start; x--) {
        const value = sign * values[y * long + x];
        after[x] = so = value > so ? value : so;
      }
    }
    for (let x = 0; x < wide; x++) {
      const one = after[x + later], other = before[x + later + size - 1];
      extremes[y * wide + x] = sign * (one > other ? one : other);
    }
  }
  return { values: extremes, wide, high };
}

export const largestInRows = (image, size) => slid(image, size, 0, 1);
export const openedRows = (image, size) => slid(slid(image, size, 0, -1), size, (size + 1) % 2, 1);
export const largest = (image, size) => both(image, (rows) => slid(rows, size, 0, 1));
export const dilated = (image, size) => both(image, (rows) => slid(rows, size, (size + 1) % 2, 1));
export const eroded = (image, size) => both(image, (rows) => slid(rows, size, 0, -1));

export function cubic(x) {  // the curve of Pillow's bicubic filter
  x = Math.abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

cubic.reach = 2;
export const box = Object.assign((x) => (x > -0.5 && x <= 0.5 ? 1 : 0), { reach: 0.5 });
export const triangle = Object.assign((x) => Math.max(0, 1 - Math.abs(x)), { reach: 1 });

function taps(from, to, curve) {  // for each new pixel: the first old one and the weights from there on
  const scale = from / to, wide = Math.max(scale, 1), reach = curve.reach * wide;
  return Array.from({ length: to }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.min(from, Math.trunc(centre + reach + 0.5));
    const weight = (_, i) => curve((first + i - centre + 0.5) / wide);
    const weights = Array.from({ length: last - first }, weight);
    const sum = weights.reduce((one, other) => one + other);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

function scaledRows({ values, wide, high }, to, curve) {  // bytes: rounded as Pillow does, a half upwards
  const rows = new values.constructor(to * high), along = taps(wide, to, curve);
  const round = values instanceof Uint8ClampedArray ? Math.round : (value) => value;
  for (let y = 0, at = 0; y < high; y++) for (let x = 0; x < to; x++, at++) {
    const { weights, first } = along[x], from = y * wide + first;
    let sum = 0;
    for (let i = 0; i < weights.length; i++) sum += weights[i] * values[from + i];
    rows[at] = round(sum);
  }
  return { values: rows, wide: to, high };
}

export function scaled(image, newWide, newHigh, curve = cubic) {  // as Pillow does
  return turned(scaledRows(turned(scaledRows(image, newWide, curve)), newHigh, curve));
}

export function labelled({ values, wide, high }, least, corners) {  // connected places above least
  const labels = new Int32Array(values.length), boxes = [], open = [];
  values.forEach((value, start) => {
    if (value <= least || labels[start]) return;
    const number = boxes.length + 1;
    const box = { left: wide, right: 0, top: high, bottom: 0, size: 0, sum: 0, start, members: [number] };
    labels[start] = number;
    open.push(start);
    while (open.length) {
      const place = open.pop(), x = place % wide, y = (place - x) / wide;
      box.left = Math.min(box.left, x); box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y); box.bottom = Math.max(box.bottom, y + 1);
      box.size++; box.sum += values[place];
      for (let v = Math.max(0, y - 1); v <= Math.min(high - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(wide - 1, x + 1); u++) {
          const next = v * wide + u;
          if (values[next] > least && !labels[next] && (corners || u === x || v === y)) {
            labels[next] = number;
            open.push(next);
          }
        }
    }
    boxes.push(box);
  });
  return { labels, boxes };
}

export function nearestOutside({ values, wide }) {  // for each place above 0: the nearest that is not
  const nearest = Int32Array.from(values, (_, i) => i), rows = new Int32Array(values.length).fill(-1);
  const nearer = (i, y) => {  // of the row known and that, which is nearer in this column
    const own = Math.floor(i / wide);
    if (y >= 0 && (rows[i] < 0 || Math.abs(y - own) < Math.abs(rows[i] - own))) rows[i] = y;
  };
  for (let i = 0; i < values.length; i++)
    if (!values[i]) rows[i] = Math.floor(i / wide);
    else if (i >= wide) nearer(i, rows[i - wide]);
  for (let i = values.length - 1 - wide; i >= 0; i--) if (values[i]) nearer(i, rows[i + wide]);
  values.forEach((value, i) => {
    if (!value) return;
    const x = i % wide, y = (i - x) / wide;
    let best = Infinity;
    for (let away = 0; away * away < best && away < wide; away++) for (const u of [x - away, x + away]) {
      if (u < 0 || u >= wide || rows[y * wide + u] < 0) continue;
      const row = rows[y * wide + u], distance = away * away + (row - y) ** 2;
      if (distance < best) { best = distance; nearest[i] = row * wide + u; }
    }
  });
  return nearest;
}
