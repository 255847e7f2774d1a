"""How wide text is: advance widths of real fonts, and text cut or wrapped to a width.

The layout has to know the width of a label before any font has drawn it. Where the font is known
(PNG and PDF bring Open Sans) its own widths are used; a browser may take any of the fonts that
``theme.FAMILY`` names, so there the widest of them counts.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

_CODES = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x100),
    *map(ord, "\u2013\u2014\u2018\u2019\u201c\u201d\u2026"),
)
"""What the tables below hold, in this order: printable ASCII, Latin-1, dashes, quotes, ellipsis."""

# Thousandths of an em, of Open Sans Regular and SemiBold.
_OPEN_SANS = """
260 268 401 646 572 824 730 222 296 296 552 572 246 322 267 368 572 572 572 572 572 572 572 572
572 572 267 267 572 572 572 430 899 633 648 631 730 557 517 729 738 279 268 614 520 903 754 779
603 779 619 549 554 729 596 926 578 561 571 330 368 330 542 449 578 557 613 477 613 562 339 548
614 253 253 525 253 931 614 605 613 613 409 478 354 614 501 778 524 504 468 379 551 379 572 260
268 572 572 572 572 551 517 578 833 355 498 572 322 833 500 429 572 348 348 578 620 655 267 228
348 375 498 780 780 780 430 633 633 633 633 633 633 874 631 557 557 557 557 279 279 279 279 723
754 779 779 779 779 779 572 779 729 729 729 729 561 611 623 557 557 557 557 557 557 858 477 562
562 562 562 253 253 253 253 597 614 605 605 605 605 605 572 605 614 614 614 614 504 613 504 500
1000 170 170 351 351 785
"""
_OPEN_SANS_BOLD = """
260 276 437 646 571 862 741 244 317 317 548 571 268 322 275 391 571 571 571 571 571 571 571 571
571 571 275 278 571 571 571 454 898 662 661 634 734 559 533 727 751 306 299 640 542 923 784 788
616 788 640 550 566 743 623 946 623 592 576 331 391 331 538 430 592 581 624 496 624 577 363 557
635 279 279 572 279 957 635 611 624 624 432 487 394 635 536 817 551 537 479 387 551 372 571 260
276 571 571 571 571 551 501 592 833 369 557 571 322 833 500 429 571 363 363 592 640 655 275 216
363 381 557 831 831 831 454 662 662 662 662 662 662 913 634 559 559 559 559 306 306 306 306 731
784 788 788 788 788 788 571 788 743 743 743 743 592 620 667 581 581 581 581 581 581 888 496 577
577 577 577 279 279 279 279 607 635 611 611 611 611 611 571 611 635 635 635 635 537 624 537 500
1000 193 193 397 397 819
"""
# The largest among Open Sans, Helvetica and DejaVu Sans, regular and bold.
_WIDEST = """
318 401 460 838 637 951 780 275 391 391 552 838 318 361 318 368 637 637 637 637 637 637 637 637
637 637 337 337 838 838 838 556 1015 685 687 722 771 667 611 778 752 295 500 667 558 903 754 788
667 788 722 667 611 732 685 989 686 667 686 391 368 391 838 556 578 613 635 550 635 616 353 635
634 278 278 580 278 975 634 612 635 635 412 521 393 634 592 818 592 592 525 637 551 637 838 318
401 637 637 637 637 551 556 578 1000 472 612 838 361 1000 500 500 838 401 401 578 637 655 318 500
401 472 612 970 970 970 611 685 685 685 685 685 685 1000 722 667 667 667 667 295 295 295 295 775
754 788 788 788 788 788 838 788 732 732 732 732 667 667 630 613 613 613 613 613 613 982 550 616
616 616 616 278 278 278 278 612 634 612 612 612 612 612 838 612 634 634 634 634 592 635 592 556
1000 318 318 519 519 1000
"""
_WIDEST_BOLD = """
349 457 521 838 696 1002 873 307 458 458 548 838 380 416 380 391 696 696 696 696 696 696 696 696
696 696 400 400 838 838 838 611 1000 774 763 734 831 684 684 821 837 373 556 775 638 996 837 851
733 851 771 721 683 813 774 1104 771 725 726 458 391 458 838 556 592 675 716 593 716 679 436 716
712 343 343 666 343 1042 712 688 716 716 494 596 479 712 652 924 646 652 583 712 551 712 838 349
457 696 696 637 696 551 556 592 1000 564 646 838 416 1000 500 500 838 438 438 592 736 655 380 500
438 564 646 1036 1036 1036 611 774 774 774 774 774 774 1085 734 684 684 684 684 373 373 373 373
838 837 851 851 851 851 851 838 851 813 813 813 813 725 738 720 675 675 675 675 675 675 1048 593
679 679 679 679 343 343 343 343 688 712 688 688 688 688 688 838 688 712 712 712 712 652 716 652
556 1000 380 380 658 658 1000
"""

_BREAKS = "@,;/."
"""Behind what a text without spaces may be broken, the better places first."""
_SCRIPTS = ((0x250, 0.86), (0x530, 1.1), (0x1100, 1.3))
"""Ems of characters up to a code point that no table holds: 19 of 20 letters of further Latin,
Greek and Cyrillic, of the scripts of the Near East and of India, are narrower."""
_OTHER = 1.0
_FULL = 1.05
"""Ems of an ideograph (East Asian Wide, UAX 11), and of most emoji."""
ELLIPSIS = "\u2026"


def _other(code: int) -> float:
    character = chr(code)
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return _FULL
    return next((ems for end, ems in _SCRIPTS if code < end), _OTHER)


class _Widths(dict[int, float]):
    """Ems by code point; of what the table lacks, an upper estimate."""

    def __init__(self, table: str) -> None:
        thousandths = map(int, table.split())
        super().__init__({code: one / 1000 for code, one in zip(_CODES, thousandths, strict=True)})

    def __missing__(self, code: int) -> float:
        return _other(code)


class Metrics(NamedTuple):
    """The widths of one font, or of several of which the widest counts."""

    regular: _Widths
    bold: _Widths

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Return the width of a text at a size, in the unit of the size."""
        table = self.bold if bold else self.regular
        return size * sum([table[ord(one)] for one in text])

    def fitted(self, text: str, room: float, size: float, *, bold: bool = False) -> str:
        """Return the text, cut with an ellipsis where it is wider than the room."""
        if self.width(text, size, bold=bold) <= room:
            return text
        table = self.bold if bold else self.regular
        left = room / size - table[ord(ELLIPSIS)]
        for number, one in enumerate(text):
            left -= table[ord(one)]
            if left < 0:
                return text[:number].rstrip() + ELLIPSIS
        return text

    def wrapped(
        self, text: str, room: float, size: float, lines: int, *, bold: bool = False
    ) -> list[str]:
        """Return the text as at most so many lines; the last is cut where that is not enough."""
        if self.width(text, size, bold=bold) <= room:
            return [text]
        found: list[str] = []
        while text and len(found) < lines - 1:
            head = self._line(text, room, size, bold=bold)
            found.append(head.rstrip())
            text = text[len(head) :].lstrip()
        return [*found, self.fitted(text, room, size, bold=bold)] if text else found

    def _line(self, text: str, room: float, size: float, *, bold: bool) -> str:
        """Return the beginning of a text that fits a line, up to a good place to break."""
        table = self.bold if bold else self.regular
        left, end = room / size, len(text)
        for number, one in enumerate(text):
            left -= table[ord(one)]
            if left < 0:
                end = max(number, 1)
                break
        if end == len(text):
            return text
        space = text.rfind(" ", end // 2, end + 1)
        if space < 0:
            found = (text.rfind(one, end // 2, end) for one in _BREAKS)
            space = next((at for at in found if at > 0), -1)
        return text[: space + 1] if space > 0 else text[:end]


OPEN_SANS = Metrics(_Widths(_OPEN_SANS), _Widths(_OPEN_SANS_BOLD))
WIDEST = Metrics(_Widths(_WIDEST), _Widths(_WIDEST_BOLD))
