// @ts-check
/**
 * Nothing typed is lost: what stands in forms that write is kept in this tab until it was taken.
 *
 * Kept: what is typed into `<form method="post">`, and the choices of a form that has room for prose.
 * Never kept: passwords, one-time codes, hidden fields, files, and whatever stands in
 * `data-keep="off"` or `data-sealed`. Another person's session in the same tab finds nothing. A form
 * is known by its page, or by its `data-keep-as` where one page is about many things. It is forgotten
 * when the page after it came without an error.
 */

const PREFIX = "kept:";
const SENT = "kept-sent";
const CUT = "kept-cut-off";
const viewer = document.body.dataset.viewer ?? "";
const TYPED = "textarea, input[type=text], input[type=search], input[type=email], input[type=url], input[type=tel], input[type=number], input[type=date], input[type=datetime-local], input:not([type])";
const CHOSEN = "select, input[type=radio], input[type=checkbox]";

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field */

/** @param {HTMLFormElement} form */
const keyOf = (form) => `${PREFIX}${viewer}:${form.dataset.keepAs ?? location.pathname}:${new URL(form.action, location.href).pathname}`;

/**
 * @param {HTMLFormElement} form
 * @returns {Field[]}
 */
function fieldsOf(form) {
  if (form.closest("[data-keep=off], [data-sealed]")) return [];
  const kinds = form.querySelector("textarea") ? `${TYPED}, ${CHOSEN}` : TYPED;
  return [...form.querySelectorAll(kinds)]
    .filter((field) => !field.closest("[data-sealed], [data-keep=off]"))
    .filter((field) => !/one-time-code|password|cc-/.test(field.getAttribute("autocomplete") ?? ""))
    .map((field) => /** @type {Field} */ (field))
    .filter((field) => field.name !== "");
}

/**
 * @param {Field} field
 * @returns {field is HTMLInputElement}
 */
const ticks = (field) => field instanceof HTMLInputElement && (field.type === "radio" || field.type === "checkbox");

/** @param {Field} field */
const stands = (field) => (ticks(field) ? String(field.checked) : field.value);

/**
 * What the server put into a field.
 * @param {Field} field
 */
function began(field) {
  if (ticks(field)) return String(field.defaultChecked);
  if (!(field instanceof HTMLSelectElement)) return field.defaultValue;
  const options = [...field.options];
  return (options.find((each) => each.defaultSelected) ?? options[0])?.value ?? "";
}

/** @param {Field} field */
const untouched = (field) => stands(field) === began(field);

/** What a field is called among the kept ones: of boxes with one name, each has its own. */
const nameOf = (/** @type {Field} */ field) => (ticks(field) ? `${field.name}=${field.value}` : field.name);

/** Forget what other people typed in this tab, and what the last sending has brought home. */
function tidy() {
  const sent = sessionStorage.getItem(SENT);
  sessionStorage.removeItem(SENT);
  const [way] = performance.getEntriesByType("navigation");
  const status = /** @type {any} */ (way)?.responseStatus ?? 200;
  const taken = viewer !== "" && status < 400 && !document.querySelector(".error-summary, .messages .note-bad");
  for (const key of Object.keys(sessionStorage)) {
    const foreign = key.startsWith(PREFIX) && viewer !== "" && !key.startsWith(`${PREFIX}${viewer}:`);
    if (foreign || (key === sent && taken)) sessionStorage.removeItem(key);
  }
}

/** @param {HTMLFormElement} form */
function dirty(form) {
  return fieldsOf(form).some((field) => field instanceof HTMLTextAreaElement && !untouched(field));
}

/** @param {HTMLFormElement} form */
function remember(form) {
  const changed = fieldsOf(form).filter((field) => !untouched(field) && stands(field));
  const fields = Object.fromEntries(changed.map((field) => [nameOf(field), [began(field), stands(field)]]));
  if (changed.length) sessionStorage.setItem(keyOf(form), JSON.stringify({ at: location.pathname + location.search, page: document.title.split(" · ")[0].trim(), fields }));
  else sessionStorage.removeItem(keyOf(form));
}

/**
 * @param {string} key
 * @returns {{at: string, page: string, fields: Record<string, [string, string]>}}
 */
function read(key) {
  const kept = JSON.parse(sessionStorage.getItem(key) ?? "{}");
  return { at: kept.at ?? "", page: kept.page ?? "", fields: kept.fields ?? {} };
}

/**
 * What was kept stands again, where the server says the same as when it was typed.
 * @param {HTMLFormElement} form
 */
function restore(form) {
  const { fields: kept } = read(keyOf(form));
  let restored = false;
  for (const field of fieldsOf(form)) {
    const [before, typed] = kept[nameOf(field)] ?? [];
    if (typed === undefined || !untouched(field) || before !== began(field)) continue;
    if (ticks(field)) field.checked = typed === "true";
    else field.value = typed;
    restored ||= !ticks(field);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (restored) tell(form);
}

/**
 * Say that it is back, and offer to do without it.
 * @param {HTMLFormElement} form
 */
function tell(form) {
  const { keptTold, keptDiscard } = document.body.dataset;
  if (!keptTold || !keptDiscard) return;
  const [note, words, discard] = [document.createElement("p"), document.createElement("span"), document.createElement("button")];
  note.className = "note note-told";
  note.setAttribute("role", "status");
  words.textContent = keptTold;
  [discard.type, discard.className, discard.textContent] = ["reset", "button button-plain", keptDiscard];
  note.append(words, discard);
  form.prepend(note);
  form.addEventListener("reset", () => { sessionStorage.removeItem(keyOf(form)); note.remove(); }, { once: true });
}

/**
 * A session that ended while somebody wrote: the page that asks them in says that nothing is lost,
 * and the first page afterwards leads back to where they wrote.
 */
function goOn() {
  const kept = Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
  const said = viewer ? document.body.dataset.keptBack : document.body.dataset.keptWaits;
  if (!viewer && kept.length) sessionStorage.setItem(CUT, "yes");
  if (!said || !kept.length || sessionStorage.getItem(CUT) === null) return;
  const note = document.createElement("p");
  note.className = "note";
  note.setAttribute("role", "status");
  note.textContent = said;
  if (viewer) {
    sessionStorage.removeItem(CUT);
    const pages = kept.map(read).filter((each) => each.at && each.at !== location.pathname + location.search);
    if (!pages.length) return;
    pages.slice(0, 3).forEach(({ at, page }) => {
      const link = document.createElement("a");
      [link.href, link.textContent] = [at, page];
      note.append(" ", link);
    });
  }
  document.querySelector("main")?.prepend(note);
}

/** @returns {HTMLFormElement[]} */
const forms = () => [...document.querySelectorAll("form[method=post]")].map((form) => /** @type {HTMLFormElement} */ (form));

let leaving = false;
tidy();
if (viewer) forms().filter((form) => fieldsOf(form).length).forEach(restore);
goOn();

document.addEventListener("input", (event) => {
  const form = /** @type {Field} */ (event.target).form;
  if (viewer && form?.method === "post") remember(form);
});
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  leaving = true;
  if (form.method === "post" && viewer) sessionStorage.setItem(SENT, keyOf(form));
  if (form.matches("[data-leaves]")) Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX)).forEach((key) => sessionStorage.removeItem(key));
});
addEventListener("beforeunload", (event) => {
  if (!leaving && forms().some(dirty)) event.preventDefault();
});
addEventListener("pageshow", () => { leaving = false; });
