// One digit's ink, bright on zero, cropped into 20×20 and centred: centre.py in JavaScript.

function cubic(x) {  // the curve of Pillow's bicubic filter
  x = Math.abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

function taps(from, to) {  // for each new pixel: the first old one and the weights from there on
  const scale = from / to, wide = Math.max(scale, 1);
  return Array.from({ length: to }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - 2 * wide + 0.5));
    const last = Math.min(from, Math.trunc(centre + 2 * wide + 0.5));
    const weight = (_, i) => cubic((first + i - centre + 0.5) / wide);
    const weights = Array.from({ length: last - first }, weight);
    const sum = weights.reduce((one, other) => one + other);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

function resized(pixel, width, height, newWidth, newHeight) {
  const across = taps(width, newWidth), down = taps(height, newHeight);
  const blend = ({ first, weights }, at) =>
    weights.reduce((sum, weight, i) => sum + weight * at(first + i), 0);
  const narrow = (_, y) => across.map((tap) => blend(tap, (x) => pixel(x, y)));
  const rows = Array.from({ length: height }, narrow);
  return down.map((tap) => across.map((_, x) => blend(tap, (y) => rows[y][x])));
}

const even = (x) => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));  // as Python rounds

function cropped(ink, wide) {  // the ink's rows of values, scaled into 20×20; null without ink
  let top = Infinity, left = Infinity, bottom = -1, right = -1, most = 0;
  ink.forEach((value, place) => {
    if (value === 0) return;
    const x = place % wide, y = (place - x) / wide;
    top = Math.min(top, y); bottom = Math.max(bottom, y);
    left = Math.min(left, x); right = Math.max(right, x);
    most = Math.max(most, value);
  });
  if (bottom < 0) return null;
  const width = right - left + 1, height = bottom - top + 1;
  const fitted = (length) => Math.max(1, even(20 * length / Math.max(width, height)));
  const pixel = (x, y) => ink[(top + y) * wide + left + x];
  return resized(pixel, width, height, fitted(width), fitted(height))
    .map((row) => row.map((value) => Math.min(1, Math.max(0, value / most))));
}

export function centred(ink, wide) {  // ink in rows of that length as 28×28; null without ink
  const small = cropped(ink, wide);
  if (!small) return null;
  let sum = 0, rows = 0, columns = 0;
  small.forEach((row, y) => row.forEach((value, x) => {
    sum += value; rows += value * y; columns += value * x;
  }));
  const up = even(20 + rows / sum) - 34, across = even(20 + columns / sum) - 34;
  const image = new Float32Array(784);
  small.forEach((row, y) => row.forEach((value, x) => {
    const v = y - up, u = x - across;
    if (v >= 0 && v < 28 && u >= 0 && u < 28) image[28 * v + u] = value;
  }));
  return image;
}
