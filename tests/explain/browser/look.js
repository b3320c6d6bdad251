// What is wrong with the layout of the page: beyond the window, cut, or over each other.
const faults = [];
const wide = window.innerWidth;
const words = (node) => (node.getAttribute("aria-label") || node.textContent || node.tagName).trim().slice(0, 50);
const isScroller = (node) => ["auto", "scroll"].includes(getComputedStyle(node).overflowX);
const isHeardOnly = (node) => node.closest(".only-heard, .skip") !== null;

if (document.documentElement.scrollWidth > wide) {
  faults.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${wide}`);
}

// Where a node can be seen: inside all that clips it.
function seen(node) {
  let { left, right, top, bottom } = node.getBoundingClientRect();
  for (let box = node.parentElement; box !== null && box !== document.body; box = box.parentElement) {
    if (getComputedStyle(box).overflowX !== "visible") {
      const clip = box.getBoundingClientRect();
      left = Math.max(left, clip.left);
      right = Math.min(right, clip.right);
    }
  }
  return { left, right, top, bottom };
}

const KINDS = "h1, h2, h3, p, li, th, td, summary, label, button, input, pre, .number, .formula, svg";
const boxes = [];
for (const node of document.querySelectorAll(KINDS)) {
  if (isHeardOnly(node) || !node.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true })) continue;
  const at = seen(node);
  if (at.right - at.left < 1 || at.bottom - at.top < 1) continue;
  boxes.push({ node, ...at });
  if (at.right > wide + 1 || at.left < -1) faults.push(`beyond the window: ${node.tagName} ${words(node)}`);
}
for (const math of document.querySelectorAll("math")) {
  if (isHeardOnly(math) || !math.checkVisibility({ contentVisibilityAuto: true })) continue;
  const at = math.getBoundingClientRect();
  let box = math.parentElement;
  while (box !== null && !isScroller(box)) box = box.parentElement;
  if (box === null && at.right > wide + 1) faults.push(`a formula is cut: ${words(math.parentElement)}`);
}

boxes.sort((a, b) => a.top - b.top);
boxes.forEach((one, k) => {
  for (const other of boxes.slice(k + 1)) {
    if (other.top >= one.bottom - 2) break;
    if (one.node.contains(other.node) || other.node.contains(one.node)) continue;
    const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
    const down = Math.min(one.bottom, other.bottom) - other.top;
    if (across > 2 && down > 2) faults.push(`over each other: ${words(one.node)} / ${words(other.node)}`);
  }
});
return faults;
