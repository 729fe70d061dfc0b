// The networks: unpack their half-precision weights, convolve images {values, wide, high, channels}, give probabilities.

function half(bits) {  // a number of 16 bits
  const sign = bits >> 15 ? -1 : 1, power = (bits >> 10) & 31, rest = bits & 1023;
  return power ? sign * 2 ** (power - 15) * (1 + rest / 1024) : sign * 2 ** -24 * rest;
}

export async function unpack(model) {  // its layers; a dense one convolves what is a single place
  const bytes = Uint8Array.from(atob(model.weights), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const data = new Uint8Array(await new Response(stream).arrayBuffer()), count = data.length / 2;
  const numbers = Float32Array.from({ length: count + 3 }, (_, i) => half(data[i] + 256 * data[count + i]));  // see convolved
  let place = 0;
  return model.layers.map(({ stride, pool, valid, weights }, number) => {
    const size = weights.reduce((one, other) => one * other, 1), units = weights.at(-1);
    const values = numbers.subarray(place), bias = numbers.subarray(place + size);
    place += size + units;
    return { units, values, bias, valid, pool, isDense: !stride, stride: stride || 1,
      kernel: stride ? weights.slice(0, 2) : [1, 1], least: number < model.layers.length - 1 ? 0 : -Infinity };
  });
}

function pooled({ values, wide, high, channels }, [down, across]) {  // the largest; odd last rows, columns are left out
  const rows = Math.floor(high / down), columns = Math.floor(wide / across);
  const largest = new Float32Array(rows * columns * channels).fill(-Infinity);
  for (let y = 0; y < rows * down; y++) for (let x = 0; x < columns * across; x++) {
    const from = (y * wide + x) * channels;
    const to = (Math.floor(y / down) * columns + Math.floor(x / across)) * channels;
    for (let c = 0; c < channels; c++) if (values[from + c] > largest[to + c]) largest[to + c] = values[from + c];
  }
  return { values: largest, wide: columns, high: rows, channels };
}

// Put what is not zero under a kernel into inputs, and where the weights of it begin into places; return how many.
function gather({ values, wide, high, channels }, { kernel, units }, top, left, inputs, places) {
  let count = 0;
  for (let v = Math.max(0, -top); v < kernel[0] && top + v < high; v++)
    for (let u = Math.max(0, -left); u < kernel[1] && left + u < wide; u++) {
      const from = ((top + v) * wide + left + u) * channels, first = (v * kernel[1] + u) * channels;
      for (let c = 0; c < channels; c++) if (values[from + c] !== 0) {
        inputs[count] = values[from + c];
        places[count++] = (first + c) * units;
      }
    }
  return count;
}

const before = (from, to, stride, size) => Math.max(0, (to - 1) * stride + size - from) >> 1;  // TensorFlow's "same"

function convolved(image, layer) {  // four units at once is fastest; those after the last are overwritten, or cut off
  const { stride, kernel, units, values, bias, least, valid } = layer, wide = Math.ceil(image.wide / stride);
  const high = valid ? image.high - kernel[0] + 1 : Math.ceil(image.high / stride), size = wide * high * units;
  const top = valid ? 0 : before(image.high, high, stride, kernel[0]), left = before(image.wide, wide, stride, kernel[1]);
  const most = kernel[0] * kernel[1] * image.channels, inputs = new Float64Array(most), places = new Int32Array(most);
  const sums = new Float32Array(size + 3);
  for (let y = 0, to = 0; y < high; y++) for (let x = 0; x < wide; x++, to += units) {
    const count = gather(image, layer, y * stride - top, x * stride - left, inputs, places);
    for (let unit = 0; unit < units; unit += 4) {
      let a = bias[unit], b = bias[unit + 1], c = bias[unit + 2], d = bias[unit + 3];
      for (let i = 0; i < count; i++) {
        const input = inputs[i], at = places[i] + unit;
        a += input * values[at]; b += input * values[at + 1]; c += input * values[at + 2]; d += input * values[at + 3];
      }
      const one = to + unit;
      sums[one] = Math.max(least, a); sums[one + 1] = Math.max(least, b);
      sums[one + 2] = Math.max(least, c); sums[one + 3] = Math.max(least, d);
    }
  }
  return { values: sums.subarray(0, size), wide, high, channels: units };
}

export const logits = (layers, image) => layers.reduce((last, layer) => {
  const { values, ...size } = layer.pool ? pooled(last, layer.pool) : last;
  return convolved({ values, ...(layer.isDense ? { wide: 1, high: 1, channels: values.length } : size) }, layer);
}, { channels: 1, ...image });

export const surest = (probabilities) => Math.max(...probabilities);

export function shares(logits, temperature = 1) {  // as probabilities, whose sum is 1
  const most = surest(logits), powers = Array.from(logits, (value) => Math.exp((value - most) / temperature));
  const sum = powers.reduce((one, other) => one + other);
  return powers.map((power) => power / sum);
}

export const probabilities = (layers, image, temperature) =>  // of a digit; image: 784 values from 0 to 1
  shares(logits(layers, { values: image, wide: 28, high: 28 }).values, temperature);
