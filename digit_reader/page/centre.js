// One digit's ink, bright on zero, cropped into 20×20 and centred: centre.py in JavaScript.
import { cropped, even, map, most, scaled } from "./filters.js";

function inTwenty(ink, wide) {  // the ink scaled into 20×20; null without ink
  let top = Infinity, left = Infinity, bottom = -1, right = -1;
  ink.forEach((value, place) => {
    if (value === 0) return;
    const x = place % wide, y = (place - x) / wide;
    top = Math.min(top, y); bottom = Math.max(bottom, y);
    left = Math.min(left, x); right = Math.max(right, x);
  });
  if (bottom < 0) return null;
  const width = right - left + 1, height = bottom - top + 1, darkest = most(ink);
  const fitted = (length) => Math.max(1, even(20 * length / Math.max(width, height)));
  const own = cropped({ values: ink, wide }, left, top, width, height);
  return map(scaled(own, fitted(width), fitted(height)), (value) => Math.min(1, Math.max(0, value / darkest)));
}

export function centred(ink, wide) {  // ink in rows of that length as 28×28; null without ink
  const small = inTwenty(ink, wide);
  if (!small) return null;
  let sum = 0, rows = 0, columns = 0;
  const place = (i) => [i % small.wide, Math.floor(i / small.wide)];
  small.values.forEach((value, i) => {
    const [x, y] = place(i);
    sum += value; rows += value * y; columns += value * x;
  });
  const up = even(20 + rows / sum) - 34, across = even(20 + columns / sum) - 34;
  const image = new Float32Array(784);
  small.values.forEach((value, i) => {
    const [x, y] = place(i), v = y - up, u = x - across;
    if (v >= 0 && v < 28 && u >= 0 && u < 28) image[28 * v + u] = value;
  });
  return image;
}
