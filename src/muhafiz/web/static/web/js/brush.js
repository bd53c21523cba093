// @ts-check
/**
 * A series of bars becomes a brush: drag over bars, or click the first and the last, or choose with
 * the keys. Without this module every bar is a link to its own span, and stays one.
 */

/** @param {HTMLElement} frame */
function brush(frame) {
  const slots = /** @type {SVGAElement[]} */ ([...frame.querySelectorAll("[data-slot]")]);
  const card = frame.closest("section");
  const told = /** @type {HTMLElement | null} */ (card?.querySelector("[data-brush-told]") ?? null);
  const hint = /** @type {HTMLElement | null} */ (card?.querySelector("[data-brush-hint]") ?? null);
  const text = told?.querySelector("[data-brush-text]");
  const go = /** @type {HTMLAnchorElement | null} */ (told?.querySelector("[data-brush-go]") ?? null);
  if (!told || !text || !go || slots.length < 2) return;
  if (hint) hint.hidden = false;

  /** @type {number | null} */ let anchor = null;
  let end = 0;
  let dragging = false;
  let moved = false;

  const bounds = () => [Math.min(anchor ?? end, end), Math.max(anchor ?? end, end)];
  const number = new Intl.NumberFormat("en");

  function show() {
    const [first, last] = bounds();
    slots.forEach((slot, at) => slot.classList.toggle("slot-in", anchor !== null && at >= first && at <= last));
    frame.classList.toggle("brushing", anchor !== null);
    told.hidden = anchor === null;
    if (anchor === null) return;
    const from = slots[first].dataset.first ?? "";
    const until = slots[last].dataset.last ?? "";
    const sum = slots.slice(first, last + 1).reduce((all, slot) => all + Number(slot.dataset.events), 0);
    text.textContent = `${from.replace("T", " ")} – ${until.replace("T", " ")} · ${number.format(sum)}`;
    const address = new URL(frame.dataset.address || "?", location.href);
    address.searchParams.delete("span");
    address.searchParams.set("since", from);
    address.searchParams.set("until", until);
    go.href = address.href;
  }

  function drop() {
    anchor = null;
    show();
  }

  /** @param {number} at */
  function look(at) {
    slots.forEach((slot, each) => slot.setAttribute("tabindex", each === at ? "0" : "-1"));
    slots[at].focus();
  }

  /** @param {Event} event */
  const place = (event) => slots.indexOf(/** @type {any} */ (event.target)?.closest?.("[data-slot]"));

  frame.addEventListener("pointerdown", (event) => {
    const at = place(event);
    if (at < 0 || event.button !== 0 || event.ctrlKey || event.metaKey || event.pointerType === "touch") return;
    dragging = true;
    moved = false;
    if (anchor === null || !event.shiftKey) {
      frame.dataset.pressed = String(at);
    }
  });

  frame.addEventListener("pointermove", (event) => {
    if (!dragging) return;
    const under = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-slot]");
    const at = under ? slots.indexOf(/** @type {any} */ (under)) : -1;
    const pressed = Number(frame.dataset.pressed);
    if (at < 0 || (at === pressed && !moved)) return;
    moved = true;
    anchor = pressed;
    end = at;
    show();
  });

  addEventListener("pointerup", () => {
    const chosen = dragging && moved;
    dragging = false;
    if (chosen && go) location.assign(go.href);
  });

  frame.addEventListener("dragstart", (event) => event.preventDefault());

  frame.addEventListener("click", (event) => {
    const at = place(event);
    if (at < 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.detail === 0) return;
    event.preventDefault();
    if (moved) return;
    if (anchor === null) {
      anchor = at;
      end = at;
      show();
    } else {
      end = at;
      show();
      if (go) location.assign(go.href);
    }
  });

  frame.addEventListener("keydown", (event) => {
    const at = slots.indexOf(/** @type {any} */ (document.activeElement));
    if (at < 0) return;
    const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -at, End: slots.length - 1 - at };
    if (event.key in steps) {
      const to = Math.min(Math.max(at + steps[/** @type {keyof typeof steps} */ (event.key)], 0), slots.length - 1);
      if (event.shiftKey) {
        anchor ??= at;
        end = to;
      } else {
        anchor = null;
      }
      show();
      look(to);
    } else if (event.key === "Enter" && anchor !== null && go) {
      location.assign(go.href);
    } else if (event.key === "Escape" && anchor !== null) {
      drop();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
}

document.querySelectorAll("[data-brush]").forEach((frame) => brush(/** @type {HTMLElement} */ (frame)));
