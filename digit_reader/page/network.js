// The network: unpack its weights, multiply, and turn the last layer into calibrated probabilities.

export async function unpack(model) {
  const bytes = Uint8Array.from(atob(model.weights), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const data = new Uint8Array(await new Response(stream).arrayBuffer()), count = data.length / 2;
  let place = 0;
  return model.biases.map((bias, number) => {
    const units = model.sizes[number + 1], weights = new Float32Array(model.sizes[number] * units);
    for (let i = 0; i < weights.length; i++, place++) {  // low byte, signed high byte, scale
      const whole = data[place] + 256 * ((data[count + place] << 24) >> 24);
      weights[i] = whole * model.scales[number][i % units];
    }
    return { units, weights, bias };
  });
}

export function probabilities(layers, image, temperature) {
  let values = image;
  layers.forEach(({ units, weights, bias }, number) => {
    const next = Float32Array.from(bias);
    values.forEach((value, input) => {
      for (let unit = 0, at = input * units; value && unit < units; unit++, at++)
        next[unit] += value * weights[at];
    });
    values = number < layers.length - 1 ? next.map((value) => Math.max(0, value)) : next;
  });
  const most = Math.max(...values);
  const powers = Array.from(values, (value) => Math.exp((value - most) / temperature));
  const sum = powers.reduce((one, other) => one + other);
  return powers.map((power) => power / sum);
}
