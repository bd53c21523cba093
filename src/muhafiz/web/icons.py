"""Our own icons: paths on a 24 by 24 grid, drawn with a stroke of the text's colour."""

from __future__ import annotations

#: name → the path's data. A small vocabulary, one meaning each.
PATHS: dict[str, str] = {
    "queue": "M4 13l3-8h10l3 8v6H4z M4 13h5l1.5 3h3L15 13h5 M9 9h6",
    "shift": "M7 4h10 M7 20h10 M8 4c0 4 8 4 8 8s-8 4-8 8 M16 4c0 4-8 4-8 8s8 4 8 8",
    "river": "M3 6c3 0 3 2.5 6 2.5S12 6 15 6s3 2.5 6 2.5"
    " M3 12c3 0 3 2.5 6 2.5s3-2.5 6-2.5 3 2.5 6 2.5"
    " M3 18c3 0 3 2.5 6 2.5s3-2.5 6-2.5 3 2.5 6 2.5",
    "report": "M6 3h8l4 4v14H6z M14 3v4h4 M9 12h6 M9 16h6",
    "aside": "M4 7h16 M4 12h9 M4 17h6 M16 14l5 5 M21 14l-5 5",
    "event": "M12 3v4 M12 17v4 M3 12h4 M17 12h4 M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
    "map": "M4 4h7v7H4z M13 4h7v7h-7z M4 13h7v7H4z M13 16.5h7",
    "people": "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z M3 20c0-3.5 2.5-6 6-6s6 2.5 6 6"
    " M16 4.5a3.2 3.2 0 0 1 0 6 M17.5 14.5c2.2.8 3.5 2.8 3.5 5.5",
    "letter": "M3 6h18v12H3z M3 7l9 6 9-6",
    "unsure": "M12 3l9.5 17h-19z M12 10v4 M12 17v.2",
    "feed": "M5 19v.2 M5 13a6 6 0 0 1 6 6 M5 7a12 12 0 0 1 12 12",
    "pulse": "M2.5 12h4.5l2.5-6 4.5 12 2.5-6h5",
    "job": "M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z M12 3v3 M12 18v3 M3 12h3 M18 12h3"
    " M5.6 5.6l2.2 2.2 M16.2 16.2l2.2 2.2 M5.6 18.4l2.2-2.2 M16.2 7.8l2.2-2.2",
    "audit": "M12 3l8 3v6c0 4.5-3.2 7.8-8 9-4.8-1.2-8-4.5-8-9V6z M8.5 12l2.5 2.5 4.5-5",
    "book": "M5 4h10a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3z M5 17a3 3 0 0 1 3-3h10",
    "clock": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M12 7v5l3.5 2",
    "moon": "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
    "sun": "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M12 2v2 M12 20v2 M2 12h2 M20 12h2"
    " M5 5l1.4 1.4 M17.6 17.6L19 19 M5 19l1.4-1.4 M17.6 6.4L19 5",
    "language": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M3 12h18"
    " M12 3c3 3 3.6 6 3.6 9S15 18 12 21c-3-3-3.6-6-3.6-9S9 6 12 3z",
    "leave": "M10 4H5v16h5 M14 8l4 4-4 4 M18 12H9",
    "search": "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z M15.5 15.5L21 21",
    "menu": "M4 7h16 M4 12h16 M4 17h16",
    "close": "M6 6l12 12 M18 6L6 18",
    "next": "M9 5l7 7-7 7",
    "back": "M15 5l-7 7 7 7",
    "down": "M12 4v12 M7 12l5 5 5-5 M5 21h14",
    "up": "M12 20V8 M7 12l5-5 5 5 M5 3h14",
    "again": "M19 8a8 8 0 1 0 1 6 M20 4v5h-5",
    "send": "M4 12l16-8-6 17-3-7z M11 14l9-10",
    "check": "M4.5 12.5l5 5 10-11",
    "lock": "M6 11h12v9H6z M8.5 11V8a3.5 3.5 0 0 1 7 0v3",
    "key": "M8 10a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z M11.2 11.3L20 2.5 M16.5 6l3 3 M13.5 9l2 2",
    "building": "M5 21V5l7-2v18 M12 9h7v12 M3 21h18 M8 9v.2 M8 13v.2"
    " M8 17v.2 M15.5 13v.2 M15.5 17v.2",
    "tree": "M9 3h6v5H9z M3 16h6v5H3z M15 16h6v5h-6z M12 8v4 M6 16v-4h12v4",
    "quiet": "M4 10v4h4l5 4V6L8 10z M17 9l5 6 M22 9l-5 6",
    "filter": "M4 6h16 M7 12h10 M10 18h4",
    "columns": "M4 5h16v14H4z M9.5 5v14 M15 5v14",
    "copy": "M9 9h11v11H9z M15 9V4H4v11h5",
    "rows": "M4 6h16 M4 10h16 M4 14h16 M4 18h16",
    "keyboard": "M3 7h18v10H3z M7 10.5v.2 M11 10.5v.2 M15 10.5v.2 M8 14h8",
    "empty": "M4 13l3-8h10l3 8v6H4z M4 13h5l1.5 3h3L15 13h5",
}

#: Icons that point along the reading direction; they turn round in right-to-left pages.
TURNING = frozenset({"next", "back", "leave", "send", "quiet"})

#: The emblem: a shield over a river.
EMBLEM = (
    "M12 2.5l8 3v6.2c0 4.6-3.2 8.2-8 9.8-4.8-1.6-8-5.2-8-9.8V5.5z"
    " M7 10.5c1.7 0 1.7 1.3 3.4 1.3s1.6-1.3 3.3-1.3 1.6 1.3 3.3 1.3"
    " M7.6 14.5c1.5 0 1.5 1.3 3 1.3s1.5-1.3 3-1.3 1.4 1.3 2.8 1.3"
)
