// Which boxes belong to one digit, and in which order digits are read: parts.py's and lines.py's rules.
import { Problem } from "./ink.js";
import { even, labelled, most, quantile } from "./filters.js";
import THRESHOLDS from "../thresholds.json" with { type: "json" };

const height = (box) => box.bottom - box.top, width = (box) => box.right - box.left;
const length = (box) => Math.max(height(box), width(box));

function overlap(low, high, otherLow, otherHigh) {  // as a share of the shorter range
  const shorter = Math.max(1e-6, Math.min(high - low, otherHigh - otherLow));
  return (Math.min(high, otherHigh) - Math.max(low, otherLow)) / shorter;
}

const across = (one, other) => overlap(one.left, one.right, other.left, other.right);
const down = (one, other) => overlap(one.top, one.bottom, other.top, other.bottom);

function belongs(one, other) {
  const limits = THRESHOLDS.lines;
  const tall = Math.max(height(one), height(other)), short = Math.min(height(one), height(other));
  const gap = Math.max(
    Math.max(one.left, other.left) - Math.min(one.right, other.right),
    Math.max(one.top, other.top) - Math.min(one.bottom, other.bottom));
  if (gap >= tall) return false;  // most pairs: none of the rules joins these
  if (one.linked?.some((link) => other.linked.includes(link)) && gap < limits.link_gap * tall) return true;
  const beside = down(one, other) > 0;
  if (!beside && across(one, other) > limits.stacked_overlap) return areStacked(one, other, gap);
  if (beside && gap < limits.stem_gap * tall && isStemOfFour(one, other)) return true;
  return gap < limits.beside_gap * tall
    && (across(one, other) > limits.beside_overlap || (short < limits.beside_height * tall && beside));
}

function areStacked(one, other, gap) {  // above each other and of one digit: a 5 and its bar, or two halves
  const limits = THRESHOLDS.lines;
  if (height(one) > width(one) && height(other) > width(other)) return false;  // two digits
  const tall = Math.max(height(one), height(other)), short = Math.min(height(one), height(other));
  const isBar = short < limits.bar_height * tall && across(one, other) > limits.bar_overlap;
  return gap < (isBar ? limits.bar_gap : limits.stacked_gap) * (tall + short + gap);
}

function isStemOfFour(...both) {  // beside its corner, and lower; two digits stand about equally high
  const limits = THRESHOLDS.lines;
  const [corner, stem] = both.sort((one, other) => one.left - other.left || one.top - other.top);
  const top = stem.top - corner.top, bottom = stem.bottom - corner.bottom;
  const [lowest, highest] = limits.stem_drop.map((share) => share * height(corner));
  const isNarrow = width(stem) < limits.stem_aspect * height(stem);
  const isStem = isNarrow && height(stem) > limits.stem_height * height(corner);
  return isStem && Math.min(top, bottom) > lowest && top < highest;
}

function joined(one, other) {
  return {
    top: Math.min(one.top, other.top), bottom: Math.max(one.bottom, other.bottom),
    left: Math.min(one.left, other.left), right: Math.max(one.right, other.right),
    members: [...one.members, ...other.members],
    linked: [...one.linked ?? [], ...other.linked ?? []],
  };
}

function linesOf(boxes) {  // each continues the line of which one of the last two stands beside it
  const lines = [];
  for (const box of [...boxes].sort((one, other) => one.left - other.left)) {
    const middle = (box.top + box.bottom) / 2;
    const beside = lines.filter((line) => Math.min(...line.slice(-2).map((last) => last.top)) <= middle
      && middle <= Math.max(...line.slice(-2).map((last) => last.bottom)));
    if (beside.length) beside.reduce((a, b) => (b.at(-1).left > a.at(-1).left ? b : a)).push(box);
    else lines.push([box]);
  }
  const middle = (line) => line.reduce((sum, box) => sum + box.top + box.bottom, 0) / line.length;
  return lines.sort((one, other) => middle(one) - middle(other));
}

function withGaps(line, number) {  // each box with its line, and whether a gap is before it
  const limits = THRESHOLDS.lines, tall = quantile(line.map(height), 0.5);
  const gaps = line.slice(1).map((box, i) => box.left - line[i].right);
  const usual = gaps.length ? Math.max(quantile(gaps, 0.25), 0) : 0;
  const widestWithin = gaps.length > 1
    ? Math.max(limits.number_gap * tall, limits.number_gap_usual * usual) : limits.number_gap_of_two * tall;
  return line.map((box, i) => ({ ...box, line: number, gap: i > 0 && gaps[i - 1] > widestWithin }));
}

export function digitsIn(boxes) {  // boxes with members; joined where they belong together
  const limits = THRESHOLDS.lines, parts = [];
  for (let box of [...boxes].sort((a, b) => height(b) - height(a))) {
    const near = parts.findIndex((other) => belongs(other, box));
    if (near >= 0) box = joined(parts.splice(near, 1)[0], box);
    parts.push(box);
  }
  const longest = parts.reduce((most, box) => Math.max(most, length(box)), 0);
  const isDigit = (box) => width(box) < limits.max_aspect * height(box) && height(box) > limits.min_height * longest;
  return linesOf(parts.filter(isDigit)).flatMap(withGaps);
}

