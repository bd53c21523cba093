// @ts-check
/** Copy buttons: `<button data-copy="value" data-done="Copied" hidden>`. Absent where scripts are off. */

/** @param {string} text */
async function put(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Plain HTTP within an office: no clipboard interface, but the old command still works.
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

/** @param {ParentNode} root */
function offer(root) {
  root.querySelectorAll("[data-copy][hidden]").forEach((button) => button.removeAttribute("hidden"));
}

document.addEventListener("click", async (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest?.("[data-copy]");
  if (!(button instanceof HTMLElement)) return;
  await put(button.dataset.copy ?? "");
  button.classList.add("copied");
  const said = document.createElement("span");
  said.className = "small";
  said.setAttribute("role", "status");
  said.textContent = button.dataset.done ?? "";
  button.append(said);
  setTimeout(() => { said.remove(); button.classList.remove("copied"); }, 2000);
});

offer(document);
document.addEventListener("htmx:load", (event) => offer(/** @type {HTMLElement} */ (event.target)));
