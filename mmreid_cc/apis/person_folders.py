"""The writing of a folder for each person that was found among crops."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmreid_cc.clustering import cluster_centroids, cluster_statistics
from mmreid_cc.visualization import HTMLPage, cluster_sheet

UNCLUSTERED = 'un-clustered'  # name of the folder
LISTED = 100  # people in the table of the report


def new_folder(
    out: str | os.PathLike, crops: str | os.PathLike, paths: Sequence[str] = ()
) -> Path:
    """Create the folder of the people.

    Args:
        out (str | os.PathLike): Its path; may exist if it is empty.
        crops (str | os.PathLike): Folder of the crops.
        paths (Sequence[str]): Paths of the images that :func:`write_people` is to
            write, so that what it refuses is known before the images are embedded.

    Returns:
        Path: The folder, empty.

    Raises:
        FileExistsError: If something is in it.
        ValueError: If it lies in the folder of crops, or an image does not.

    Example:
        >>> new_folder('people', 'crops')
        PosixPath('people')
    """
    folder = Path(out)
    if Path(crops).resolve() in (folder.resolve(), *folder.resolve().parents):
        raise ValueError(
            f'{folder} lies in {crops}, where its images would count as crops the next '
            'time. Name a folder outside.'
        )
    _names_below(paths, crops)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(
            f'{folder} is not empty. Name a new folder, or remove what is in it.'
        )
    return folder


def write_people(
    out: str | os.PathLike,
    crops: str | os.PathLike,
    paths: Sequence[str],
    labels: np.ndarray,
    copy: bool = False,
) -> None:
    """Write ``<label>/…`` with the images of each person.

    Within it, images keep the sub-folders and names that they have in ``crops``; the
    un-clustered ones are in ``un-clustered/``.

    Args:
        out (str | os.PathLike): Folder, whose other files are kept.
        crops (str | os.PathLike): Folder that all images are in.
        paths (Sequence[str]): Paths of the N images.
        labels (np.ndarray): (N,) integers, −1 is un-clustered.
        copy (bool): Copy the files, instead of symbolic links to them. Defaults to
            False.

    Raises:
        OSError: If a file cannot be written. If links are the reason, the error says
            so.
        ValueError: If an image is not in ``crops``; nothing is written then.

    Example:
        >>> write_people('people', 'crops', ['crops/a/1.jpg', 'crops/2.jpg'], [0, -1])
        >>> Path('people/0/a/1.jpg').is_symlink()
        True
    """
    names = _names_below(paths, crops)
    for path, name, label in zip(paths, names, labels, strict=True):
        folder = UNCLUSTERED if label < 0 else str(label)
        target = Path(out, folder, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if copy:
            shutil.copy2(path, target)
            continue
        try:
            target.symlink_to(os.path.abspath(path))
        except OSError as error:
            raise OSError(
                error.errno,
                f'{error.strerror}: no symbolic link can be made there. Copy the '
                'files: --copy',
                str(target),
            ) from error


def _names_below(paths: Sequence[str], crops: str | os.PathLike) -> list[Path]:
    """Return the paths of images relative to the folder of crops."""
    names = [Path(os.path.relpath(path, crops)) for path in paths]
    for path, name in zip(paths, names, strict=True):
        if not name.parts or name.parts[0] == os.pardir:
            raise ValueError(
                f'{path} is not in the folder {crops}, below which it would keep its '
                'name. Give the folder that holds all the images, or put their list '
                'into it.'
            )
    return names


def people_report(
    paths: Sequence[str], labels: np.ndarray, embeddings: np.ndarray, method: str
) -> HTMLPage:
    """Create a page that shows the people who were found.

    Args:
        paths (Sequence[str]): Paths of the N images.
        labels (np.ndarray): (N,) int64, −1 is un-clustered, else 0…C − 1.
        embeddings (np.ndarray): (N, D) float32, rows L2-normalised.
        method (str): The name of the clusterer, for the text.

    Returns:
        HTMLPage: A page to be saved.

    Example:
        >>> people_report(paths, labels, embeddings, 'DBSCAN').save('report.html')
    """
    statistics = cluster_statistics(labels)
    page = HTMLPage('People in a folder of crops')
    page.add_text(
        'Summary',
        f'Judging by their looks, {len(paths)} crops show '
        f'{statistics["clusters"]:.0f} people; {statistics["unclustered"]:.0%} of the '
        f'crops are un-clustered.\n\nClustered by {method}, without knowing any '
        'identities: one person in different clothes can form two clusters, and two '
        'people in the same clothes can form one.',
    )
    sizes = np.bincount(labels[labels >= 0])
    if len(sizes):
        largest = np.argsort(-sizes, kind='stable')[:LISTED]
        centroids = cluster_centroids(embeddings, labels)
        rows = []
        for label in largest.tolist():
            cosines = embeddings[labels == label] @ centroids[label]
            rows.append([label, int(sizes[label]), f'{cosines.mean():.2f}'])
        heading = 'People' if len(sizes) <= LISTED else f'The {LISTED} largest clusters'
        header = ['label', 'crops', 'mean cosine to the centroid']
        page.add_table(heading, header, rows)
    page.add_figure(
        'Crops',
        cluster_sheet(paths, labels, embeddings),
        'The largest clusters, the most similar pairs of clusters, and what is '
        'un-clustered.',
    )
    return page
