"""Crops as buttons on the page, with their pixels inside it: no file is served."""

import io
import math
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from mmreid_cc.apis.gallery_ranking import camera_of
from mmreid_cc.apis.lance_gallery import AnyGallery
from mmreid_cc.datasets.decoding import decode_image

HEIGHT, WIDEST = 144, 160  # pixels of a crop on the page
CACHED = 4096  # crops of some 5 KB

CSS = """
.html-container:has(.crops, .query) { padding: 0; }
.crops { display: flex; flex-wrap: wrap; gap: 8px; }
.crops button { display: flex; flex-direction: column; align-items: center; gap: 2px;
    padding: 3px; border: 2px solid transparent; border-radius: 6px; cursor: pointer;
    background: none; color: inherit; font: inherit; font-size: 12px;
    line-height: 1.25; }
.crops button:hover { border-color: #0072B2; }
.crops button:focus-visible { outline: 3px solid #0072B2; }
.crops button[aria-pressed="true"] { border-color: #D55E00; background: #D55E0022; }
.crops button[aria-pressed="true"] span::before { content: "✓ "; font-weight: bold; }
.crops img { height: 112px; width: auto; max-width: 140px; object-fit: contain;
    border-radius: 3px; }
.crops span { white-space: pre; text-align: center; }
figure.query { margin: 0; font-size: 14px; }
figure.query img { height: 150px; width: auto; border-radius: 4px; }
figure.query figcaption { white-space: pre; }
"""

LISTENER: dict[str, Any] = dict(api_visibility='private', show_progress='hidden')
"""What every listener of the page has: no entry in an API, no veil over its output."""

# The only information about a click that the page sends.
ON_CLICK = """
element.addEventListener('click', event => {
  const crop = event.target.closest('button[data-number]');
  if (crop) trigger('select', {number: Number(crop.dataset.number)});
});
"""


@dataclass(frozen=True)
class Crop:
    """A crop on the page.

    Args:
        number (int): What a click on it reports: a row, a cluster.
        path (str): Path of the image.
        caption (str): Some short lines below it.
        picked (bool): Whether it is marked. Defaults to False.
    """

    number: int
    path: str
    caption: str
    picked: bool = False


def crop_grid(html: str = '') -> gr.HTML:
    """Create a place for crops, whose event ``select`` is a click on one.

    Args:
        html (str): HTML from :func:`crops_html`. Defaults to none.

    Returns:
        gr.HTML: The listener of ``select`` reads the number by :func:`clicked`.
    """
    return gr.HTML(html, js_on_load=ON_CLICK, apply_default_css=False)


def clicked(event: gr.EventData) -> int:
    """Return the number of the crop that was clicked.

    Args:
        event (gr.EventData): Event of ``select``.

    Returns:
        int: Its :attr:`Crop.number`. It comes from the browser: to be checked.
    """
    return int(event.number)


def crops_html(crops: Sequence[Crop]) -> str:
    """Return the HTML of crops side by side.

    Args:
        crops (Sequence[Crop]): In this order.

    Returns:
        str: HTML, in which all text is escaped and can be sent.
    """
    buttons = [
        f'<button type="button" data-number="{crop.number}" '
        f'aria-pressed="{str(crop.picked).lower()}">'
        f'<img src="{file_url(crop.path)}" alt="{escape(crop.path, quote=True)}" '
        f'title="{escape(crop.path, quote=True)}">'
        f'<span>{escape(crop.caption)}</span></button>'
        for crop in crops
    ]
    return readable(f'<div class="crops">{"".join(buttons)}</div>')


def readable(text: str) -> str:
    """Replace bytes of file names that are no UTF-8 by ``?``.

    Args:
        text (str): Text with such bytes as Python reads them, which cannot be sent.

    Returns:
        str: That can be sent to a browser.
    """
    return text.encode(errors='replace').decode()


@lru_cache(CACHED)
def file_url(path: str) -> str:
    """Return the pixels of a file, see :func:`image_url`; grey if it cannot be read."""
    try:
        return image_url(decode_image(path))
    except Exception:  # Pillow raises many types; the others are still to be seen
        return image_url(Image.new('RGB', (HEIGHT // 2, HEIGHT), 'grey'))


def image_url(image: Image.Image) -> str:
    """Return a small copy of an image as a ``data:`` URL.

    Args:
        image (Image.Image): Image of mode RGB.

    Returns:
        str: A JPEG without the metadata of the original.
    """
    small = Image.fromarray(np.asarray(image))
    small.thumbnail((WIDEST, HEIGHT), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    small.save(file, 'JPEG', quality=88)
    return 'data:image/jpeg;base64,' + b64encode(file.getvalue()).decode()


def camera_lines(gallery: AnyGallery, row: int) -> list[str]:
    """Return a line that names the camera of an image; none if it is unknown."""
    camera = camera_of(gallery, row)
    return [] if camera is None else [f'camera {camera}']


def page_slider(label: str) -> gr.Slider:
    """Create a choice of pages, hidden until :func:`page_of` finds more than one."""
    return gr.Slider(1, 2, value=1, step=1, label=label, visible=False)


def page_of(items: Sequence[int], turn: int, size: int) -> tuple[list[int], gr.Slider]:
    """Return the items of a page.

    Args:
        items (Sequence[int]): Items of all pages.
        turn (int): Number of the page, counted from 1; a larger one shows the last
            page.
        size (int): Items of a page.

    Returns:
        tuple[list[int], gr.Slider]: Those of the page; and what changes of the slider.
    """
    pages = max(1, math.ceil(len(items) / size))
    turn = min(max(int(turn), 1), pages)
    slider = gr.Slider(maximum=max(pages, 2), value=turn, visible=pages > 1)
    return list(items[(turn - 1) * size : turn * size]), slider
