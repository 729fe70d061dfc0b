// The drawing: strokes as points from 0 to 1, drawn by mouse, finger or pen; undone, redone, kept.

const KEY = "digit-reader-strokes";

export class Drawing {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;  // called with whether the pen is up
    this.pointer = null;
    this.past = [];  // earlier lists of strokes, for undo
    this.future = [];
    this.strokes = this.kept();
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.extend(event));
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"])
      canvas.addEventListener(kind, (event) => this.end(event));
  }

  kept() {
    try {
      const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
      return found.every((stroke) => stroke.length && stroke.every(([x, y]) => isFinite(x + y))) ? found : [];
    } catch { return []; }  // no storage, or somebody else's
  }

  keep() {
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
    this.remember();
    this.strokes = [...this.strokes, [this.place(event)]];
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
    this.keep();
  }

  remember() {
    this.past.push(this.strokes);  // no stroke in it grows any more
    this.future = [];
  }

  set(strokes) {  // a new list of strokes, which can be undone
    this.lift();
    this.remember();
    this.strokes = strokes;
    this.keep();
    this.changed(true);
  }

  clear() { if (this.strokes.length || this.pointer !== null) this.set([]); }

  step(from, to) {  // undo or redo
    this.lift();
    if (!from.length) return;
    to.push(this.strokes);
    this.strokes = from.pop();
    this.keep();
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
