// @ts-check
/**
 * Nothing typed is lost: the text of forms that write is kept in this tab until it was taken.
 *
 * Kept: text fields of `<form method="post">`. Never kept: passwords, one-time codes, hidden fields,
 * files, and whatever stands in `data-keep="off"` or `data-sealed`. Another person's session in the
 * same tab finds nothing. A form is forgotten when the page after it came without an error.
 */

const PREFIX = "kept:";
const SENT = "kept-sent";
const viewer = document.body.dataset.viewer ?? "";
const FIELDS = "textarea, input[type=text], input[type=search], input[type=email], input[type=url], input:not([type])";

/** @typedef {HTMLInputElement | HTMLTextAreaElement} Field */

/** @param {HTMLFormElement} form */
const keyOf = (form) => `${PREFIX}${viewer}:${location.pathname}:${new URL(form.action, location.href).pathname}`;

/**
 * @param {HTMLFormElement} form
 * @returns {Field[]}
 */
function fieldsOf(form) {
  if (form.closest("[data-keep=off], [data-sealed]")) return [];
  return [...form.querySelectorAll(FIELDS)]
    .filter((field) => !field.closest("[data-sealed], [data-keep=off]"))
    .filter((field) => !/one-time-code|password|cc-/.test(field.getAttribute("autocomplete") ?? ""))
    .map((field) => /** @type {Field} */ (field))
    .filter((field) => field.name !== "");
}

/** Forget what other people typed in this tab, and what the last sending has brought home. */
function tidy() {
  const sent = sessionStorage.getItem(SENT);
  sessionStorage.removeItem(SENT);
  const [way] = performance.getEntriesByType("navigation");
  const status = /** @type {any} */ (way)?.responseStatus ?? 200;
  const taken = viewer !== "" && status < 400 && !document.querySelector(".error-summary");
  for (const key of Object.keys(sessionStorage)) {
    const foreign = key.startsWith(PREFIX) && viewer !== "" && !key.startsWith(`${PREFIX}${viewer}:`);
    if (foreign || (key === sent && taken)) sessionStorage.removeItem(key);
  }
}

/** @param {HTMLFormElement} form */
function dirty(form) {
  return fieldsOf(form).some((field) => field instanceof HTMLTextAreaElement && field.value !== field.defaultValue);
}

/** @param {HTMLFormElement} form */
function remember(form) {
  const typed = Object.fromEntries(fieldsOf(form).filter((f) => f.value && f.value !== f.defaultValue).map((f) => [f.name, f.value]));
  if (Object.keys(typed).length) sessionStorage.setItem(keyOf(form), JSON.stringify(typed));
  else sessionStorage.removeItem(keyOf(form));
}

/** @param {HTMLFormElement} form */
function restore(form) {
  /** @type {Record<string, string>} */
  const typed = JSON.parse(sessionStorage.getItem(keyOf(form)) ?? "{}");
  for (const field of fieldsOf(form)) {
    const text = typed[field.name];
    if (text !== undefined && field.value === field.defaultValue && !field.value) {
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
}

/** @returns {HTMLFormElement[]} */
const forms = () => [...document.querySelectorAll("form[method=post]")].map((form) => /** @type {HTMLFormElement} */ (form));

let leaving = false;
tidy();
if (viewer) forms().filter((form) => fieldsOf(form).length).forEach(restore);

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
