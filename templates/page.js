// What the page does beside being read: what belongs together lights up, formulas and code can be copied, and
// numbers follow where one is changed. Without this script everything still stands there.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
document.documentElement.classList.add("scripted");

// Equations, boxes of the drawing and lines of code with the same numbers.
const split = (text) => (text ?? "").split(/\s+/).filter(Boolean);
const numbersOf = (node) => split(node.dataset.equations);
const holders = all("[data-equations]");
let lit = [];
function light(node) {
  for (const other of lit) other.classList.remove("lit");
  lit = [];
  if (node === null) return;
  const wanted = new Set([...numbersOf(node), ...split(node.dataset.gradientEquations)]);
  lit = holders.filter((other) => numbersOf(other).some((number) => wanted.has(number)));
  for (const other of lit) other.classList.add("lit");
}
function follow(event) {
  const node = event.target.closest("[data-equations]");
  light(node);
  peekAt(node);
}
for (const event of ["pointerover", "focusin"]) {
  document.addEventListener(event, follow);
}
document.documentElement.addEventListener("pointerleave", () => {
  light(null);
  peek.replaceChildren();
});

// What lights up out of sight is shown at the foot of the window.
const peek = document.createElement("div");
peek.className = "peek";
peek.setAttribute("aria-hidden", "true");
document.body.append(peek);
function peekAt(node) {
  const away = lit.filter((other) => {
    const { top, bottom } = other.getBoundingClientRect();
    return other.matches(".equation") && other !== node && (bottom < 40 || top > innerHeight - 40);
  });
  const copies = away.slice(0, 3).map((equation) => {
    const copy = document.createElement("div");
    copy.append(...all(".body > .scroll, .values, .beside", equation).map((part) => part.cloneNode(true)));
    for (const part of all("[tabindex]", copy)) part.removeAttribute("tabindex");
    return copy;
  });
  peek.replaceChildren(...copies);
  const low = node !== null && node.getBoundingClientRect().bottom > innerHeight / 2;
  peek.classList.toggle("above", low); // not over what is pointed at
}

// Buttons that copy.
function copyButton(what, text, label) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = what;
  button.setAttribute("aria-label", label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "copied";
    } catch {
      button.textContent = "not copied";
    }
    setTimeout(() => (button.textContent = what), 1500);
  });
  return button;
}
for (const equation of all(".equation")) {
  const number = equation.dataset.equations;
  const label = `copy LaTeX of equation ${number}`;
  equation.querySelector(".tools").append(copyButton("copy LaTeX", () => equation.dataset.latex, label));
}
for (const code of all("[data-copy]")) {
  code.parentElement.before(copyButton("copy code", () => code.textContent, "copy code"));
}

