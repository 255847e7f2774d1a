"""A SIPp scenario as it is written: its elements, actions, variables and labels.

The rule: a message may come when the scenario is at a step that receives nothing; it is put off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.sipp.syntax import attribute, cdata, comment, posix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MATCHED = "matched"
"""The variable for a whole match, which nobody needs."""
_NOW = "now"
END = "end"
_STUCK = "stuck"
MAX_PUT_OFF = 1000
"""How often messages may come at the wrong moment in one call; one that no step expects comes
again and again, and ends the call then."""
_PUT_OFF = f"""
    <action>
      <add assign_to="putoff" value="1"/>
      <test assign_to="stuck" variable="putoff" compare="greater_than" value="{MAX_PUT_OFF}"/>
      <assign assign_to="back" variable="_unexp.retaddr"/>
      <assign assign_to="_unexp.retaddr" value="0"/>
      <jump variable="back"/>
    </action>
  """
_VIAS, _REPLIES, _AGAIN = "vias", "replies", "again"
_ENDS = {"From": "from", "To": "to", "Call-ID": "callid", "CSeq": "cseq"}
# The first status line stands in the scenario, as SIPp wants it; those after it are data.
_STATUS_LINE = r"SIP/2.0 200 OK\x0D\x0A"
_ANSWER = (
    f'<ereg regexp="((Via|v): *[^\\r\\n]*\\r\\n)+" search_in="msg" assign_to="{_VIAS}"/>',
    *(
        f'<ereg regexp=".*" search_in="hdr" header="{name}:" assign_to="{variable}"/>'
        for name, variable in _ENDS.items()
    ),
    f'<assignstr assign_to="{_REPLIES}" value="[${_REPLIES}][${_AGAIN}][${_VIAS}]'
    + "".join(f"{name}:[${variable}]\\x0D\\x0A" for name, variable in _ENDS.items())
    + 'Content-Length: 0\\x0D\\x0A\\x0D\\x0A"/>',
    f'<assignstr assign_to="{_AGAIN}" value="{_STATUS_LINE}"/>',
)
_FORGET = f"""
    <action>
      <assignstr assign_to="{_REPLIES}" value=""/>
      <assignstr assign_to="{_AGAIN}" value=""/>
    </action>
  """
# While there is an address to go back to, SIPp ends the call at the next message that no step
# expects, and logs that message.
_GIVE_UP = """
    <action>
      <assign assign_to="_unexp.retaddr" value="1"/>
    </action>
  """
NOBODY = "NONE"
"""A method that nobody has."""


class Ereg(NamedTuple):
    """A regular expression (POSIX, extended) over what was received."""

    pattern: str
    where: str
    """``body``, ``msg``, or the name of a header."""
    variables: tuple[str, ...]
    """For the whole match, then for its groups."""
    check: bool = False
    """The call fails where it does not match."""
    default: str | None = None
    """SIPp text that the group's variable has where it does not match."""


class Count(NamedTuple):
    """Adds what an expression's first group found to a variable: as often as it was heard."""

    pattern: str
    where: str
    variable: str


class Complete(NamedTuple):
    """Sets whether everything was heard that is awaited."""

    name: str
    """``NAME.all`` is set where it was, ``NAME.more`` where not."""
    parts: tuple[tuple[str, str, int], ...]
    """A variable, the text that it must have, and how often at least."""


class Answer(NamedTuple):
    """Adds a 200 to what is received to those that are sent together."""


Action = Ereg | Count | Complete | Answer


