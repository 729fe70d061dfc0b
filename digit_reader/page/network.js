// The network: unpack its half-precision weights, convolve, multiply, and give probabilities.

function half(bits) {  // a number of 16 bits
  const sign = bits >> 15 ? -1 : 1, power = (bits >> 10) & 31, rest = bits & 1023;
  return power ? sign * 2 ** (power - 15) * (1 + rest / 1024) : sign * 2 ** -24 * rest;
}

export async function unpack(model) {
  const bytes = Uint8Array.from(atob(model.weights), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const data = new Uint8Array(await new Response(stream).arrayBuffer()), count = data.length / 2;
  const values = Float32Array.from({ length: count }, (_, i) => half(data[i] + 256 * data[count + i]));
  let place = 0;
  return model.layers.map((layer) => {
    const size = layer.weights.reduce((one, other) => one * other, 1), units = layer.weights.at(-1);
    const weights = values.subarray(place, place += size), bias = values.subarray(place, place += units);
    return { ...layer, units, bias, values: weights };
  });
}

function convolved(image, side, { weights: [size, , inputs], units, bias, values, stride }) {
  const out = Math.ceil(side / stride), sums = new Float32Array(out * out * units);
  const before = Math.max(0, (out - 1) * stride + size - side) >> 1;  // TensorFlow's "same"
  for (let y = 0; y < out; y++) for (let x = 0; x < out; x++) {
    const to = (y * out + x) * units;
    sums.set(bias, to);
    for (let v = 0; v < size; v++) for (let u = 0; u < size; u++) {
      const row = y * stride + v - before, column = x * stride + u - before;
      if (row < 0 || column < 0 || row >= side || column >= side) continue;
      for (let input = 0; input < inputs; input++) {
        const value = image[(row * side + column) * inputs + input];
        if (value === 0) continue;
        const at = ((v * size + u) * inputs + input) * units;
        for (let unit = 0; unit < units; unit++) sums[to + unit] += value * values[at + unit];
      }
    }
  }
  return sums;
}

function pooled(image, side, channels) {  // the largest of 2×2; an odd last row or column is left out
  const out = side >> 1, largest = new Float32Array(out * out * channels).fill(-Infinity);
  for (let y = 0; y < 2 * out; y++) for (let x = 0; x < 2 * out; x++) for (let c = 0; c < channels; c++) {
    const to = ((y >> 1) * out + (x >> 1)) * channels + c;
    largest[to] = Math.max(largest[to], image[(y * side + x) * channels + c]);
  }
  return largest;
}

function multiplied(image, { units, bias, values }) {
  const sums = Float32Array.from(bias);
  image.forEach((value, input) => {
    if (value) for (let unit = 0, at = input * units; unit < units; unit++, at++)
      sums[unit] += value * values[at];
  });
  return sums;
}

export const surest = (probabilities) => Math.max(...probabilities);

export function probabilities(layers, image, temperature) {  // image: 784 values from 0 to 1
  let values = image, side = 28, channels = 1;
  layers.forEach((layer, number) => {
    if (layer.stride) {
      values = convolved(values, side, layer);
      side = Math.ceil(side / layer.stride); channels = layer.units;
    } else {
      if (layer.pool) values = pooled(values, side, channels);
      values = multiplied(values, layer);
    }
    if (number < layers.length - 1) values = values.map((value) => Math.max(0, value));
  });
  const most = Math.max(...values);
  const powers = Array.from(values, (value) => Math.exp((value - most) / temperature));
  const sum = powers.reduce((one, other) => one + other);
  return powers.map((power) => power / sum);
}