const near = ({ wide, high }) => even(THRESHOLDS.parts.border * Math.min(wide, high));
const atSide = (box, ink) => box.left <= near(ink) || box.right >= ink.wide - near(ink);
const atBorder = (box, ink) => atSide(box, ink) || box.top <= near(ink) || box.bottom >= ink.high - near(ink);

function surrounds(box, ink, longest) {  // a strip along the border, or it reaches in and is much longer
  const limits = THRESHOLDS.parts;
  const [along, deep] = atSide(box, ink) ? [height(box), width(box)] : [width(box), height(box)];
  const isLong = length(box) > limits.surroundings_length * longest;
  return atBorder(box, ink) && (isLong || deep < limits.strip_aspect * along);
}

function withoutSurroundings(boxes, ink) {  // without what reaches in from the border, a thumb or the desk
  const inner = boxes.filter((box) => !atBorder(box, ink)), longest = Math.max(0, most(inner.map(length)));
  const alike = inner.filter((box) => length(box) > THRESHOLDS.parts.inner_length * longest);
  if (alike.length < 2) return boxes;  // one digit that fills the picture has small parts, too
  return boxes.filter((box) => !surrounds(box, ink, longest));
}

function paleDigits(weak, strong) {  // those that stand beside strong ones and are about as long
  const limits = THRESHOLDS.parts, [low, high] = limits.similar_length;
  const areAlike = (box, other) => low * length(other) <= length(box) && length(box) <= high * length(other)
    && down(box, other) > limits.line_overlap;
  return weak.filter((box) => strong.filter((other) => areAlike(box, other)).length >= limits.min_neighbours);
}

const apart = (one, other) =>  // beside each other, or in two lines
  Math.min(across(one, other), down(one, other)) < THRESHOLDS.parts.apart_overlap;

function dryDigits(ink, labels, strong) {  // where the pen ran dry, like the digits beside them; labelled, too
  const limits = THRESHOLDS.parts;
  if (strong.length < limits.min_neighbours) return [];
  const faint = labelled(ink, limits.dry, true), taken = new Set(strong.flatMap((box) => box.members));
  const known = new Set(faint.labels.filter((_, i) => taken.has(labels[i])));
  const candidates = faint.boxes.filter((box) => !known.has(box.members[0])
    && width(box) <= limits.max_aspect * height(box)
    && box.size >= limits.min_fill * height(box) ** 2  // a rule's rest is thin
    && strong.every((other) => apart(box, other)));
  return paleDigits(candidates, strong).map((box) => {
    const members = new Set([labels.length + box.members[0]]);
    faint.labels.forEach((label, i) => {
      if (label === box.members[0]) members.add(labels[i] ||= labels.length + label);
    });
    return { ...box, members: [...members], linked: [] };
  });
}

function wholeStrokes(boxes, links) {  // with the grains of a pencil's digit made one box
  const limits = THRESHOLDS.parts, byLink = new Map(boxes.map((box) => [links.labels[box.start], []]));
  for (const box of boxes) byLink.get(links.labels[box.start]).push({ ...box, linked: [links.labels[box.start]] });
  return [...byLink].flatMap(([link, pieces]) => {
    const sum = (name) => pieces.reduce((total, box) => total + box[name], 0);
    const whole = { ...pieces.reduce(joined), size: sum("size"), sum: sum("sum"), linked: [link] };
    const grains = whole.size > limits.grains_share * links.boxes[link - 1].size
      && most(pieces.map((box) => box.size)) < limits.largest_grain * whole.size;
    const isNarrow = width(whole) <= limits.max_aspect * height(whole);
    return grains && whole.sum >= limits.strong_mean * whole.size && isNarrow ? [whole] : pieces;
  }).sort((one, other) => one.members[0] - other.members[0]);
}

export function partsOf(ink) {  // {boxes, labels}, without specks and weak residue
  const limits = THRESHOLDS.parts, { labels, boxes: pieces } = labelled(ink, limits.ink, true);
  const boxes = wholeStrokes(pieces, labelled(ink, limits.link, true)), meanInk = (box) => box.sum / box.size;
  const inner = withoutSurroundings(boxes.filter((box) => meanInk(box) >= limits.strong_mean), ink);
  const minSize = limits.speck_area * most(inner.map((box) => box.size));
  const minLength = limits.speck_length * most(inner.map(length));
  const strong = inner.filter((box) => box.size >= minSize && length(box) >= minLength);
  if (strong.length > limits.max_parts) throw new Problem(`${strong.length} pieces of ink are no number: crop the picture.`);
  const weak = boxes.filter((box) => meanInk(box) >= limits.pale_mean && meanInk(box) < limits.strong_mean);
  strong.push(...paleDigits(weak, strong));
  return { boxes: [...strong, ...dryDigits(ink, labels, strong)], labels };
}