class Scenario:
    """A scenario as it is written, element by element.

    SIPp handles one step of a call and then reads again: what comes in meanwhile meets a step that
    receives nothing. Such a message is put off until the next ``recv`` (SIPp's ``_unexp.main``,
    which can hold one). SIPp then looks for ``next`` in the step before the one it goes back to,
    so that each place that is jumped to or waited at has a step of its own before it.
    """

    def __init__(self, name: str, remarks: Iterable[str]) -> None:
        """Begin a scenario with remarks for whoever reads it."""
        self._lines: list[str | _Step] = ['<?xml version="1.0" encoding="UTF-8"?>', "<!--"]
        self._lines += [f"  {comment(line)}" for line in remarks]
        self._lines += ["-->", f'<scenario name="{attribute(comment(name))}">']
        self._variables: dict[str, None] = {}
        self._last: _Step | None = None
        self.messages = 0
        """Elements so far that SIPp counts as messages (``[branch-2]`` is relative to them)."""

    def remark(self, text: str) -> None:
        """Write a comment."""
        self._lines += ["", f"  <!-- {comment(text)} -->"]

    def send(self, message: str, **attributes: str | None) -> None:
        """Write a message to be sent: SIPp text."""
        self._add(_Step("send", attributes, cdata(message)))

    def send_answers(self, **attributes: str | None) -> None:
        """Write the answers that ``Answer`` gathered, as one write."""
        self._add(_Step("send", attributes, cdata(f"SIP/2.0 200 OK\n[${_REPLIES}]") + _FORGET))

    def receive(self, actions: Iterable[Action] = (), **attributes: str | None) -> None:
        """Write what is received; attributes that are None are left out."""
        self._add(_Step("recv", attributes, self._actions(actions)))

    def go(self, label: str, test: str | None = None) -> None:
        """Write a jump to a label, where a variable is set."""
        self._add(_Step("nop", {"test": test, "next": label}))

    def pause(self, milliseconds: int) -> None:
        """Write a pause."""
        self._add(_Step("pause", {"milliseconds": str(milliseconds)}))

    def mark(self, label: str) -> None:
        """Begin a place that is jumped to or waited at; what stands before it goes on there."""
        last = self._last
        if last is not None and "next" not in last.attributes:
            last.attributes["next"] = label
        self._add(_Step("nop", {"test": _STUCK, "next": _STUCK}))
        self._lines.append(f'  <label id="{attribute(label)}"/>')

    def finish(self) -> None:
        """End the call after what stands before: at once, as the peer may close its connection."""
        if self._last is None or "next" in self._last.attributes:
            self.go(END)
        else:
            self._last.attributes["next"] = END

    def end(self) -> None:
        """Write the end, and what becomes of messages that come at the wrong moment."""
        self._lines.append("")
        self.finish()
        self.mark("_unexp.main")
        self._add(_Step("nop", {}, _PUT_OFF))
        self._lines.append(f'  <label id="{_STUCK}"/>')
        self._add(_Step("nop", {}, _GIVE_UP))
        self._add(_Step("recv", {"request": NOBODY}))
        self._lines.append(f'  <label id="{END}"/>')
        if self._variables:
            # SIPp takes a variable that it meets once for a slip of the pen, and refuses it.
            self._lines.append(f'  <Reference variables="{",".join(self._variables)}"/>')

    def text(self) -> str:
        """Return the scenario."""
        return "\n".join([*map(str, self._lines), "</scenario>", ""])

    def _add(self, step: _Step) -> None:
        self.messages += 1
        self._last = step
        self._lines.append(step)

    def _actions(self, actions: Iterable[Action]) -> str:
        lines = [f"      {line}" for one in actions for line in self._action(one)]
        return "\n".join(("", "    <action>", *lines, "    </action>", "  ")) if lines else ""

    def _action(self, action: Action) -> Iterator[str]:
        if isinstance(action, Complete):
            yield from self._complete(action)
        elif isinstance(action, Answer):
            self._variables.update(dict.fromkeys((_VIAS, _REPLIES, _AGAIN, *_ENDS.values())))
            yield from _ANSWER
        elif isinstance(action, Count):
            found = Ereg(action.pattern, action.where, (MATCHED, _NOW))
            self._variables.update(dict.fromkeys((*found.variables, action.variable)))
            yield f'<assignstr assign_to="{_NOW}" value=""/>'
            yield _ereg(found)
            value = f"[${action.variable}][${_NOW}]"
            yield f'<assignstr assign_to="{action.variable}" value="{value}"/>'
        else:
            self._variables.update(dict.fromkeys(action.variables))
            if action.default is not None:
                default = attribute(action.default)
                yield f'<assignstr assign_to="{action.variables[-1]}" value="{default}"/>'
            yield _ereg(action)

    def _complete(self, action: Complete) -> Iterator[str]:
        names = ("heard", "done", "all", "more")
        heard, done, is_all, more = (f"{action.name}.{one}" for one in names)
        self._variables.update(dict.fromkeys((heard, done, is_all, more, _NOW, MATCHED)))
        said = "".join(f"|[${variable}]" for variable, _, _ in action.parts)
        wanted = "".join(f"[|]({posix(text)}){{{least},}}" for _, text, least in action.parts)
        yield f'<assignstr assign_to="{heard}" value="1{said}"/>'
        # SIPp unsets no variable: 0 is said first, and 1 where the expression matches.
        yield f'<assignstr assign_to="{_NOW}" value="0"/>'
        pattern = attribute(f"^(1){wanted}$")
        yield (
            f'<ereg regexp="{pattern}" search_in="var" variable="{heard}" '
            f'assign_to="{MATCHED},{_NOW}"/>'
        )
        yield f'<todouble assign_to="{done}" variable="{_NOW}"/>'
        for name, value in ((is_all, 1), (more, 0)):
            yield f'<test assign_to="{name}" variable="{done}" compare="equal" value="{value}"/>'


def _ereg(action: Ereg) -> str:
    where = f'search_in="{action.where}"'
    if action.where not in ("body", "msg"):
        where = f'search_in="hdr" header="{attribute(action.where)}:"'
    check = ' check_it="true"' if action.check else ""
    pattern = attribute(action.pattern)
    return f'<ereg regexp="{pattern}" {where}{check} assign_to="{",".join(action.variables)}"/>'


class _Step:
    """An element that SIPp counts as a message of the scenario."""

    def __init__(self, name: str, attributes: dict[str, str | None], inner: str = "") -> None:
        self.name = name
        self.attributes = {key: one for key, one in attributes.items() if one is not None}
        self.inner = inner

    def __str__(self) -> str:
        known = (f'{key}="{attribute(one)}"' for key, one in self.attributes.items())
        opening = " ".join((f"  <{self.name}", *known))
        return f"{opening}>{self.inner}</{self.name}>" if self.inner else f"{opening}/>"
