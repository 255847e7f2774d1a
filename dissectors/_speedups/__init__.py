"""The compiled twin of the reading path: the same answers, sooner; everything works without it.

The one rule: the twin takes only what needs no decision and hands everything else to the reference
(the modules of ``dissectors``), in order. Built by Cython when the package is installed where a C
compiler is; ``analyzer.paths`` decides whether it is used.
"""

from __future__ import annotations
