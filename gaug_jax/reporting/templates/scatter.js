"use strict";
const PALETTE = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee7733",
  "#009988", "#cc3311", "#999999"];
function colourOf(label, count) {
  if (label < 0) return "#888888";
  return count <= PALETTE.length ? PALETTE[label] : `hsl(${(360 * label) / count} 60% 55%)`;
}
function mark(context, shape, x, y, size) {
  context.beginPath();
  if (shape === 0) context.arc(x, y, size, 0, 7);
  else if (shape === 1) context.rect(x - size, y - size, 2 * size, 2 * size);
  else {
    context.moveTo(x - size, y - size); context.lineTo(x + size, y + size);
    context.moveTo(x - size, y + size); context.lineTo(x + size, y - size);
  }
  if (shape === 2) context.stroke(); else context.fill();
}
function start(root) {
  const data = JSON.parse(root.querySelector("script").textContent);
  const canvas = root.querySelector("canvas"), context = canvas.getContext("2d");
  const thumbnail = root.querySelector(".thumbnail"), words = root.querySelector(".seen p");
  const sprite = root.querySelector("img").src;
  let plane = Object.keys(data.planes)[0], chosen = -1, places = [];
  function layout() {
    const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
    canvas.width = box.width * ratio; canvas.height = box.height * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const points = data.planes[plane], xs = points.map(p => p[0]), ys = points.map(p => p[1]);
    const low = [Math.min(...xs), Math.min(...ys)], high = [Math.max(...xs), Math.max(...ys)];
    const scale = (value, axis, extent) =>
      12 + ((value - low[axis]) / (high[axis] - low[axis] || 1)) * (extent - 24);
    places = points.map(p => [scale(p[0], 0, box.width), box.height - scale(p[1], 1, box.height)]);
    draw(box);
  }
  function draw(box) {
    context.clearRect(0, 0, box.width, box.height);
    context.lineWidth = 1.5;
    places.forEach(([x, y], index) => {
      const colour = colourOf(data.labels[index], data.classes.length);
      context.globalAlpha = 0.75; context.fillStyle = colour; context.strokeStyle = colour;
      mark(context, data.origins[index], x, y, 3);
    });
    if (chosen >= 0) {
      context.globalAlpha = 1; context.lineWidth = 2;
      context.strokeStyle = getComputedStyle(document.body).color;
      context.beginPath(); context.arc(...places[chosen], 8, 0, 7); context.stroke();
    }
  }
  function choose(index) {
    chosen = index;
    const side = 96, column = index % data.columns, row = Math.floor(index / data.columns);
    thumbnail.style.backgroundImage = `url(${sprite})`;
    thumbnail.style.backgroundSize = `${data.columns * side}px auto`;
    thumbnail.style.backgroundPosition = `-${column * side}px -${row * side}px`;
    const label = data.labels[index];
    words.textContent = `${data.origin_names[data.origins[index]]}` +
      (label < 0 ? "" : `, class ${data.classes[label]}`);
    draw(canvas.getBoundingClientRect());
  }
  function nearest(event) {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = -1, distance = 400;
    places.forEach((place, index) => {
      const found = (place[0] - x) ** 2 + (place[1] - y) ** 2;
      if (found < distance) { distance = found; best = index; }
    });
    if (best >= 0 && best !== chosen) choose(best);
  }
  canvas.addEventListener("pointermove", nearest);
  canvas.addEventListener("pointerdown", nearest);
  canvas.addEventListener("keydown", event => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    choose((chosen + step + places.length) % places.length);
  });
  const choices = root.querySelector(".choices");
  for (const name of Object.keys(data.planes)) {
    const button = document.createElement("button");
    button.type = "button"; button.textContent = name;
    button.setAttribute("aria-pressed", String(name === plane));
    button.addEventListener("click", () => {
      plane = name;
      for (const other of choices.children)
        other.setAttribute("aria-pressed", String(other === button));
      layout();
    });
    choices.append(button);
  }
  const legend = root.querySelector(".legend");
  const entry = (shape, colour, text) => {
    const item = document.createElement("span"), box = document.createElement("canvas");
    box.width = box.height = 14; box.setAttribute("aria-hidden", "true");
    box.style.cssText = "width:14px;height:14px;display:inline-block;background:none;" +
      "vertical-align:middle;margin-right:4px;cursor:default";
    const pen = box.getContext("2d");
    pen.fillStyle = pen.strokeStyle = colour; pen.lineWidth = 1.5;
    mark(pen, shape, 7, 7, 4);
    item.append(box, text); legend.append(item);
  };
  data.origin_names.forEach((name, origin) => entry(origin, "#888888", name));
  if (data.classes.length <= 20)
    data.classes.forEach((name, label) => entry(0, colourOf(label, data.classes.length), name));
  new ResizeObserver(layout).observe(canvas);
}
document.querySelectorAll("[data-scatter]").forEach(start);
