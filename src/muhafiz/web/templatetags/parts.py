"""The page components that need more than an include: headings that sort, dialogs, live values."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import QueryDict
from django.template import Context
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from muhafiz.web.parts import PLACES, address

register = template.Library()


@register.simple_tag(takes_context=True)
def sortable(
    context: Context, code: str, word: str, default: str = "", look: str = ""
) -> SafeString:
    """A column's heading as a link that sorts by it, and turns round when it already does.

    The query's field `sort` names the column, with "-" before it for downwards; `default` is what
    an absent field means; `look` is the heading's class ("num").
    """
    query: QueryDict = context["request"].GET
    sort = query.get("sort") or default
    up, down = sort == code, sort == f"-{code}"
    order = "ascending" if up else "descending" if down else "none"
    return format_html(
        '<th scope="col" class="{}" aria-sort="{}"><a class="sorts" href="{}">{}'
        '<svg class="icon icon-small" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        '<path d="{}"/></svg></a></th>',
        look,
        order,
        address(query, sort=code if down else f"-{code}"),
        word,
        _ARROWS[order],
    )


_ARROWS = {
    "ascending": "M12 19V5 M6 11l6-6 6 6",
    "descending": "M12 5v14 M6 13l6 6 6-6",
    "none": "M8 9l4-4 4 4 M8 15l4 4 4-4",
}


@register.simple_tag(takes_context=True)
def kept(context: Context, *left_out: str) -> SafeString:
    """The query's fields as hidden ones, so that a form hands them on; but not those `left_out`."""
    query: QueryDict = context["request"].GET
    left = {*left_out, *PLACES}
    pairs = ((n, value) for n in query if n not in left for value in query.getlist(n) if value)
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', pairs)


@register.simple_tag
def place(name: str, *args: object) -> str:
    """The address of a route; empty where no such route exists."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


@register.simple_tag
def keyhint(key: str) -> SafeString:
    """A key that does what stands beside it; hidden where shortcuts are switched off."""
    return format_html('<kbd class="key" aria-hidden="true">{}</kbd>', key)


@register.inclusion_tag("web/copy.html")
def copy(value: object, word: str = "") -> dict[str, object]:
    """A button that puts `value` on the clipboard; absent where scripts are off."""
    return {"value": value, "word": word}


@register.inclusion_tag("web/defanged.html")
def defanged(value: object) -> dict[str, object]:
    """A harmful value that nothing can follow by mistake; the live one lies behind a button."""
    live = "" if value is None else str(value)
    return {"live": live, "shown": harmless(live)}


def harmless(value: str) -> str:
    """The value as people write it so that no program follows it: 192.0.2[.]1, hxxps://a[.]b."""
    shown = value
    for scheme, dead in (("http", "hxxp"), ("ftp", "fxp")):
        if value.lower().startswith(scheme):
            shown = dead + value[len(scheme) :]
    return shown.replace(".", "[.]").replace("@", "[@]")


@register.simple_block_tag(takes_context=True)
def dialog(context: Context, content: str, name: str, title: str) -> SafeString:
    """A dialog called `name` around its content; `<a href="#name" data-dialog>` opens it.

    Without scripts the link leads to the same form, shown in the page.
    """
    said: dict[str, Any] = {"name": name, "title": title, "content": content}
    return render_to_string("web/dialog.html", said, context.get("request"))
