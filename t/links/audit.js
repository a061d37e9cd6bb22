// Copyright (C) The Tailgate authors
//
// What keeps somebody from reading or using the page, as a list of sentences.

"use strict";

const CONTRAST = 4.5;  // WCAG 2.2, 1.4.3, level AA
const EDGE = 3;        // 1.4.11: what shows that something is there

const faults = [];

function describe(element) {
  const text = element.textContent.trim().slice(0, 30);

  return `<${element.localName} id="${element.id}"`
    + ` class="${element.getAttribute("class") ?? ""}">${text}`;
}

function rgba(colour) {
  const found = /^rgba?\(([^)]*)\)$/.exec(colour);

  if (found === null) {
    throw new Error(`a colour of another kind: ${colour}`);
  }

  const [r, g, b, a = 1] = found[1].split(/[ ,/]+/).map(Number);

  return [r, g, b, a];
}

function over(front, back) {
  const a = front[3];

  return [0, 1, 2].map((i) => front[i] * a + back[i] * (1 - a)).concat(1);
}

function ground(element) {
  const layers = [];

  for (let e = element; e !== null; e = e.parentElement) {
    layers.push(rgba(getComputedStyle(e).backgroundColor));
  }

  // a page without a ground of its own would show the browser's
  if (layers.every((layer) => layer[3] < 1)) {
    throw new Error(`nothing is behind ${describe(element)}`);
  }

  return layers.reverse().reduce((back, front) => over(front, back));
}

function luminance(colour) {
  const [r, g, b] = colour.map((value) => {
    const c = value / 255;

    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });

  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function ratio(one, other) {
  const [dark, light] = [luminance(one), luminance(other)]
    .sort((a, b) => a - b);

  return (light + 0.05) / (dark + 0.05);
}

function checkContrast(element, pseudo) {
  const back = ground(element);
  const front = over(rgba(getComputedStyle(element, pseudo).color), back);
  const found = ratio(front, back);

  if (found < CONTRAST) {
    faults.push(`contrast of ${found.toFixed(2)}: ${describe(element)}`
      + (pseudo ?? ""));
  }
}

// A box to tick is the browser's own.

function checkEdge(element) {
  const style = getComputedStyle(element);
  const back = ground(element.parentElement);
  const found = Math.max(ratio(over(rgba(style.borderTopColor), back), back),
    ratio(over(rgba(style.backgroundColor), back), back));

  if (element.type !== "checkbox" && found < EDGE) {
    faults.push(`an edge of ${found.toFixed(2)}: ${describe(element)}`);
  }
}

function visible(element) {
  return element.checkVisibility({ visibilityProperty: true });
}

const all = [...document.querySelectorAll("body, body *")].filter(visible);
const controls = all.filter((e) => e.matches(
  "input:not([type=hidden]), select, textarea"));

if (document.documentElement.lang === "") {
  faults.push("no language");
}

if (document.querySelectorAll("h1").length !== 1) {
  faults.push("not one h1");
}

if (document.querySelectorAll("main").length !== 1) {
  faults.push("not one main");
}

for (const element of document.querySelectorAll("[id]")) {
  if (document.getElementById(element.id) !== element) {
    faults.push(`the id twice: ${describe(element)}`);
  }
}

for (const element of document.querySelectorAll("[aria-describedby]")) {
  if (document.getElementById(element.getAttribute("aria-describedby"))
      === null) {
    faults.push(`described by nothing: ${describe(element)}`);
  }
}

// those of a closed <details>, too
for (const element of document.querySelectorAll(
  "input:not([type=hidden]), select, textarea")) {
  const label = element.labels[0]?.textContent
    ?? element.getAttribute("aria-label") ?? "";

  if (label.trim() === "") {
    faults.push(`no label: ${describe(element)}`);
  }
}

for (const element of all.filter((e) => e.matches("a, button"))) {
  if ((element.getAttribute("aria-label") ?? element.textContent).trim()
      === "") {
    faults.push(`says nothing: ${describe(element)}`);
  }
}

for (const element of all) {
  const text = [...element.childNodes].some(
    (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");

  if (text && element.closest("svg") === null) {
    checkContrast(element);
  }
}

// what has no heading above it says by itself what it is
if (all.some((e) => e.matches(".links"))
    && !all.some((e) => e.matches(".links thead"))) {
  for (const cell of all.filter((e) => e.matches(
    ".links td:not(.url)") && e.textContent !== "")) {
    if (getComputedStyle(cell, "::before").content === "none") {
      faults.push(`no heading: ${describe(cell)}`);
    }
  }
}

for (const element of controls) {
  checkContrast(element);
  checkEdge(element);

  if (element.placeholder) {
    checkContrast(element, "::placeholder");
  }
}

const page = document.documentElement;

if (page.scrollWidth > page.clientWidth) {
  const wide = all.filter(
    (e) => e.getBoundingClientRect().right > page.clientWidth + 1);

  faults.push(`${page.scrollWidth} wide in ${page.clientWidth}: `
    + wide.slice(-1).map(describe).join());
}

return faults;
