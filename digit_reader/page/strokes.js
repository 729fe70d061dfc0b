// The drawing: strokes as points from 0 to 1, drawn by mouse, finger or pen; undone, redone, stored.

const KEY = "digit-reader-strokes";

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
    if (event.button !== 0 || this.pointer !== null) return;
    event.preventDefault();
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
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
    this.lift();
    this.changed(true);
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
    this.future = [];
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

export function paint(pen, strokes, width, colour, at = (point) => point) {
  pen.lineCap = pen.lineJoin = "round";
  pen.lineWidth = width;
  pen.strokeStyle = colour;
  for (const stroke of strokes) {  // curves through the middles between points look smooth
    const points = stroke.map(at);
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

export class Painting {  // of strokes on a canvas: those that grow no more are painted once, on another one
  constructor(canvas) {
    const { width, height } = canvas, settings = { willReadFrequently: true };
    this.pen = canvas.getContext("2d", settings);
    this.done = Object.assign(document.createElement("canvas"), { width, height });
    this.donePen = this.done.getContext("2d", settings);
    this.count = 0;  // of strokes that are done
  }

  show(strokes, ground, key, ...how) {  // ground: paints what is beneath; anew where key has changed
    const count = Math.max(0, strokes.length - 1);
    if (this.key !== key || this.count > count || this.last !== strokes[this.count - 1]) {
      ground(this.donePen);
      this.count = 0;
    }
    paint(this.donePen, strokes.slice(this.count, count), ...how);
    Object.assign(this, { key, count, last: strokes[count - 1] });
    this.pen.drawImage(this.done, 0, 0);
    paint(this.pen, strokes.slice(count), ...how);
  }
}
