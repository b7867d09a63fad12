"""The square code of a paper, as a drawing: of a letter in print, of a receipt on screen."""

import io

import segno


def svg(text: str, title: str = "") -> str:
    """The code as SVG without a size of its own. Least correction: a code this full is read best with large modules, and its content proves itself."""
    made = segno.make_qr(text, error="l", boost_error=False)
    written = io.BytesIO()
    made.save(written, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, light="#fff", svgclass="square", lineclass=None, title=title or None)
    return written.getvalue().decode()
