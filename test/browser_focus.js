// Prepares to go through the page with the tab key from its beginning. Evaluates to the number of elements that it leads
// to, in the order of the document; reached() tells those that it has led to.
() => {
  "use strict";
  const shown = (e) => e.checkVisibility({ visibilityProperty: true });
  const reachable = (e) => {
    if (e.tabIndex < 0 || e.disabled || e.type === "hidden" || !shown(e)) return false;
    if (e.type !== "radio") return true;
    const group = Array.from(document.querySelectorAll("input[type=radio]")).filter((other) => other.name === e.name && other.form === e.form);
    return e === (group.find((other) => other.checked) || group[0]);
  };
  const stops = Array.from(document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")).filter(reachable);
  const wrong = (e) => {
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return "the focus is not shown";
    const top = Math.max(0, box.top), bottom = Math.min(innerHeight, box.bottom);
    if (bottom <= top) return "it is out of sight";
    const at = document.elementFromPoint(Math.min(innerWidth - 1, Math.max(0, box.x + Math.min(box.width, 40) / 2)), (top + bottom) / 2);
    const own = at && (e.contains(at) || at.contains(e) || Array.from(e.labels || []).some((label) => label.contains(at)));
    return own ? "" : `it is hidden behind ${at?.tagName} ${at?.className}`;
  };
  const led = [];
  // The focus is looked at when it is about to leave, because a page scrolls to it after it has come.
  const look = () => {
    const e = document.activeElement;
    if (e === document.body) return;
    led.push({ place: stops.indexOf(e), what: e.tagName + " " + (e.textContent || e.name || "").trim().slice(0, 40), wrong: wrong(e) });
  };
  document.addEventListener("keydown", look, true);
  window.reached = () => {
    look();
    return led;
  };
  scrollTo(0, 0);
  document.activeElement.blur();
  // From the beginning of the document, wherever somebody has clicked.
  const beginning = document.createElement("span");
  beginning.tabIndex = -1;
  document.body.prepend(beginning);
  beginning.focus();
  beginning.remove();
  return stops.length;
}
