// The drawing: strokes as points from 0 to 1, drawn by mouse, finger or pen; undone, redone, stored, and as ink.

const KEY = "digit-reader-strokes";
export const PEN = 0.07;  // the pen's width as a share of the canvas, and of a digit made as large as it

export class Drawing {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;  // called with whether the pen is up
    this.pointer = null;
    this.past = [];  // for undo: steps that say from which stroke on others stood, and which
    this.future = [];
    this.strokes = this.stored();
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.extend(event));
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"])
      canvas.addEventListener(kind, (event) => this.end(event));
  }

  stored() {
    try {
      const strokes = JSON.parse(localStorage.getItem(KEY) ?? "[]");
      const isDrawing = strokes.every((stroke) => stroke.length && stroke.every(([x, y]) => isFinite(x + y)));
      return isDrawing ? strokes : [];
    } catch { return []; }  // no storage, or somebody else's
  }

  store() {
    try { localStorage.setItem(KEY, JSON.stringify(this.strokes)); } catch { /* private browsing */ }
  }

  place({ clientX, clientY }) {  // of an event, as shares of the canvas
    const box = this.canvas.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height]
      .map((share) => Math.round(1e4 * share) / 1e4);
  }

  begin(event) {
    const takesOver = event.pointerType === "pen" && this.kind !== "pen";  // the hand that holds it touched first
    if (event.button !== 0 || (this.pointer !== null && !takesOver)) return;
    event.preventDefault();
    if (this.pointer !== null) this.discard();
    [this.pointer, this.kind] = [event.pointerId, event.pointerType];
    try { this.canvas.setPointerCapture(event.pointerId); } catch { /* it is up again */ }
    this.remember({ at: this.strokes.length, strokes: [[this.place(event)]] });
    this.changed(false);
  }

  extend(event) {
    if (event.pointerId !== this.pointer) return;
    const every = event.getCoalescedEvents?.() ?? [];
    for (const each of every.length ? every : [event]) this.strokes.at(-1).push(this.place(each));
    this.changed(false);
  }

  end(event) {
    if (event.pointerId !== this.pointer) return;
    if (event.type === "pointercancel" && this.kind === "touch") this.discard();  // the system took it for a palm
    this.lift();
    this.changed(true);
  }

  discard() {  // the stroke in hand, as if it had not been begun
    this.taken(this.past.pop());
    this.future = this.undone;
  }

  lift() {
    this.pointer = null;
    this.store();
  }

  taken({ at, strokes }) {  // take a step; the step back
    return { at, strokes: this.strokes.splice(at, Infinity, ...strokes) };
  }

  remember(step) {
    this.past.push(this.taken(step));
    [this.undone, this.future] = [this.future, []];
  }

  set(strokes) {  // a new list of strokes, which can be undone
    this.lift();
    this.remember({ at: 0, strokes });
    this.store();
    this.changed(true);
  }

  clear() { if (this.strokes.length || this.pointer !== null) this.set([]); }

  step(from, to) {  // undo or redo
    this.lift();
    if (!from.length) return;
    to.push(this.taken(from.pop()));
    this.store();
    this.changed(true);
  }

  undo() { this.step(this.past, this.future); }
  redo() { this.step(this.future, this.past); }
}

export function whiten(pen) {  // the whole canvas; white in forced colours, too
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, pen.canvas.width, pen.canvas.height);
}

export function paint(pen, strokes) {
  const { width, height } = pen.canvas;
  Object.assign(pen, { lineCap: "round", lineJoin: "round", lineWidth: PEN * width, strokeStyle: "#111" });
  for (const stroke of strokes) {  // curves through the middles between points look smooth
    const points = stroke.map(([x, y]) => [x * width, y * height]);
    pen.beginPath();
    pen.moveTo(...points[0]);
    points.forEach(([x, y], i) => {
      const [nextX, nextY] = points[i + 1] ?? [x, y];
      pen.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    });
    pen.lineTo(points.at(-1)[0], points.at(-1)[1] + 0.01);  // a dot shows, too
    pen.stroke();
  }
}

class Growing {  // what strokes leave: those that grow no more leave it once
  count = 0;  // of strokes that are done

  grow(strokes, key, clear, add) {  // anew where key has changed; the strokes that may still grow
    const count = Math.max(0, strokes.length - 1);
    if (this.key !== key || this.count > count || this.last !== strokes[this.count - 1]) {
      clear();
      this.count = 0;
    }
    add(strokes.slice(this.count, count));
    Object.assign(this, { key, count, last: strokes[count - 1] });
    return strokes.slice(count);
  }
}

export class Painting extends Growing {  // on a canvas, and of what is done on another one
  constructor(canvas) {
    super();
    const { width, height } = canvas;
    this.pen = canvas.getContext("2d");
    this.done = Object.assign(document.createElement("canvas"), { width, height });
    this.donePen = this.done.getContext("2d");
  }

  show(strokes) {
    const growing = this.grow(strokes, "", () => whiten(this.donePen), (more) => paint(this.donePen, more));
    this.pen.drawImage(this.done, 0, 0);
    paint(this.pen, growing);
  }
}

function eachLine(points, line) {  // short ones along what paint paints, less than 1/20 pixel away
  let [fromX, fromY] = points[0];
  points.forEach(([x, y], i) => {
    const [nextX, nextY] = points[i + 1] ?? [x, y], [startX, startY] = [fromX, fromY];
    const endX = (x + nextX) / 2, endY = (y + nextY) / 2;
    const count = Math.ceil(Math.sqrt(5 * Math.hypot(startX - 2 * x + endX, startY - 2 * y + endY))) || 1;
    for (let n = 1; n <= count; n++) {
      const t = n / count, [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2];
      const toX = a * startX + b * x + c * endX, toY = a * startY + b * y + c * endY;
      line(fromX, fromY, toX, toY);
      [fromX, fromY] = [toX, toY];
    }
  });
}

// How much of each pixel of an image strokes cover, as paint would: calculated from their points, since browsers
// that protect against fingerprinting give other pixels back than were painted.
export class Ink extends Growing {
  constructor(wide, high) {
    super();
    Object.assign(this, { wide, high, done: new Float32Array(wide * high) });  // squared distances to the nearest line
  }

  of(strokes, key, width, at) {
    const reach = width / 2 + 0.5, add = (squares, some) => some.forEach((stroke) =>
      eachLine(stroke.map(at), (...line) => this.approach(squares, reach, ...line)));
    const growing = this.grow(strokes, key, () => this.done.fill(Infinity), (more) => add(this.done, more));
    const squares = this.done.slice();
    add(squares, growing);
    const values = squares.map((square) => Math.min(1, Math.max(0, reach - Math.sqrt(square))));
    return { values, wide: this.wide, high: this.high };
  }

  approach(squares, reach, fromX, fromY, toX, toY) {
    const wide = toX - fromX, high = toY - fromY, length = wide * wide + high * high || 1;
    const span = (one, other, side) => [Math.max(0, Math.floor(Math.min(one, other) - reach)),
      Math.min(side - 1, Math.floor(Math.max(one, other) + reach))];
    const [left, right] = span(fromX, toX, this.wide), [top, bottom] = span(fromY, toY, this.high);
    for (let y = top; y <= bottom; y++)
      for (let x = left, i = y * this.wide + x; x <= right; x++, i++) {
        const across = x + 0.5 - fromX, down = y + 0.5 - fromY;
        const share = Math.min(1, Math.max(0, (across * wide + down * high) / length));
        squares[i] = Math.min(squares[i], (across - share * wide) ** 2 + (down - share * high) ** 2);
      }
  }
}
