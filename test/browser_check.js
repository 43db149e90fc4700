// What is wrong with a page, as far as that can be seen by looking at it, after WCAG 2.2 level AA. Evaluates to a list.
() => {
  "use strict";
  const wrong = [];
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const label = (e) => `<${e.tagName.toLowerCase()}${e.id && "#" + e.id}${e.classList.length ? "." + e.classList[0] : ""}> "${(e.textContent || e.value || "").trim().replace(/\s+/g, " ").slice(0, 40)}"`;
  const expect = (ok, text, e) => { if (!ok) wrong.push(text + (e ? ": " + label(e) : "")); };
  // What only screen readers get is one pixel wide, and the link to skip to the content is beside the page until it has the focus.
  const shown = (e) => {
    const { width, height, right } = e.getBoundingClientRect();
    return e.checkVisibility({ visibilityProperty: true }) && width > 1 && height > 1 && right > 0;
  };

  // Structure.
  expect(document.documentElement.lang, "the page has no language");
  expect(document.title, "the page has no title");
  for (const landmark of ["header", "main", "h1"]) expect(all(landmark).length === 1, `${all(landmark).length} of <${landmark}>`);
  expect(document.querySelector("[aria-live]"), "the page has no live region");
  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6").filter((e) => e.checkVisibility())) {
    const next = Number(heading.tagName[1]);
    expect(next <= level + 1 || level === 0, `a heading of level ${next} follows one of ${level}`, heading);
    level = next;
  }
  const navs = all("nav, [role=search]").map((e) => e.getAttribute("aria-label"));
  expect(new Set(navs).size === navs.length && !navs.includes(null), `landmarks are named ${navs}`);
  const ids = all("[id]").map((e) => e.id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) expect(false, `the id ${id} is not unique`);
  for (const attribute of ["for", "aria-labelledby", "aria-describedby"]) {
    for (const e of all(`[${attribute}]`)) {
      for (const id of e.getAttribute(attribute).split(" ")) expect(ids.includes(id), `${attribute} names ${id}, which is not there`, e);
    }
  }
  for (const e of all("th")) expect(e.scope, "a head of a table without scope", e);
  for (const e of all("fieldset")) expect(e.querySelector("legend"), "a group without a legend", e);
  for (const e of all("img")) expect(e.hasAttribute("alt"), "an image without a text", e);
  for (const e of all("svg")) expect(e.ariaHidden === "true" || e.getAttribute("role") === "img", "a picture that is neither hidden nor named", e);
  for (const e of all("[tabindex]")) expect(e.tabIndex <= 0, "a positive tabindex", e);

  // Sizes.
  expect(document.documentElement.scrollWidth <= innerWidth, `${document.documentElement.scrollWidth} pixels wide in a window of ${innerWidth}`);
  if (document.documentElement.scrollWidth > innerWidth) {
    for (const e of all("main *").filter((e) => shown(e) && e.getBoundingClientRect().right > innerWidth).slice(0, 5)) expect(false, "it is too wide", e);
  }
  for (const e of all("a[href], button, input, select, textarea, summary").filter((e) => shown(e))) {
    const boxes = [e, ...e.labels || []].map((e) => e.getBoundingClientRect());
    const width = Math.max(...boxes.map((box) => box.width)), height = Math.max(...boxes.map((box) => box.height));
    const inText = getComputedStyle(e).display === "inline" && e.parentElement.textContent.trim() !== e.textContent.trim();
    expect(inText || width >= 24 && height >= 24, `a target of ${Math.round(width)} × ${Math.round(height)} pixels`, e);
  }

  // Contrast.
  const parse = (color) => {
    const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, ground) => {
    const mix = (x, y) => x * top.a + y * (1 - top.a);
    return { r: mix(top.r, ground.r), g: mix(top.g, ground.g), b: mix(top.b, ground.b), a: 1 };
  };
  const canvas = document.createElement("div");
  canvas.style.setProperty("background-color", "canvas");
  document.body.append(canvas);
  const paper = parse(getComputedStyle(canvas).backgroundColor);
  canvas.remove();
  const grounds = new Map();
  const ground = (e) => {
    if (!e) return paper;
    if (!grounds.has(e)) grounds.set(e, over(parse(getComputedStyle(e).backgroundColor), ground(e.parentElement)));
    return grounds.get(e);
  };
  const luminance = (color) => {
    const [r, g, b] = [color.r, color.g, color.b].map((v) => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (color, on) => {
    const [light, dark] = [luminance(over(color, on)), luminance(on)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const opacity = (e) => e ? Number(getComputedStyle(e).opacity) * opacity(e.parentElement) : 1;
  const legible = (e, style, what) => {
    const color = parse(e.closest("svg") ? style.fill : style.color);
    color.a *= opacity(e);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700 ? 3 : 4.5;
    const has = contrast(color, ground(e));
    expect(has >= least, `${what} with a contrast of ${has.toFixed(2)}, want ${least}`, e);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || seen.has(e) || e.tagName === "OPTION" || !shown(e) || e.closest(":disabled")) continue;
    seen.add(e);
    legible(e, getComputedStyle(e), "text");
  }
  for (const e of all("body *").filter(shown)) {
    for (const part of ["::before", "::after"]) {
      const style = getComputedStyle(e, part);
      if (!["none", "normal", '""'].includes(style.content)) legible(e, style, part);
    }
  }
  for (const e of all("input:not([type=checkbox], [type=radio], [type=hidden]), select, textarea").filter(shown)) {
    legible(e, getComputedStyle(e), "what is typed");
    if (e.placeholder) legible(e, getComputedStyle(e, "::placeholder"), "a placeholder");
    const has = contrast(parse(getComputedStyle(e).borderTopColor), ground(e.parentElement));
    expect(has >= 3, `a border with a contrast of ${has.toFixed(2)}, want 3`, e);
  }
  for (const e of all("svg:not([role=img]) rect[class]")) {
    const has = contrast(parse(getComputedStyle(e).fill), ground(e.closest("svg")));
    expect(has >= 3, `a bar with a contrast of ${has.toFixed(2)}, want 3`, e);
  }
  return Array.from(new Set(wrong));
}
