"""The small modules, in a real browser: what they add, and that they can be done without."""

from __future__ import annotations

from typing import Any

from tests.web.walking import MARKS

pytestmark = MARKS

SPECIMEN = "/desk/look/"


def test_the_palette_finds_pages_by_word_in_both_scripts_and_things_by_number(walk, world):
    for language, typed in (("en", "consti"), ("ur", "ادارے"), ("ur", "consti")):
        with walk.page(language, "light", 1280) as page:
            page.goto(walk.address + "/desk/")
            page.keyboard.press("Control+k")
            page.wait_for_selector("#palette-0")
            page.keyboard.type(typed)
            option = page.locator("#palette-list [role=option][aria-selected=true]")
            assert (
                page.locator("#palette input").get_attribute("aria-activedescendant") == "palette-0"
            )
            assert option.count() == 1
            with page.expect_navigation():
                page.keyboard.press("Enter")
            assert "/desk/constituents/" in page.url
    with walk.page("en", "light", 1280) as page:
        page.goto(walk.address + "/desk/")
        page.keyboard.press("Control+k")
        page.wait_for_selector("#palette-0")
        page.keyboard.type(str(world.report))
        page.wait_for_selector(f"#palette-0:has-text('Report {world.report}')")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.url.endswith(world.screens["report"])
        page.keyboard.press("Control+k")
        page.keyboard.type("zzzz")
        page.keyboard.press("Escape")
        assert not page.is_visible("#palette")
    assert walk.broken == []


def test_the_palette_does_what_it_offers(walk, world):
    with walk.page("en", "light", 1280) as page:
        page.goto(walk.address + "/desk/reports/?state=done")
        page.keyboard.press("Control+k")
        page.wait_for_selector("#palette-0")
        page.keyboard.type("compact")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.url.endswith("/desk/reports/?state=done")
        assert page.locator("body[data-density=compact]").count() == 1
    assert walk.broken == []


def test_keys_walk_a_list_and_can_be_switched_off(walk, world):
    with walk.page("en", "light", 1280) as page:
        page.goto(walk.address + SPECIMEN)
        page.evaluate(_LIST)
        page.keyboard.press("j")
        page.keyboard.press("j")
        assert page.evaluate("document.activeElement.id") == "link-2"
        page.keyboard.press("k")
        assert page.evaluate("document.querySelector('#list .here').id") == "row-1"
        page.keyboard.press("x")
        assert page.is_checked("#row-1 input")
        page.keyboard.press("t")
        assert page.evaluate("window.taken") == 1
        page.keyboard.press("?")
        assert page.is_visible("#keys")
        assert page.locator("#keys [data-keys-here] dd", has_text="Take").count() == 1
        page.keyboard.press("Escape")
        page.keyboard.press("o")
        assert page.url.endswith("#opened-1")
        page.focus("[data-palette] input")
        page.keyboard.type("jjt")
        assert page.input_value("[data-palette] input") == "jjt"
        assert page.evaluate("window.taken") == 1
    with walk.page("en", "light", 1280) as page:
        page.route("**/desk/look/", _without_shortcuts)
        page.goto(walk.address + SPECIMEN)
        page.evaluate(_LIST)
        for key in "jxt?":
            page.keyboard.press(key)
        assert page.locator("#list .here").count() == 0
        assert page.evaluate("window.taken") == 0
        assert not page.is_visible("#keys")
    assert walk.broken == []


_LIST = """
window.taken = 0;
document.querySelector('main').insertAdjacentHTML('afterbegin', `
  <table id="list" data-keys="list"><tbody>${[1, 2, 3].map(n => `
    <tr data-row id="row-${n}"><td><input type="checkbox" name="item" value="${n}"></td>
    <td><a id="link-${n}" href="#opened-${n}">${n}</a></td></tr>`).join('')}</tbody></table>
  <button type="button" id="take" data-key="t">Take <kbd>t</kbd></button>`);
document.getElementById('take').addEventListener('click', () => { window.taken += 1; });
"""


def _without_shortcuts(route: Any) -> None:
    answer = route.fetch()
    body = answer.text().replace('data-shortcuts="on"', 'data-shortcuts="off"')
    route.fulfill(response=answer, body=body)


