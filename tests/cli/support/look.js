// What is wrong with the page that is shown, as a list of lines: what WCAG 2.2
// asks of contrast (§1.4.3, §1.4.11), language, title, headings and labels, and
// whether it fits the window and is whole without anything from elsewhere.
const problems = new Set();
const root = document.documentElement;

// `rgb(1 2 3 / .5)` or `color(srgb .1 .2 .3 / .5)` as red, green, blue (0 to 255) and opacity
const parseColour = text => {
  const numbers = (text.match(/[\d.]+(?:e-?\d+)?/g) ?? []).map(Number);
  const scale = text.startsWith('color(') ? 255 : 1;
  return [numbers[0] * scale, numbers[1] * scale, numbers[2] * scale, numbers[3] ?? 1];
};
const blend = (upper, lower) => [0, 1, 2].map(i => upper[i] * upper[3] + lower[i] * (1 - upper[3]));
const luminance = colour => {
  const [red, green, blue] = colour.map(value => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const contrast = (one, other) => {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
};
// The colour behind the content of an element
const ground = element => {
  const layers = [];
  for (let layer = element; layer; layer = layer.parentElement) {
    layers.push(parseColour(getComputedStyle(layer).backgroundColor));
  }
  return layers.reverse().reduce((lower, upper) => blend(upper, lower), [255, 255, 255]);
};
const isSeen = element => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
const name = element => `${element.tagName.toLowerCase()}.${element.className}`;

const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const text = texts.currentNode;
  const element = text.parentElement;
  const words = text.data.trim().slice(0, 40);
  if (!words || ['STYLE', 'SCRIPT'].includes(element.tagName) || !isSeen(element)) continue;
  const behind = ground(element);
  const ratio = contrast(blend(parseColour(getComputedStyle(element).color), behind), behind);
  if (ratio < 4.5) problems.add(`${name(element)} has a contrast of ${ratio.toFixed(2)}: ${words}`);
  if (element.clientWidth && element.scrollWidth > element.clientWidth + 1) problems.add(`wider than its box: ${words}`);
  const range = document.createRange();
  range.selectNodeContents(text);
  for (const box of range.getClientRects()) {
    if (box.width && (box.left < -1 || box.right > root.clientWidth + 1)) problems.add(`beside the window: ${words}`);
  }
}

for (const control of document.querySelectorAll('input:not([type=hidden]), button')) {
  const style = getComputedStyle(control);
  const behind = ground(control.parentElement);
  const edges = [style.borderTopColor, style.backgroundColor].map(parseColour).filter(colour => colour[3] > 0);
  const ratio = Math.max(...edges.map(colour => contrast(blend(colour, behind), behind)), edges.length ? 0 : 21);
  if (ratio < 3) problems.add(`the edge of ${name(control)} has a contrast of ${ratio.toFixed(2)}`);
  if (control.getBoundingClientRect().height < 24) problems.add(`${name(control)} is too low to be hit`);
  if (control.tagName === 'INPUT' && control.labels.length === 0) problems.add(`${control.name} has no label`);
}
if (document.querySelector('input:not([type=hidden])') && document.activeElement.tagName !== 'INPUT') {
  problems.add('no field has the focus');
}

let level = 0;
for (const heading of [...document.querySelectorAll('h1, h2, h3, h4')].filter(isSeen)) {
  const next = Number(heading.tagName[1]);
  if (next > level + 1) problems.add(`${heading.tagName} follows H${level}: ${heading.textContent}`);
  level = next;
}
const mustHave = (what, isThere) => isThere || problems.add(`${what} is missing`);
mustHave('the language', root.lang === 'en');
mustHave('the program in the title', /\boauth\b|development server/.test(document.title));
mustHave('the viewport', document.querySelector('meta[name=viewport]'));
mustHave('one first heading', document.querySelectorAll('h1').length === 1);
mustHave('the main part', document.querySelectorAll('main').length === 1);
if (root.scrollWidth > root.clientWidth) problems.add(`it scrolls sideways by ${root.scrollWidth - root.clientWidth}`);
for (const resource of performance.getEntriesByType('resource')) problems.add(`it fetches ${resource.name}`);
return [...problems];
