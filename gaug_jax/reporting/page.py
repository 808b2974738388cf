"""A self-contained HTML page of sections: text, tables, pictures, and a scatter of images."""

import base64
import dataclasses
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from gaug_jax.files import atomic_file

_TEMPLATES = Path(__file__).parent / "templates"
_INTERVAL = re.compile(r"(?<=\d) to (?=[-+]?\d)")


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture that is part of the page.

    Attributes:
      source: a data URI.
      alternative: what it shows, for who cannot see it.
      caption: what to see in it.
      pixelated: whether its pixels are to stay sharp when enlarged.
    """

    source: str
    alternative: str
    caption: str
    pixelated: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
      caption: above it.
      header: names of the columns.
      rows: of cells.
      folded: whether it is folded away until its caption is chosen.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    folded: bool = False


@dataclasses.dataclass(frozen=True)
class Scatter:
    """Images in planes, to be looked at one by one.

    Attributes:
      sprite: all images in one picture.
      data: `columns` and `size` of the sprite; `planes` (name to places), `origins` and
        `classes` of each image with their names.
    """

    sprite: Picture
    data: dict[str, Any]

    @property
    def json(self) -> str:
        """The data as JSON that may stand in a page."""
        return json.dumps(self.data).replace("<", "\\u003c")


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the page; what is absent is left out.

    Attributes:
      name: in its address.
      title: above it.
      paragraphs: text.
      tables: below the text.
      pictures: below the tables.
      scatter: below the pictures.
      details: title and text of what is folded away.
      terms: words and their meanings, between the text and the tables.
    """

    name: str
    title: str
    paragraphs: Sequence[str] = ()
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    scatter: Scatter | None = None
    details: Sequence[tuple[str, str]] = ()
    terms: Sequence[tuple[str, str]] = ()


@dataclasses.dataclass(frozen=True)
class Page:
    """The whole page.

    Attributes:
      title: of the page, which names the data and the work folder.
      verdict: the answer in a word.
      answer: the answer in a sentence.
      notes: what must be known beside it.
      sections: in their order.
    """

    title: str
    verdict: str
    answer: str
    notes: Sequence[str]
    sections: Sequence[Section]


def picture_of_file(path: Path, alternative: str, caption: str) -> Picture | None:
    """Returns a PNG or GIF file as a part of the page; None where there is none."""
    if not path.exists():
        return None
    kind = path.suffix.removeprefix(".")
    encoded = base64.b64encode(path.read_bytes()).decode()
    return Picture(f"data:image/{kind};base64,{encoded}", alternative, caption)


def picture_of_array(
    image: UInt8[np.ndarray, "height width channels"], alternative: str, caption: str
) -> Picture:
    """Returns an image as a part of the page."""
    file = io.BytesIO()
    Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(
        file, "PNG", optimize=True
    )
    encoded = base64.b64encode(file.getvalue()).decode()
    return Picture(f"data:image/png;base64,{encoded}", alternative, caption, pixelated=True)


def unbroken(text: str) -> str:
    """Returns text whose intervals, `(0.1 to 0.2)`, stay on one line."""
    return _INTERVAL.sub("\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}", text)


def write_page(path: Path, page: Page) -> None:
    """Writes the page, whole or not at all; it needs no other file and no other host."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["unbroken"] = unbroken
    # The page's own style and script stand in it as they are.
    style, script = ((_TEMPLATES / name).read_text() for name in ("page.css", "scatter.js"))
    text = environment.get_template("page.html.jinja").render(page=page, style=style, script=script)
    with atomic_file(path, "w") as file:
        file.write(text)
