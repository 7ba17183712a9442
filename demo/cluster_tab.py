"""The part of the page where a person looks at clusters and corrects them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from cluster_view import View, chosen, compare, open_cluster, pick, still_there
from crop_grid import (
    LISTENER,
    Crop,
    camera_lines,
    clicked,
    crop_grid,
    crops_html,
    page_of,
    page_slider,
    readable,
)

from mmreid_cc.apis import LabelEditor
from mmreid_cc.apis.label_editor import UNCLUSTERED
from mmreid_cc.apis.lance_gallery import AnyGallery
from mmreid_cc.apis.people_editor import PeopleEditor
from mmreid_cc.apis.people_file import ChangedMeanwhileError

CLUSTERS, MEMBERS, SIMILAR = 30, 48, 8  # crops of a page

# Steps on the same labels, one after the other, also those of two windows.
IN_TURN: dict[str, Any] = dict(LISTENER, concurrency_id='labels', concurrency_limit=1)


class ClusterTab:
    """Browse clusters; merge, split and reject them; undo and save.

    The labels belong to the program, not to the window: after the page is reloaded,
    you continue where you were.

    Args:
        editor (LabelEditor): Editor of the gallery's images.
        gallery (AnyGallery): For paths and cameras.
        file (Path): Where labels are saved.
    """

    def __init__(self, editor: LabelEditor, gallery: AnyGallery, file: Path) -> None:
        self.editor, self.gallery, self.file = editor, gallery, file

    def build(self, page: gr.Blocks) -> None:
        """Lay out the components.

        Args:
            page (gr.Blocks): The page, which is open.
        """
        self.view = gr.State(View())
        with gr.Row():
            self.summary = gr.Markdown()
            undo = gr.Button('Undo', size='md', scale=0, min_width=110)
            save = gr.Button(
                'Save labels', variant='primary', size='md', scale=0, min_width=130
            )
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                gr.Markdown('### Clusters\nClick one to see its images.')
                self.turn = page_slider('Page of the clusters')
                self.clusters = crop_grid()
            with gr.Column(scale=4, min_width=400):
                self.title = gr.Markdown()
                self.turn_members = page_slider('Page of its images')
                self.members = crop_grid()
                with gr.Row():
                    self.separate = gr.Button(
                        'Move picked into a new cluster', size='md', min_width=120
                    )
                    self.reject = gr.Button('Reject picked', size='md', min_width=120)
                    self.split = gr.Button('Split in two', size='md', min_width=120)
                    self.reject_all = gr.Button(
                        'Reject the whole cluster', size='md', min_width=120
                    )
                self.similar_title = gr.Markdown()
                self.similar = crop_grid()
                self.other_title = gr.Markdown()
                self.others = crop_grid()
                with gr.Row():
                    self.merge = gr.Button(size='md')
                    self.keep_apart = gr.Button(size='md')
        inputs = [self.view, self.turn, self.turn_members]
        shown = [
            part for part in vars(self).values() if isinstance(part, gr.blocks.Block)
        ]
        page.load(self.show, inputs, shown, **IN_TURN)
        for slider in (self.turn, self.turn_members):
            slider.input(self.show, inputs, shown, **IN_TURN)
        for grid, choose in (
            (self.clusters, open_cluster),
            (self.similar, compare),
            (self.members, pick),
        ):
            grid.select(
                self.on_select(choose),
                inputs,
                shown,
                trigger_mode='multiple',  # no click is lost while one is under way
                **IN_TURN,
            )
        for button, step in (
            (self.separate, self.separate_picked),
            (self.reject, self.reject_picked),
            (self.split, self.split_cluster),
            (self.reject_all, self.reject_cluster),
            (self.merge, self.merge_other),
            (self.keep_apart, self.keep_other_apart),
            (undo, self.undo_step),
            (save, self.save_labels),
        ):
            button.click(self.on_click(step), inputs, shown, **IN_TURN)

    def on_click(self, step: Callable[[View], View]) -> Callable[..., dict]:
        """Return a listener that does a step, and shows the result or the error."""

        def listen(view: View, turn: int, turn_members: int) -> dict:
            try:
                after = step(view)
            except (ValueError, OSError, ChangedMeanwhileError) as error:
                raise gr.Error(str(error), print_exception=False) from None
            return self.show(after, turn, turn_members)

        return listen

    def on_select(self, choose: Callable[[View, int], View]) -> Callable[..., dict]:
        """Return a listener that shows what was clicked."""

        def listen(
            view: View, turn: int, turn_members: int, event: gr.EventData
        ) -> dict:
            after = choose(view, clicked(event))
            first = 1 if after.cluster != view.cluster else turn_members
            return self.show(after, turn, first)

        return listen

    def separate_picked(self, view: View) -> View:
        """Move the picked images into a new cluster, and show both clusters."""
        new = self.editor.separate(sorted(view.picked))
        return View(view.cluster, other=new)

    def reject_picked(self, view: View) -> View:
        """Un-cluster the picked images."""
        self.editor.reject(sorted(view.picked))
        return replace(view, picked=frozenset())

    def split_cluster(self, view: View) -> View:
        """Divide the cluster, and show its parts below each other."""
        return View(view.cluster, other=self.editor.split(chosen(view.cluster)))

    def reject_cluster(self, view: View) -> View:
        """Un-cluster all images of the cluster."""
        self.editor.reject(self.editor.members(chosen(view.cluster)))
        return View()

    def merge_other(self, view: View) -> View:
        """Merge the other cluster into this one."""
        self.editor.merge(chosen(view.cluster), chosen(view.other))
        return View(view.cluster)

    def keep_other_apart(self, view: View) -> View:
        """Record that the other cluster is somebody else."""
        if not isinstance(self.editor, PeopleEditor):
            raise ValueError('Only known people are kept apart: start with --people.')
        self.editor.keep_apart(chosen(view.cluster), chosen(view.other))
        return replace(view, other=None)

    def undo_step(self, view: View) -> View:
        """Undo the last step."""
        self.editor.undo()
        return replace(view, other=None)

    def save_labels(self, view: View) -> View:
        """Write the file."""
        self.editor.save(self.file)
        gr.Info(readable(f'Saved: {self.file}'), duration=5)
        return view

    def show(self, view: View, turn: int, turn_members: int) -> dict:
        """Return the content of each component."""
        view = still_there(view, self.editor.labels)
        shown: dict[Any, Any] = {self.view: view, self.summary: self.summary_text()}
        numbers = self.editor.clusters.tolist()
        if (self.editor.labels == UNCLUSTERED).any():
            numbers.insert(0, UNCLUSTERED)
        listed, shown[self.turn] = page_of(numbers, turn, CLUSTERS)
        shown[self.clusters] = crops_html(
            [self.cluster_crop(number, view.cluster) for number in listed]
        )
        shown |= self.show_members(view, turn_members)
        shown |= self.show_similar(view)
        return shown

    def show_members(self, view: View, turn: int) -> dict:
        """Return the images of the cluster, and what can be done with them."""
        rows: list[int] = []
        title = 'Click a cluster on the left.'
        if view.cluster is not None:
            rows = self.editor.members(view.cluster).tolist()
            name = self.name(view.cluster).capitalize()
            hint = f'{len(view.picked)} picked' if view.picked else 'click to pick'
            typical = '' if view.cluster == UNCLUSTERED else ', the most typical first'
            title = f'### {name}\n{len(rows)} images{typical}; {hint}.'
        listed, slider = page_of(rows, turn, MEMBERS)
        is_cluster = view.cluster not in (None, UNCLUSTERED)
        return {
            self.title: title,
            self.turn_members: slider,
            self.members: self.images(listed, view.picked),
            self.separate: gr.Button(visible=bool(rows), interactive=bool(view.picked)),
            self.reject: gr.Button(visible=is_cluster, interactive=bool(view.picked)),
            self.split: gr.Button(visible=is_cluster, interactive=len(rows) > 1),
            self.reject_all: gr.Button(visible=is_cluster),
        }

    def show_similar(self, view: View) -> dict:
        """Return clusters that may be the same person, and the one that is compared."""
        text = other_text = similar_html = others_html = ''
        if view.cluster not in (None, UNCLUSTERED):
            numbers, cosines = self.editor.similar(view.cluster)
            text = (
                '### The same person?\nThe most similar clusters; click one to compare.'
            )
            similar_html = crops_html(
                [
                    self.cluster_crop(number, view.other, f'cosine {cosine:.2f}')
                    for number, cosine in zip(
                        numbers[:SIMILAR].tolist(), cosines, strict=False
                    )
                ]
            )
            if not len(numbers):
                text = 'There is no other cluster.'
        if view.other is not None:
            rows = self.editor.members(view.other).tolist()
            other_text = f'### Cluster {view.other}\n{len(rows)} images.'
            others_html = self.images(rows[:MEMBERS], frozenset())
        is_pair = view.other is not None and view.cluster != UNCLUSTERED
        return {
            self.similar_title: text,
            self.similar: similar_html,
            self.other_title: other_text,
            self.others: others_html,
            self.merge: gr.Button(
                f'Merge cluster {view.other} into cluster {view.cluster}',
                visible=is_pair,
            ),
            self.keep_apart: gr.Button(
                f'{view.other} and {view.cluster} are different people',
                visible=is_pair and isinstance(self.editor, PeopleEditor),
            ),
        }

    def cluster_crop(self, number: int, marked: int | None, text: str = '') -> Crop:
        """Show a cluster as its most typical image."""
        rows = self.editor.members(number)
        lines = [self.name(number), f'{len(rows)} images', text]
        caption = '\n'.join(line for line in lines if line)
        return Crop(number, self.gallery.paths[rows[0]], caption, number == marked)

    def images(self, rows: list[int], picked: frozenset[int]) -> str:
        """Return images as crops to click on."""
        return crops_html(
            [
                Crop(
                    row,
                    self.gallery.paths[row],
                    '\n'.join([f'image {row}', *camera_lines(self.gallery, row)]),
                    row in picked,
                )
                for row in rows
            ]
        )

    def name(self, number: int) -> str:
        """Return the name of a cluster on the page."""
        if number == UNCLUSTERED:
            return 'no cluster'
        if isinstance(self.editor, PeopleEditor):
            name = self.editor.people.names.get(number, '')
            return f'person {number} {name}'.strip()
        return f'cluster {number}'

    def summary_text(self) -> str:
        """Describe how many clusters there are, and whether they are saved."""
        editor = self.editor
        left = int(np.sum(editor.labels == UNCLUSTERED))
        if editor.unsaved:
            state = f'**Steps that are not saved: {editor.unsaved}.**'
        elif self.file.exists():
            state = readable(f'Saved in `{self.file}`.')
        else:
            state = 'Not saved yet.'
        return (
            f'{len(editor.clusters)} clusters of {int(editor.sizes.sum())} images; '
            f'{left} images without a cluster. {state}'
        )
