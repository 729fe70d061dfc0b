// Which boxes belong to one digit, and in which order digits are read: parts.py's rules.

function overlap(low, high, otherLow, otherHigh) {  // as a share of the shorter range
  const shorter = Math.max(1e-6, Math.min(high - low, otherHigh - otherLow));
  return (Math.min(high, otherHigh) - Math.max(low, otherLow)) / shorter;
}

function belongs(one, other) {
  const across = overlap(one.left, one.right, other.left, other.right);
  const down = overlap(one.top, one.bottom, other.top, other.bottom);
  const heights = [one, other].map((box) => box.bottom - box.top);
  const tall = Math.max(...heights), short = Math.min(...heights);
  const gap = Math.max(
    Math.max(one.left, other.left) - Math.min(one.right, other.right),
    Math.max(one.top, other.top) - Math.min(one.bottom, other.bottom));
  if (down <= 0 && across > 0.25) {  // stacked, as a 5 and its bar
    const isStroke = short < 0.6 * tall && across > 0.5;
    return gap < (isStroke ? 0.22 : 0.12) * (tall + short + gap);
  }
  return gap < 0.12 * tall && (across > 0.4 || (short < 0.65 * tall && down > 0));
}

function joined(one, other) {
  return {
    top: Math.min(one.top, other.top), bottom: Math.max(one.bottom, other.bottom),
    left: Math.min(one.left, other.left), right: Math.max(one.right, other.right),
    members: [...one.members, ...other.members],
  };
}

function inOrder(boxes) {  // by lines from above, each line from left to right
  const lines = [];
  for (const box of [...boxes].sort((one, other) => one.top - other.top)) {
    const middle = (box.top + box.bottom) / 2;
    const line = lines.find(([first]) => first.top <= middle && middle <= first.bottom);
    if (line) line.push(box); else lines.push([box]);
  }
  return lines.flatMap((line) => line.sort((one, other) => one.left - other.left));
}

export function digitsIn(boxes) {  // boxes with members; joined where they belong together
  const found = [];
  for (let box of [...boxes].sort((a, b) => b.bottom - b.top - (a.bottom - a.top))) {
    const near = found.findIndex((other) => belongs(other, box));
    if (near >= 0) box = joined(found.splice(near, 1)[0], box);
    found.push(box);
  }
  return inOrder(found);
}
