"""The part of the page where a crop is searched for in the gallery."""

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr
import numpy as np
from crop_grid import (
    LISTENER,
    Crop,
    camera_lines,
    clicked,
    crop_grid,
    crops_html,
    file_url,
    image_url,
    page_of,
    page_slider,
)
from PIL import Image

from mmreid_cc.apis import ReIDInferencer
from mmreid_cc.apis.gallery_ranking import camera_of, rank_images
from mmreid_cc.apis.lance_gallery import AnyGallery
from mmreid_cc.apis.uploads import UPLOAD_FORMATS, UPLOAD_SUFFIXES, read_upload

LISTED = 60  # results at most
PAGE = 36  # crops of a page of the gallery


@dataclass(frozen=True)
class Query:
    """What is searched for.

    Args:
        embedding (np.ndarray): (D,) float32.
        url (str): Its pixels.
        text (str): What it is.
        row (int | None): Row of the gallery; None if it was uploaded.
    """

    embedding: np.ndarray
    url: str
    text: str
    row: int | None


class SearchTab:
    """Upload or pick a crop, and look through the images that look like it.

    Args:
        reid (ReIDInferencer): Inferencer of uploads.
        gallery (AnyGallery): Gallery of the same network.
        max_upload_mb (int): Size of an upload at most, for the text.
    """

    def __init__(
        self, reid: ReIDInferencer, gallery: AnyGallery, max_upload_mb: int
    ) -> None:
        self.reid, self.gallery, self.max_upload_mb = reid, gallery, max_upload_mb

    def build(self, page: gr.Blocks) -> None:
        """Lay out the components.

        Args:
            page (gr.Blocks): The page, which is open.
        """
        query = gr.State(None)
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                gr.Markdown('### Whom to look for')
                upload = gr.File(
                    label=f'A crop: {", ".join(UPLOAD_FORMATS)}, up to '
                    f'{self.max_upload_mb} MB',
                    file_types=list(UPLOAD_SUFFIXES),
                    height=180,
                )
                gr.Markdown('or click one of the gallery:')
                turn = page_slider('Page of the gallery')
                picker = crop_grid()
            with gr.Column(scale=4, min_width=400):
                with gr.Row():
                    with gr.Column(scale=1, min_width=120):
                        shown = gr.HTML(self.show_query(None))
                    with gr.Column(scale=3, min_width=260):
                        threshold = gr.Slider(
                            -1,
                            1,
                            value=-1,
                            step=0.01,
                            label='Threshold: hide results with a smaller cosine',
                        )
                        rerank = gr.Checkbox(
                            label='Re-rank: order by neighbours in common'
                        )
                        other_cameras = gr.Checkbox(
                            label="Leave out the query's camera",
                            interactive=False,
                            visible='cam_id' in self.gallery.metadata,
                        )
                summary = gr.Markdown('')
                results = crop_grid()
        choice = [query, shown, other_cameras]
        settings: list[Any] = [threshold, rerank, other_cameras]
        search: dict[str, Any] = dict(
            fn=self.search,
            inputs=[query, *settings],
            outputs=[summary, results],
            trigger_mode='always_last',
            **LISTENER,
        )
        page.load(self.show_page, turn, [picker, turn], **LISTENER)
        turn.input(self.show_page, turn, [picker, turn], **LISTENER)
        upload.upload(self.take_upload, upload, [*choice, upload], **LISTENER).success(
            **search
        )
        for grid in (picker, results):
            picked = grid.select(
                self.pick, None, choice, trigger_mode='always_last', **LISTENER
            )
            picked.success(**search)
        gr.on([setting.change for setting in settings], **search)

    def take_upload(self, file: str) -> tuple[Any, Any, Any, None]:
        """Embed an upload, or say why not, and clear the place for the next one."""
        try:
            image = read_upload(file)
        except ValueError as error:
            gr.Warning(str(error), title='Refused')
            return gr.skip(), gr.skip(), gr.skip(), None
        url = image_url(Image.fromarray(image[:, :, ::-1]))
        query = Query(self.reid(image)[0], url, 'your upload', None)
        return *self.show_choice(query), None

    def pick(self, event: gr.EventData) -> tuple[Query, str, gr.Checkbox]:
        """Take a crop of the gallery as the query."""
        row = clicked(event)
        if not 0 <= row < len(self.gallery):
            raise gr.Error('The gallery has no such image.', print_exception=False)
        path = self.gallery.paths[row]
        text = '\n'.join([f'image {row}', *camera_lines(self.gallery, row)])
        embedding = np.array(self.gallery.embeddings[row])
        return self.show_choice(Query(embedding, file_url(path), text, row))

    def show_choice(self, query: Query) -> tuple[Query, str, gr.Checkbox]:
        """Show a new query, whose camera can be left out if it is known."""
        if query.row is not None and camera_of(self.gallery, query.row) is not None:
            other_cameras = gr.Checkbox(interactive=True)
        else:
            other_cameras = gr.Checkbox(False, interactive=False)
        return query, self.show_query(query), other_cameras

    def show_query(self, query: Query | None) -> str:
        """Return the query as a picture with a caption."""
        if query is None:
            return '<p>Upload a crop, or click one of the gallery.</p>'
        return (
            f'<figure class="query"><img src="{query.url}" alt="the query">'
            f'<figcaption>{escape(query.text)}</figcaption></figure>'
        )

    def show_page(self, turn: int) -> tuple[str, gr.Slider]:
        """Show a page of the gallery, counted from 1."""
        rows, slider = page_of(range(len(self.gallery)), turn, PAGE)
        return crops_html([self.crop(row, f'image {row}') for row in rows]), slider

    def search(
        self, query: Query | None, threshold: float, rerank: bool, other_cameras: bool
    ) -> tuple[str, str]:
        """Return the results, and a sentence about them."""
        if query is None:
            return '', ''
        ranking = rank_images(
            self.gallery,
            query.embedding,
            LISTED,
            query_row=query.row,
            other_cameras=other_cameras,
            rerank=rerank,
            threshold=threshold,
        )
        crops = [
            self.crop(row, f'{cosine:.2f}')
            for row, cosine in zip(ranking.rows.tolist(), ranking.cosines, strict=True)
        ]
        if not crops:
            return 'No image is left, or reaches the threshold.', ''
        order = 're-ranked' if rerank else 'the most similar first'
        count = f'{len(crops)} of {len(self.gallery)} images'
        return (
            f'**{count}**, {order}; the number is the cosine with the query. Click an '
            'image to search for it.',
            crops_html(crops),
        )

    def crop(self, row: int, text: str) -> Crop:
        """Return an image of the gallery, with its camera if that is known."""
        caption = '\n'.join([text, *camera_lines(self.gallery, row)])
        return Crop(row, self.gallery.paths[row], caption)
