// A form that chooses groups. What is typed is looked for on the server; what is chosen stays, whatever is found.
"use strict";

function picker(root) {
  const typed = one("input[type=search]", root);
  if (!typed) return; // the visitor may not read groups
  const button = one("button[name=find]", root), found = one("#groups-found", root), list = one("[data-picked]", root);
  const isChosen = (row) => one("input", row)?.checked || Boolean(one("select", row)?.value);
  let waiting = 0;
  let asking = null;

  async function find() {
    clearTimeout(waiting);
    if (asking) asking.abort();
    asking = new AbortController();
    const address = new URL(root.dataset.picker, location.href);
    address.searchParams.set("groups", typed.value);
    address.searchParams.set("chosen", Array.from(list.children).filter(isChosen).length);
    try {
      const page = await fetchPage(address, { signal: asking.signal });
      for (const row of Array.from(list.children)) if (!isChosen(row) && !row.contains(document.activeElement)) row.remove();
      const shown = new Set(Array.from(list.children, keyOf));
      const fresh = Array.from(one("[data-picked]", page).children).filter((row) => !shown.has(keyOf(row)));
      list.append(...fresh.map((row) => document.importNode(row, true)));
      found.textContent = one("#groups-found", page).textContent;
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error instanceof SignedOut) signedOut();
      found.textContent = "The server could not be asked. Try again.";
    }
  }

  typed.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 250);
  });
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const at = document.activeElement;
    // The enter key in any field presses a form's first button, which this is. It is to do what it does in other forms.
    const elsewhere = event.detail === 0 && at !== button && at !== typed && at.form === button.form;
    if (elsewhere) button.form.requestSubmit(one("button.primary", button.form));
    else find();
  });
  list.addEventListener("change", (event) => {
    for (const radio of all("[data-picking]", button.form)) radio.checked ||= event.target.checked;
  });
}

for (const root of all("[data-picker]")) picker(root);
