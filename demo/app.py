"""Search a gallery and correct its clusters by hand, in the browser."""

import argparse
import os
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import gradio as gr
import numpy as np
from cluster_tab import ClusterTab
from crop_grid import CSS, readable
from gradio import processing_utils
from search_tab import SearchTab
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mmreid_cc.apis import LabelEditor, People, ReIDInferencer, open_gallery
from mmreid_cc.apis.gallery_clustering import GalleryClusterer
from mmreid_cc.apis.lance_gallery import AnyGallery
from mmreid_cc.apis.lance_table import is_lance_uri
from mmreid_cc.apis.model import load_config
from mmreid_cc.apis.people_editor import PeopleEditor
from mmreid_cc.datasets import read_labels
from mmreid_cc.engine.pretrained import PRETRAINED
from mmreid_cc.engine.safe_loading import load_checkpoints_safely

HOST = '127.0.0.1'
MB = 2**20
UPLOAD_KEPT = 60  # seconds; it is embedded as soon as it is there


class OnlyThisPage:
    """Refuse requests that this page never makes, but that Gradio would answer.

    Args:
        app (ASGIApp): What answers all other requests.
        max_body (int): Bytes of a request at most.
    """

    def __init__(self, app: ASGIApp, max_body: int) -> None:
        self.app, self.max_body = app, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, see the ASGI specification."""
        app = self.app
        if scope['type'] == 'http':
            app = self.refusal(scope['path'], Headers(scope=scope)) or app
        await app(scope, receive, send)

    def refusal(self, path: str, headers: Headers) -> PlainTextResponse | None:
        """Return why a request is not answered; None if it is."""
        origin = headers.get('origin')
        foreign = origin is not None and urlsplit(origin).netloc != headers['host']
        if foreign or ':/' in path:  # of another page, or to fetch an address
            return PlainTextResponse('Only this page is served.', status_code=403)
        if 'transfer-encoding' in headers:  # no browser sends a body of unknown length
            return PlainTextResponse('Say how long the body is.', status_code=411)
        if int(headers.get('content-length', 0)) > self.max_body:
            return PlainTextResponse('This request is too large.', status_code=413)
        return None


def fetch_nothing() -> None:
    """Make Gradio refuse addresses that a request names in place of an upload.

    Else it downloads them, of any size, before a listener is asked.
    """

    async def refuse(url: str, cache_dir: str) -> NoReturn:
        raise PermissionError(f'Nothing is fetched from {url}.')

    processing_utils.async_ssrf_protected_download = refuse


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'gallery',
        help='.npz file of tools/extract_features.py, or a .lance table, which is '
        'searched only, unless --labels or --people are given',
    )
    parser.add_argument(
        '--config', required=True, help='config of the network that built the gallery'
    )
    parser.add_argument(
        '--checkpoint',
        required=True,
        help="its checkpoint, or 'none' for the weights that the config names",
    )
    parser.add_argument(
        '--device', help='cpu, cuda or cuda:1 (default: a GPU if there is one)'
    )
    parser.add_argument(
        '--labels',
        help='CSV file of clusters to start with, for example of '
        "tools/cluster_folder.py (default: those of the config's clusterer)",
    )
    parser.add_argument(
        '--save-to',
        help='CSV file for the corrected labels (default: <gallery>_labels.csv)',
    )
    parser.add_argument(
        '--people',
        help='.npz file of known people (tools/assign.py): show and correct them in '
        'place of clusters; saving writes this file',
    )
    parser.add_argument('--port', type=int, default=7860, help='port of the page')
    parser.add_argument(
        '--max-upload-mb',
        type=int,
        default=5,
        help='largest size of an upload in MB (default: %(default)s)',
    )
    args = parser.parse_args()
    if args.people is not None and (args.labels or args.save_to):
        parser.error('--people takes the place of --labels and --save-to')
    if args.max_upload_mb < 1:
        parser.error(f'--max-upload-mb must be 1 or more, not {args.max_upload_mb}')
    return args


def check_files(paths: Sequence[str]) -> None:
    """Check that every image of a gallery has a file.

    Args:
        paths (Sequence[str]): Paths of the images.

    Raises:
        FileNotFoundError: If one has none; it names the first.
    """
    missing = [path for path in paths if not os.path.isfile(path)]
    if missing:
        raise FileNotFoundError(
            f'{len(missing)} of {len(paths)} images of the gallery have no file, the '
            f'first is {missing[0]!r}. Start where its paths begin (the folder in '
            'which it was built), or build it again.'
        )


def searched_only(args: argparse.Namespace) -> bool:
    """Return whether the page has no clusters, because a table is only searched."""
    return is_lance_uri(args.gallery) and args.labels is None and args.people is None


def output_file(args: argparse.Namespace) -> Path:
    """Return the file for corrected labels.

    Args:
        args (argparse.Namespace): Arguments from :func:`parse_args`.

    Returns:
        Path: The path of a CSV file.

    Raises:
        FileExistsError: If other labels are there, which would be lost.
    """
    default = f'{os.path.splitext(args.gallery.rstrip("/"))[0]}_labels.csv'
    file = Path(args.save_to or default)
    begun = args.labels is not None and file.resolve() == Path(args.labels).resolve()
    if file.exists() and not begun:
        raise FileExistsError(
            f'{file} exists, and saving would replace it. Continue it: --labels '
            f'{file}, or name another file: --save-to FILE'
        )
    return file


def first_labels(args: argparse.Namespace, gallery: AnyGallery) -> np.ndarray:
    """Return the clusters to begin with.

    Args:
        args (argparse.Namespace): Arguments from :func:`parse_args`.
        gallery (AnyGallery): Gallery of N images.

    Returns:
        np.ndarray: (N,) int64, −1 is un-clustered.

    Raises:
        ValueError: If the config clusters by cameras, and they are not all known.
    """
    if args.labels is not None:
        return read_labels(args.labels, gallery.paths)
    known = (gallery.metadata.get(name) for name in ('cam_id', 'track', 'time'))
    clusterer = GalleryClusterer(load_config(args.config), *known)
    return clusterer.fit_predict(gallery.embeddings)


def editor_of(
    args: argparse.Namespace, gallery: AnyGallery
) -> tuple[LabelEditor, Path]:
    """Return the editor, and the file that it saves to.

    Args:
        args (argparse.Namespace): Arguments from :func:`parse_args`.
        gallery (AnyGallery): Gallery of N images.

    Returns:
        tuple[LabelEditor, Path]: Clusters of the gallery, or known people.

    Raises:
        FileExistsError: If other labels are there, which would be lost.
        ValueError: See :func:`first_labels` and :class:`PeopleEditor`.
    """
    if args.people is not None:
        return PeopleEditor(People.load(args.people), gallery), Path(args.people)
    file = output_file(args)
    labels = first_labels(args, gallery)
    return LabelEditor(labels, gallery.paths, np.asarray(gallery.embeddings)), file


def build_page(title: str, search: SearchTab, clusters: ClusterTab | None) -> gr.Blocks:
    """Lay out the page.

    Args:
        title (str): Title of the page.
        search (SearchTab): Its first part.
        clusters (ClusterTab | None): Its second part, if it has one.

    Returns:
        gr.Blocks: To be launched.
    """
    with gr.Blocks(
        title=title,
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(UPLOAD_KEPT, UPLOAD_KEPT),
    ) as page:
        gr.Markdown(f'## {title}')
        with gr.Tab('Search'):
            search.build(page)
        if clusters is not None:
            with gr.Tab('Clusters'):
                clusters.build(page)
    return page


def main() -> None:
    """Load everything, and serve the page until Ctrl-C."""
    args = parse_args()
    load_checkpoints_safely()
    if args.people is None and not searched_only(args):
        output_file(args)  # refused before the long part
    gallery = open_gallery(args.gallery)
    check_files(gallery.paths)
    checkpoint = None if args.checkpoint == PRETRAINED else args.checkpoint
    reid = ReIDInferencer(args.config, checkpoint, args.device)
    reid.check_gallery(gallery)
    clusters = None
    if not searched_only(args):
        editor, file = editor_of(args, gallery)
        clusters = ClusterTab(editor, gallery, file)
    fetch_nothing()
    # A stop by another program ends the page as Ctrl-C does, without left-over uploads.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as uploads:
        os.environ['GRADIO_TEMP_DIR'] = uploads  # nothing of other programs is in it
        page = build_page(
            readable(f'{Path(args.gallery).name}: {len(gallery)} images'),
            SearchTab(reid, gallery, args.max_upload_mb),
            clusters,
        )
        page.launch(
            server_name=HOST,
            server_port=args.port,
            share=False,
            quiet=True,  # no advice on public links
            prevent_thread_lock=True,
            allowed_paths=[],
            max_file_size=f'{args.max_upload_mb}mb',
            enable_monitoring=False,
            run_history=False,
            footer_links=[],
            # Fonts of the system, so that none is fetched.
            theme=gr.themes.Default(
                font=[gr.themes.Font('Arial'), gr.themes.Font('sans-serif')],
                font_mono=[gr.themes.Font('monospace')],
            ),
            css=CSS,
            app_kwargs=dict(
                middleware=[
                    Middleware(
                        TrustedHostMiddleware, allowed_hosts=[HOST, 'localhost']
                    ),
                    # A file, and the form that it is in.
                    Middleware(OnlyThisPage, max_body=(args.max_upload_mb + 1) * MB),
                ]
            ),
        )
        print(f'The page is at http://{HOST}:{args.port}. Ctrl-C ends it.', flush=True)
        page.block_thread()


if __name__ == '__main__':
    main()
