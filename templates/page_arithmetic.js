// What the equations need and the language lacks. A sum goes over all places of its indices; what a condition
// excludes is undefined. An empty sum is 0, an empty product 1, an empty maximum −∞.
const array = (extents) => new Float64Array(extents.reduce((a, b) => a * b, 1)).fill(NaN);
const inside = (place, extent) => place >= 0 && place < extent;
const modulo = (a, b) => a - b * Math.floor(a / b);

function* places(extents) {
  if (extents.some((extent) => extent <= 0)) return;
  const at = extents.map(() => 0);
  for (;;) {
    yield at;
    let axis = extents.length - 1;
    while (axis >= 0 && ++at[axis] === extents[axis]) at[axis--] = 0;
    if (axis < 0) return;
  }
}

function valuesOf(extents, value) {
  const found = [];
  for (const at of places(extents)) {
    const one = value(...at);
    if (one !== undefined) found.push(one);
  }
  return found;
}

const largest = (values) => values.reduce((a, b) => (b > a || b !== b ? b : a), -Infinity);
const sum = (extents, value) => valuesOf(extents, value).reduce((a, b) => a + b, 0);
const prod = (extents, value) => valuesOf(extents, value).reduce((a, b) => a * b, 1);
const max = (extents, value) => largest(valuesOf(extents, value));

// The place of the first maximum: along one of the indices, or (−1) in row-major order of all; −1 of nothing.
function argmax(extents, component, value) {
  let best, found = -1, flat = 0;
  for (const at of places(extents)) {
    const one = value(...at);
    if (one !== undefined && (best === undefined || one > best || (one !== one && best === best))) {
      best = one;
      found = component < 0 ? flat : at[component];
    }
    flat += 1;
  }
  return found;
}

function logOfSum(values) {
  const most = largest(values);
  if (!(most > -Infinity) || most === Infinity) return most;
  return most + Math.log(values.reduce((a, b) => a + Math.exp(b - most), 0));
}

const logsumexp = (extents, value) => logOfSum(valuesOf(extents, value));

function log_softmax(extent, at, value) {
  const here = value(at);
  return here === undefined ? -Infinity : here - logOfSum(valuesOf([extent], value));
}

const softmax = (extent, at, value) => Math.exp(log_softmax(extent, at, value));
const sigmoid = (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const relu = (x) => (x > 0 ? x : x !== x ? x : 0);
const softplus = (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));

// erf by its series, erfc by its continued fraction (Abramowitz and Stegun 7.1.6, 7.1.14).
function erf(x) {
  if (x !== x) return x;
  if (Math.abs(x) > 3) return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
  let term = x, total = x;
  for (let k = 1; Math.abs(term) > 1e-18 * Math.abs(total); k++) {
    term *= (2 * x * x) / (2 * k + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

function erfc(x) {
  if (!(x > 2)) return 1 - erf(x);
  let below = x;
  for (let k = 120; k > 0; k--) below = x + k / 2 / below;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / below;
}

const roundedToEven = (x) => {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return modulo(low, 2) === 0 ? low : low + 1;
};

// log Γ and its derivatives, by their asymptotic series above 20 (Abramowitz and Stegun 6.1.40, 6.4.11).
const BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510];

function loggamma(x) {
  if (!(x > 0)) return NaN;
  let shift = 0;
  for (; x < 20; x++) shift += Math.log(x);
  let series = 0;
  BERNOULLI.forEach((b, k) => (series += b / ((2 * k + 2) * (2 * k + 1) * x ** (2 * k + 1))));
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series - shift;
}

function polygamma(order, x) {
  if (!(x > 0)) return NaN;
  const sign = order % 2 === 0 ? -1 : 1;
  const factorial = (n) => (n < 2 ? 1 : n * factorial(n - 1));
  let shift = 0;
  for (; x < 20; x++) shift += sign * factorial(order) / x ** (order + 1);
  const rising = (k) => factorial(2 * k + 1 + order) / factorial(2 * k + 2);
  let series = 0;
  BERNOULLI.forEach((b, k) => (series += (b * rising(k)) / x ** (2 * k + 2 + order)));
  const start = order === 0 ? Math.log(x) - 1 / (2 * x)
    : sign * (factorial(order - 1) / x ** order + factorial(order) / (2 * x ** (order + 1)));
  return start + sign * series + shift;
}