def test_what_was_typed_survives_leaving_and_goes_when_it_was_taken(walk, world):
    row = f"{walk.address}/desk/set-aside/{world.row}/"
    with walk.page("en", "light", 1280) as page:
        page.goto(row)
        before = page.input_value("textarea#raw")
        page.fill("textarea#raw", "")
        page.goto(walk.address + "/desk/events/")
        page.goto(row)
        assert page.input_value("textarea#raw") == before, "an emptied field is not worth keeping"
        page.fill("input#note", "not finished")
        page.goto(walk.address + "/desk/events/")
        page.goto(row)
        assert page.input_value("input#note") == "not finished"
        # The session ends between typing and sending: nothing is lost.
        page.context.clear_cookies(name="sessionid")
        with page.expect_navigation():
            page.click("form[action$='/dismiss/'] button[type=submit]")
        page.context.add_cookies(
            [{"name": "sessionid", "value": walk.session, "url": walk.address}]
        )
        page.goto(row)
        assert page.input_value("input#note") == "not finished"
        with page.expect_navigation():
            page.click("form[action$='/dismiss/'] button[type=submit]")
        assert page.evaluate("Object.keys(sessionStorage).filter(k => k.startsWith('kept:'))") == []
    assert [each for each in walk.broken if "403" not in each] == []


def test_a_bulk_bar_counts_and_a_dialog_keeps_the_focus(walk, world):
    with walk.page("en", "light", 1280) as page:
        page.goto(walk.address + SPECIMEN)
        page.click("a[href='#dialog-en-light']")
        assert page.evaluate("document.activeElement.closest('dialog').id") == "dialog-en-light"
        page.keyboard.press("Escape")
        assert not page.is_visible("#dialog-en-light")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#dialog-en-light"
    with walk.page("en", "light", 320, java_script_enabled=False) as page:
        page.goto(walk.address + SPECIMEN)
        page.click("a[href='#dialog-en-light']")
        assert page.is_visible("#dialog-en-light")
        assert not page.is_visible("[data-copy] >> nth=0"), "a button that could do nothing"
    assert walk.broken == []


def test_a_value_is_copied_as_it_stands(walk, world):
    with walk.page("ur", "light", 1280) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(walk.address + SPECIMEN)
        page.click(".specimen[lang=ur] [data-copy='2001:db8:40::/44'] >> nth=0")
        page.wait_for_selector("[role=status]:has-text('نقل ہو گیا')")
        assert page.evaluate("navigator.clipboard.readText()") == "2001:db8:40::/44"
    assert walk.broken == []


def test_identifiers_times_and_labels_run_left_to_right_in_urdu_and_copy_unchanged(walk, world):
    """LOOK test 7: by the places of the glyphs, and by what the selection gives."""
    with walk.page("ur", "light", 1280) as page:
        page.goto(walk.address + SPECIMEN)
        wrong, seen = [], 0
        for text, order, copied in page.evaluate(_GLYPHS):
            seen += 1
            if order != sorted(order) or copied != text:
                wrong.append((text, copied, order))
        assert wrong == []
        assert seen > 20
        told = page.locator(".specimen[lang=ur] .field .error").first
        order = told.evaluate(_WITHIN, "2001:db8::/32")
        assert order == sorted(order), "an address within an Urdu sentence"
    assert walk.broken == []


_GLYPHS = """
[...document.querySelectorAll('.specimen[lang=ur] [dir=ltr]')]
  .filter(e => !e.children.length && e.textContent.trim() && e.checkVisibility()
    && !e.closest('.unseen, pre, details:not([open])') && e.tagName !== 'INPUT')
  .map(e => {
    const node = e.firstChild, line = e.getClientRects(), places = [];
    if (line.length > 1) return null;
    for (let at = 0; at < node.length; at++) {
      const range = document.createRange();
      range.setStart(node, at); range.setEnd(node, at + 1);
      places.push(range.getBoundingClientRect().x);
    }
    const chosen = getSelection();
    chosen.removeAllRanges(); const all = document.createRange(); all.selectNodeContents(e);
    chosen.addRange(all);
    return [e.textContent, places, chosen.toString()];
  }).filter(Boolean)
"""
_WITHIN = """
(element, part) => {
  const text = element.firstChild, from = text.data.indexOf(part), places = [];
  for (let at = from; at < from + part.length; at++) {
    const range = document.createRange();
    range.setStart(text, at); range.setEnd(text, at + 1);
    places.push(range.getBoundingClientRect().x);
  }
  return places;
}
"""
