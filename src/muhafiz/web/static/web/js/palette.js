// @ts-check
/**
 * The palette (Ctrl K): pages, views and commands by name, an item by its number, and the search.
 * The list is the server's: only what the viewer may do. Without scripts the same box is a form.
 *
 * @typedef {{word: string, also: string, group: string, address: string, method: string, fields: Record<string, string>, keys: string}} Command
 */

/** So long a pause in typing, in milliseconds, before the server is asked: what is looked for is logged. */
const REST = 250;
const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById("palette"));
const box = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-palette]"));

/**
 * The text as it is compared: lower case, Arabic letters as Urdu ones, no vowel marks.
 * @param {string} text
 */
const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/[\u064B-\u065F\u0670\u0640]/g, "").replace(/[\u064A\u0649]/g, "\u06CC").replace(/\u0643/g, "\u06A9").replace(/[\u0647\u06C0\u0629]/g, "\u06C1").trim();

/**
 * @param {HTMLDialogElement} dialog
 * @param {HTMLFormElement} box
 */
function begin(dialog, box) {
  const input = /** @type {HTMLInputElement} */ (dialog.querySelector("input"));
  const list = /** @type {HTMLElement} */ (dialog.querySelector("[role=listbox]"));
  const none = /** @type {HTMLElement} */ (dialog.querySelector("[data-none]"));
  /** @type {Command[] | null} */
  let known = null;
  /** @type {Command[]} */
  let shown = [];
  let at = 0;
  let asked = 0;

  /** @param {string} text */
  async function fetched(text) {
    const address = new URL(box.dataset.palette ?? "", location.href);
    if (text) address.searchParams.set("q", text);
    const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    return /** @type {{commands: Command[]}} */ (answer.ok ? await answer.json() : { commands: [] }).commands;
  }

  /**
   * @param {Command} command
   * @param {string[]} words
   */
  function score(command, words) {
    const name = plain(command.word);
    const all = `${name} ${plain(command.also)} ${plain(command.group)}`;
    if (!words.every((word) => all.includes(word))) return -1;
    return words.reduce((sum, word) => sum + (name.startsWith(word) ? 4 : name.includes(` ${word}`) ? 3 : name.includes(word) ? 2 : 1), 0);
  }

  /** @param {string} text */
  function found(text) {
    const words = plain(text).split(/\s+/).filter(Boolean);
    return (known ?? []).map((command) => ({ command, worth: score(command, words) })).filter((each) => each.worth >= 0).sort((a, b) => b.worth - a.worth).slice(0, 40).map((each) => each.command);
  }

  /** @param {string} text */
  function search(text) {
    const words = (dialog.dataset.search ?? "{text}").replace("{text}", text);
    return { word: words, also: "", group: "", address: `${box.action}?q=${encodeURIComponent(text)}`, method: "get", fields: {}, keys: "" };
  }

  function draw() {
    list.replaceChildren(...shown.map((command, index) => {
      const option = document.createElement("li");
      option.id = `palette-${index}`;
      option.className = "palette-option";
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", String(index === at));
      const [word, group, beside] = [document.createElement("bdi"), document.createElement("span"), document.createElement("bdi")];
      word.textContent = command.word;
      group.className = "hint";
      beside.textContent = command.group;
      group.append(beside);
      option.append(word, group);
      return option;
    }));
    none.hidden = shown.length > 0;
    input.setAttribute("aria-expanded", String(shown.length > 0));
    if (shown.length) input.setAttribute("aria-activedescendant", `palette-${at}`);
    else input.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  }

  async function ask() {
    const text = input.value.trim();
    const turn = ++asked;
    const named = found(text);
    const last = text && box.dataset.searches ? [search(text)] : [];
    shown = [...named, ...last];
    at = 0;
    draw();
    if (text.length < 2 && !/\d/.test(text)) return;
    // Things by number, name or address: the server knows which there are and may be seen. They stand
    // behind what is called so, so that the line one is about to press does not change.
    await new Promise((on) => setTimeout(on, REST));
    const things = turn === asked ? await fetched(text) : [];
    if (turn !== asked || !things.length) return;
    shown = [...named, ...things.filter((thing) => !named.some((other) => other.address === thing.address)), ...last];
    draw();
  }

  /** @param {Command} command */
  function run(command) {
    if (command.method !== "post") return location.assign(command.address);
    const form = document.createElement("form");
    form.method = "post";
    form.action = command.address;
    const token = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=csrfmiddlewaretoken]"))?.value ?? "";
    const fields = { ...command.fields, csrfmiddlewaretoken: token, next: location.pathname + location.search };
    for (const [name, value] of Object.entries(fields)) {
      const field = document.createElement("input");
      [field.type, field.name, field.value] = ["hidden", name, value];
      form.append(field);
    }
    document.body.append(form);
    form.submit();
  }

  async function open() {
    if (dialog.open) return;
    input.value = "";
    dialog.showModal();
    input.focus();
    if (known === null) known = await fetched("");
    ask();
  }

  input.addEventListener("input", ask);
  input.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (steps && shown.length) {
      event.preventDefault();
      at = (at + steps + shown.length) % shown.length;
      draw();
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      const command = shown[at];
      if (command) run(command);
    }
  });
  list.addEventListener("click", (event) => {
    const option = /** @type {Element} */ (event.target).closest("[role=option]");
    const command = option && shown[[...list.children].indexOf(option)];
    if (command) run(command);
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.code === "KeyK") {
      event.preventDefault();
      open();
    }
  });
  box.classList.add("ready");
}

if (dialog && box) begin(dialog, box);
