// One digit's ink, bright on zero, cropped into 20×20 and centred: centre.py in JavaScript.
import { cropped, even, inkBounds, map, most, scaled } from "./filters.js";

function inTwenty(ink) {  // the ink scaled into 20×20; null without ink
  const bounds = inkBounds(ink);
  if (!bounds) return null;
  const { left, top, width, height } = bounds, darkest = most(ink.values);
  const fitted = (length) => Math.max(1, even(20 * length / Math.max(width, height)));
  const own = scaled(cropped(ink, left, top, width, height), fitted(width), fitted(height));
  return map(own, (value) => Math.min(1, Math.max(0, value / darkest)));
}

export function centred(ink) {  // ink {values, wide} as 28×28; null without ink
  const small = inTwenty(ink);
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
