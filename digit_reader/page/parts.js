// Which boxes belong to one digit, and in which order digits are read: parts.py's and lines.py's rules.
import { Problem } from "./ink.js";
import { even, labelled, most, quantile } from "./filters.js";
import { RULES } from "./rules.js";

const height = (box) => box.bottom - box.top, width = (box) => box.right - box.left;
const length = (box) => Math.max(height(box), width(box));

function overlap(low, high, otherLow, otherHigh) {  // as a share of the shorter range
  const shorter = Math.max(1e-6, Math.min(high - low, otherHigh - otherLow));
  return (Math.min(high, otherHigh) - Math.max(low, otherLow)) / shorter;
}

function belongs(one, other) {
  const tall = Math.max(height(one), height(other)), short = Math.min(height(one), height(other));
  const gap = Math.max(
    Math.max(one.left, other.left) - Math.min(one.right, other.right),
    Math.max(one.top, other.top) - Math.min(one.bottom, other.bottom));
  if (gap >= tall) return false;  // most pairs: none of the rules joins these
  if (one.linked?.some((link) => other.linked.includes(link)) && gap < RULES.link_gap * tall) return true;
  const across = overlap(one.left, one.right, other.left, other.right);
  const down = overlap(one.top, one.bottom, other.top, other.bottom);
  if (down <= 0 && across > RULES.stacked_across) {  // stacked, as a 5 and its bar
    if (height(one) > width(one) && height(other) > width(other)) return false;  // two digits
    const isStroke = short < RULES.stroke_above * tall && across > RULES.stroke_across;
    return gap < (isStroke ? RULES.stroke_gap : RULES.stacked_gap) * (tall + short + gap);
  }
  if (down > 0 && gap < RULES.stem_gap * tall && isStemOfFour(one, other)) return true;
  return gap < RULES.near_gap * tall
    && (across > RULES.side_across || (short < RULES.stroke_beside * tall && down > 0));
}

function isStemOfFour(...both) {  // beside its corner, and lower; two digits stand about equally high
  const [corner, stem] = both.sort((one, other) => one.left - other.left || one.top - other.top);
  const top = stem.top - corner.top, bottom = stem.bottom - corner.bottom;
  const [least, most] = RULES.stem_lower.map((share) => share * height(corner));
  const isStem = width(stem) < RULES.stem_wide * height(stem) && height(stem) > RULES.stem_high * height(corner);
  return isStem && Math.min(top, bottom) > least && top < most;
}

function joined(one, other) {
  return {
    top: Math.min(one.top, other.top), bottom: Math.max(one.bottom, other.bottom),
    left: Math.min(one.left, other.left), right: Math.max(one.right, other.right),
    members: [...one.members, ...other.members],
    linked: [...one.linked ?? [], ...other.linked ?? []],
  };
}

function linesOf(boxes) {  // each goes on with the line of which one of the last two stands beside it
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
  const tall = quantile(line.map(height), 0.5);
  const apart = line.slice(1).map((box, i) => box.left - line[i].right);
  const usual = apart.length ? Math.max(quantile(apart, 0.25), 0) : 0;
  const least = apart.length > 1 ? Math.max(RULES.gap * tall, RULES.gap_times * usual) : RULES.gap_of_two * tall;
  return line.map((box, i) => ({ ...box, line: number, gap: i > 0 && apart[i - 1] > least }));
}

export function digitsIn(boxes) {  // boxes with members; joined where they belong together
  const found = [];
  for (let box of [...boxes].sort((a, b) => height(b) - height(a))) {
    const near = found.findIndex((other) => belongs(other, box));
    if (near >= 0) box = joined(found.splice(near, 1)[0], box);
    found.push(box);
  }
  const longest = found.reduce((most, box) => Math.max(most, length(box)), 0);
  const digits = found.filter((box) => width(box) < RULES.flat * height(box) && height(box) > RULES.small * longest);
  return linesOf(digits).flatMap(withGaps);
}

const near = ({ wide, high }) => even(RULES.near_border * Math.min(wide, high));
const atSide = (box, ink) => box.left <= near(ink) || box.right >= ink.wide - near(ink);
const atBorder = (box, ink) => atSide(box, ink) || box.top <= near(ink) || box.bottom >= ink.high - near(ink);