// Only what really scrolls needs a place in the order of the keyboard.
function settleScrollers() {
  for (const box of all(".scroll")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
addEventListener("resize", settleScrollers);
addEventListener("load", settleScrollers);

// --- numbers
const state = document.getElementById("state");
if (state !== null) startNumbers(JSON.parse(state.textContent));

function startNumbers(start) {
  const leaves = () =>
    Object.fromEntries(Object.entries(start.leaves).map(([name, flat]) => [name, Float64Array.from(flat, Number)]));
  let given = leaves();
  let values = {};
  let losses = [];
  const integers = new Set(start.integer);
  const stopped = new Set(start.stopped);

  // The loss where one number is moved by so much, and whatever is to stay as it is stays.
  function movedLoss(name, at, by) {
    const v = { ...given };
    if (name in given) (v[name] = given[name].slice())[at] += by;
    equations(v, start.size, (target, place, value) => {
      if (stopped.has(target)) return values[target][place];
      return target === name && place === at ? value + by : value;
    }, false);
    return v[start.loss][0];
  }

  function difference(name, at) {
    const step = 1e-6 * Math.max(1, Math.abs(values[name][at]));
    return (movedLoss(name, at, step) - movedLoss(name, at, -step)) / (2 * step);
  }

  const DECIMALS = 4, GIVEN = 6;  // of what is computed, and of what is given
  function figure(x, exact, decimals = GIVEN) {
    if (x !== x) return "–";
    if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
    const size = Math.abs(x);
    let text = x.toFixed(DECIMALS);
    if (size !== 0 && !(size >= 1e-4 && size < 1e6)) text = x.toExponential(2).replace("+", "");
    else if (exact) text = String(Number(x.toFixed(decimals)));
    return text.replaceAll("-", "−");
  }

  // Boxes of the drawing are of one tensor, and may show another one's numbers.
  const own = (box) => all("[data-p]", box).filter((cell) => cell.closest("[data-tensor]") === box);
  const shown = all("[data-tensor]").filter((box) => own(box).length);
  function show() {
    for (const box of shown) {
      const name = box.dataset.tensor, exact = integers.has(name) || name in given;
      const decimals = box.closest("svg") === null ? GIVEN : DECIMALS;
      for (const cell of own(box)) cell.textContent = figure(values[name][cell.dataset.p], exact, decimals);
    }
    const place = document.getElementById("loss");
    if (place !== null) {
      const told = losses.slice(-6).map((loss) => figure(loss)).join(" → ");
      place.textContent = losses.length > 6 ? `… → ${told}` : told;
    }
    settleScrollers();
  }

  // Differences take two losses each: a few at a time, so that the page stays at hand.
  const nudged = all("[data-difference]").filter((box) => box.dataset.difference in start.differences);
  let turn = 0;
  function showDifferences() {
    const mine = ++turn;
    const left = nudged.flatMap((box) => all("[data-p]", box).map((cell) => [box.dataset.difference, cell]));
    (function some() {
      const until = performance.now() + 30;
      while (mine === turn && left.length && performance.now() < until) {
        const [name, cell] = left.shift();
        cell.textContent = figure(difference(start.differences[name], Number(cell.dataset.p)));
      }
      if (mine === turn && left.length) setTimeout(some);
    })();
  }

  function compute() {
    values = { ...given };
    equations(values, start.size, (target, place, value) => value, true);
    return start.loss === null ? NaN : values[start.loss][0];
  }

  function changed(loss) {
    losses.push(loss);
    show();
    showDifferences();
  }

  function train() {
    const rate = Number(document.getElementById("rate").value);
    if (!Number.isFinite(rate)) return;
    const next = { ...given };
    for (const [name, gradient] of Object.entries(start.parameters)) {
      next[name] = given[name].map((value, at) => value - rate * values[gradient][at]);
    }
    for (const [name, after] of Object.entries(start.updates)) next[name] = values[after].slice();
    given = next;
  }

  for (const button of all("[data-steps]")) {
    button.addEventListener("click", () => {
      const steps = Number(button.dataset.steps);
      if (steps === 0) {
        given = leaves();
        losses = [];
        changed(compute());
      }
      for (let k = 0; k < steps; k++) {
        train();
        losses.push(compute());
      }
      if (steps > 0) {
        show();
        showDifferences();
      }
      fill();
    });
  }

  // Fields in the place of the given numbers, as many as are shown.
  const fields = [];
  function fill() {
    for (const { input, name, at } of fields) input.value = String(Number(given[name][at].toFixed(6)));
  }

  function field(name, at, label) {
    const input = document.createElement("input");
    const bounds = start.bounds[name];
    input.type = "number";
    input.step = bounds.step ?? "any";
    for (const side of ["min", "max"]) if (side in bounds) input[side] = bounds[side];
    input.setAttribute("aria-label", label);
    input.addEventListener("change", () => {
      let value = Number(input.value);
      if (input.value === "" || !Number.isFinite(value)) return fill();
      if (bounds.step === 1) value = Math.round(value);
      value = Math.min(Math.max(value, bounds.min ?? -Infinity), bounds.max ?? Infinity);
      given = { ...given, [name]: given[name].slice() };
      given[name][at] = value;
      losses = [];
      changed(compute());
      fill();
    });
    fields.push({ input, name, at });
    return input;
  }

  function placeOf(shape, at) {
    const found = [];
    for (const extent of [...shape].reverse()) {
      found.unshift(at % extent);
      at = Math.floor(at / extent);
    }
    return found;
  }

  for (const leaf of all("[data-leaf]")) {
    const name = leaf.dataset.leaf, still = leaf.querySelector(".still");
    const cells = all("[data-p]", still).map((cell) => Number(cell.dataset.p));
    if (start.bounds[name] === null || cells.some((at) => !Number.isFinite(given[name][at]))) {
      still.classList.remove("still");
      continue;
    }
    const table = document.createElement("table");
    table.className = "cells";
    table.setAttribute("role", "presentation");
    let row = null, before = "";
    for (const at of cells) {
      const place = placeOf(start.shape[name], at), line = place.slice(0, -1).join(", ");
      if (row === null || line !== before) {
        row = table.insertRow();
        if (place.length > 2) Object.assign(row.insertCell(), { className: "place", textContent: line });
        before = line;
      }
      row.insertCell().append(field(name, at, `${name}[${place.join(", ")}]`));
    }
    const head = document.createElement("span");
    const symbol = still.querySelector("math").firstElementChild.cloneNode(true);
    const math = still.querySelector("math").cloneNode(false);
    math.append(symbol);
    head.append(math, " =");
    const box = document.createElement("div");
    box.className = "scroll by-script";
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", `${name}, to be changed`);
    box.append(table);
    head.className = "by-script";
    leaf.append(head, box);
  }

  losses.push(compute());
  fill();
  show();
}
