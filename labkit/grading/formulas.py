"""What MathJax may do on a page: the one program there that reads what a student has written.

nbgrader's templates load MathJax 2.7 with its extension "Safe", whose own settings let formulas
hold links, and pictures of other sites for the mouse. And a formula of twenty characters can define
itself without end, or nest until the browser gives up.
"""

from __future__ import annotations

import json
import re
from string import Template

MAX_FORMULAS = 1_000  # of a page; MathJax takes some milliseconds for each
MAX_SYMBOLS, MAX_SYMBOLS_OF_ONE = 20_000, 4_000  # of a page, once macros have been replaced
MAX_NESTING = 40  # roots in roots; a browser's tab crashes at about twice as many
_DOLLARS, _OTHERS = re.compile(r"\$+"), re.compile(r"\\\(|\\\[|\\begin\b|\\(?:eq)?ref\b")

# Sizes are those of TeX's own commands, from \tiny to \Huge.
_SAFE = {
    "sizeMin": 0.5,
    "sizeMax": 2.49,
    "safeProtocols": {"http": True, "https": True, "mailto": True, "file": False},
    "safeStyles": {"cursor": False, "textShadow": False},
}

# A macro costs what it is replaced with, since all of that is read again. A formula that is too
# much is shown as LaTeX.
_LIMIT = Template("""
MathJax.Hub.Register.StartupHook("TeX Jax Ready", function () {
  var TEX = MathJax.InputJax.TeX, page = $page, formula, open = [];
  var parse = TEX.Parse.prototype.Parse, push = TEX.Parse.prototype.Push,
      replace = TEX.Parse.prototype.AddArgs;
  function take(count) {
    page -= count; formula -= count;
    if (page < 0 || formula < 0) {TEX.Error("There is too much in this formula.")}
  }
  TEX.prefilterHooks.Add(function () {formula = $formula});
  TEX.Parse.Augment({
    Parse: function () {
      open.push(this);
      try {return parse.call(this)} finally {open.pop()}
    },
    Push: function () {
      var depth = 0;
      take(1);
      open.forEach(function (parser) {depth += parser.stack.data.length});
      if (depth > $nesting) {TEX.Error("This formula is nested too deeply.")}
      return push.apply(this, arguments);
    },
    AddArgs: function (first, second) {
      take(1 + (first.length + second.length) / 50);
      return replace.call(this, first, second);
    }
  });
});
""").substitute(page=MAX_SYMBOLS, formula=MAX_SYMBOLS_OF_ONE, nesting=MAX_NESTING)


def configuration(links: bool) -> str:
    """What MathJax reads when it starts, as markup for a page's head.

    Args:
        links: whether a formula may hold links to other sites, as text can.
    """
    urls = "safe" if links else "none"
    allow = {"URLs": urls, "classes": "none", "cssIDs": "none", "fontsize": "safe"}
    settings = json.dumps({"Safe": {"allow": allow, **_SAFE}})
    return f'<script type="text/x-mathjax-config">MathJax.Hub.Config({settings});{_LIMIT}</script>'


def count(text: str) -> int:
    """How many formulas a text has at most."""
    return (len(_DOLLARS.findall(text)) + 1) // 2 + len(_OTHERS.findall(text))


def unset(html: str) -> str:
    """Markup whose formulas MathJax leaves as they are."""
    return f'<div class="tex2jax_ignore">{html}</div>'
