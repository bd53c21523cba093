// @ts-check
/**
 * Single keys. They can be switched off (WCAG 2.1.4): `<body data-shortcuts="off">`.
 *
 * A list says `data-keys="list"`, its rows `data-row`. j and k walk, Enter and o open, x chooses,
 * a button's or link's `data-key` presses it, / goes to the search box, ? shows the sheet.
 */

const on = document.body.dataset.shortcuts !== "off";
const HERE = "row:" + location.pathname;

const list = () => document.querySelector('[data-keys="list"]');

/** @returns {HTMLElement[]} */
const rows = () => [...(list()?.querySelectorAll("[data-row]") ?? [])].map((row) => /** @type {HTMLElement} */ (row));

/** @param {Element} row */
const linkOf = (row) => /** @type {HTMLElement | null} */ (row.querySelector("[data-row-link]") ?? row.querySelector("a[href]"));

const current = () => rows().find((row) => row.classList.contains("here"));

/** @param {HTMLElement} row */
function stand(row) {
  rows().forEach((each) => each.classList.toggle("here", each === row));
  if (row.id) sessionStorage.setItem(HERE, row.id);
}

/** @param {number} steps */
function walk(steps) {
  const all = rows();
  const now = current();
  const at = now ? all.indexOf(now) + steps : steps > 0 ? 0 : all.length - 1;
  const next = all[Math.max(0, Math.min(all.length - 1, at))];
  if (!next) return;
  stand(next);
  linkOf(next)?.focus();
  next.scrollIntoView({ block: "nearest" });
}

function open() {
  const row = current();
  if (row) linkOf(row)?.click();
}

function choose() {
  const box = /** @type {HTMLInputElement | null | undefined} */ (current()?.querySelector('input[type="checkbox"][name="item"]'));
  box?.click();
}

/**
 * A key of the page's own: presses the button that names it. With nothing ticked, the row one
 * stands on is ticked first, so that one key does one thing to one row.
 * @param {string} key
 */
function press(key) {
  const button = [...document.querySelectorAll("[data-key]")].find((each) => each.getAttribute("data-key") === key);
  if (!(button instanceof HTMLElement)) return false;
  const form = button.closest("form[data-bulk]");
  if (form && !form.querySelector('input[name="item"]:checked') && !form.querySelector('input[name="scope"][value="all"]:checked')) choose();
  if (button instanceof HTMLInputElement || button instanceof HTMLSelectElement || button instanceof HTMLTextAreaElement) button.focus();
  else button.click();
  return true;
}

/** Fill the sheet with the keys that this very page has. */
function sheet() {
  const dialog = document.getElementById("keys");
  if (!(dialog instanceof HTMLDialogElement)) return;
  const shown = dialog.querySelector("[data-keys-here]");
  shown?.replaceChildren();
  document.querySelectorAll("[data-key]").forEach((button) => {
    const [term, words, key] = [document.createElement("dt"), document.createElement("dd"), document.createElement("kbd")];
    key.className = "key";
    key.textContent = button.getAttribute("data-key");
    term.append(key);
    const copy = /** @type {HTMLElement} */ (button.cloneNode(true));
    copy.querySelectorAll("kbd, svg").forEach((each) => each.remove());
    words.textContent = button.getAttribute("data-key-word") ?? copy.textContent?.trim() ?? "";
    shown?.append(term, words);
  });
  dialog.showModal();
}

/** @type {Record<string, () => void>} */
const GENERAL = {
  j: () => walk(1),
  k: () => walk(-1),
  o: open,
  x: choose,
  "/": () => /** @type {HTMLElement | null} */ (document.querySelector("[data-palette] input"))?.focus(),
  "?": sheet,
};

/**
 * The key's letter; on an Urdu keyboard the letter that is printed beside it.
 * @param {KeyboardEvent} event
 */
const letter = (event) => (/^[\x20-\x7e]+$/.test(event.key) ? event.key : event.code.replace(/^Key/, "").toLowerCase());

/** @param {KeyboardEvent} event */
function typing(event) {
  const at = /** @type {HTMLElement} */ (event.target);
  return at.isContentEditable || at.matches?.("textarea, select, input:not([type=checkbox], [type=radio], [type=button])") || document.querySelector("dialog[open]") !== null;
}

// Sending what one writes needs no way to the button: Ctrl Enter within a form's prose.
document.addEventListener("keydown", (event) => {
  const at = event.target;
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !(at instanceof HTMLTextAreaElement) || !at.form) return;
  const button = /** @type {HTMLButtonElement | null} */ (at.form.querySelector("button.button-main[type=submit]") ?? at.form.querySelector("button[type=submit]"));
  if (!button) return;
  event.preventDefault();
  button.click();
});

if (on) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event)) return;
    const key = letter(event);
    if (press(key)) return event.preventDefault();
    const act = GENERAL[key];
    if (!act || (!list() && "jkox".includes(key))) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("focusin", (event) => {
    const row = /** @type {Element} */ (event.target).closest?.('[data-keys="list"] [data-row]');
    if (row instanceof HTMLElement) stand(row);
  });
}

// Back in a list: the row one came from is where one stands.
const before = sessionStorage.getItem(HERE);
const row = before ? document.getElementById(before) : null;
if (row?.matches("[data-row]") && list()?.contains(row)) {
  stand(row);
  if (document.activeElement === document.body) {
    row.scrollIntoView({ block: "nearest" });
    if (on) linkOf(row)?.focus({ preventScroll: true });
  }
}
document.querySelectorAll("[data-keys-opener]").forEach((opener) => {
  opener.removeAttribute("hidden");
  opener.addEventListener("click", sheet);
});