function surrounds(box, ink, longest) {  // a strip along the border, or longer than that and touching it
  const [along, deep] = atSide(box, ink) ? [height(box), width(box)] : [width(box), height(box)];
  return atBorder(box, ink) && (length(box) > longest || deep < RULES.strip * along);
}

function withoutSurroundings(boxes, ink) {  // without what reaches in from the border, a thumb or the desk
  const inner = boxes.filter((box) => !atBorder(box, ink)), longest = Math.max(0, most(inner.map(length)));
  const alike = inner.filter((box) => length(box) > RULES.inner * longest);
  if (alike.length < 2) return boxes;  // one digit that fills the picture has small parts, too
  return boxes.filter((box) => !surrounds(box, ink, RULES.longer * longest));
}

function paleDigits(weak, strong) {  // those that stand beside strong ones and are about as long
  const [low, high] = RULES.alike;
  const beside = (box) => strong.filter((other) => low * length(other) <= length(box)
    && length(box) <= high * length(other) && overlap(box.top, box.bottom, other.top, other.bottom) > 0.5);
  return weak.filter((box) => beside(box).length >= RULES.company);
}

function apart(one, other) {  // beside each other, or in two lines
  return overlap(one.left, one.right, other.left, other.right) < RULES.beside
    || overlap(one.top, one.bottom, other.top, other.bottom) < RULES.beside;
}

function faintDigits(ink, labels, strong) {  // where the pen ran dry, like the digits beside them; labelled, too
  if (strong.length < RULES.company) return [];
  const faint = labelled(ink, RULES.least, true), taken = new Set(strong.flatMap((box) => box.members)), known = new Set();
  labels.forEach((label, i) => { if (taken.has(label)) known.add(faint.labels[i]); });
  const likely = faint.boxes.filter((box) => !known.has(box.members[0])
    && width(box) <= RULES.upright * height(box) && box.size >= RULES.fills * height(box) ** 2  // a rule's rest is thin
    && strong.every((other) => apart(box, other)));
  return paleDigits(likely, strong).map((box) => {
    const members = new Set([labels.length + box.members[0]]);
    faint.labels.forEach((label, i) => {
      if (label === box.members[0]) members.add(labels[i] ||= labels.length + label);
    });
    return { ...box, members: [...members], linked: [] };
  });
}

function wholeStrokes(boxes, links) {  // with the grains of a pencil's digit made one box
  const together = new Map(boxes.map((box) => [links.labels[box.start], []]));
  for (const box of boxes) together.get(links.labels[box.start]).push({ ...box, linked: [links.labels[box.start]] });
  return [...together].flatMap(([link, some]) => {
    const of = (side, best) => some.reduce((found, box) => best(found, box[side]), some[0][side]);
    const sum = (side) => some.reduce((total, box) => total + box[side], 0);
    const whole = { top: of("top", Math.min), bottom: of("bottom", Math.max), left: of("left", Math.min), right: of("right", Math.max),
      size: sum("size"), sum: sum("sum"), members: some.flatMap((box) => box.members), linked: [link] };
    const grains = whole.size > RULES.grains * links.boxes[link - 1].size
      && most(some.map((box) => box.size)) < RULES.grain_most * whole.size;
    const isOne = grains && whole.sum >= RULES.weak * whole.size && width(whole) <= RULES.upright * height(whole);
    return isOne ? [whole] : some;
  }).sort((one, other) => one.members[0] - other.members[0]);
}

export function partsOf(ink) {  // {boxes, labels}, without specks and weak residue
  const { labels, boxes: pieces } = labelled(ink, RULES.ink, true);
  const boxes = wholeStrokes(pieces, labelled(ink, RULES.faint, true));
  const strength = (box) => box.sum / box.size;
  const inner = withoutSurroundings(boxes.filter((box) => strength(box) >= RULES.weak), ink);
  const least = RULES.speck * most(inner.map((box) => box.size)), shortest = RULES.short * most(inner.map(length));
  const strong = inner.filter((box) => box.size >= least && length(box) >= shortest);
  if (strong.length > RULES.many) throw new Problem(`${strong.length} pieces of ink are no number: crop the picture.`);
  const weak = boxes.filter((box) => strength(box) >= RULES.pale && strength(box) < RULES.weak);
  const kept = [...strong, ...paleDigits(weak, strong)];
  return { boxes: [...kept, ...faintDigits(ink, labels, kept)], labels };
}
