"""Write one HTML page of a run: settings, curves, metrics, clusters, rank lists."""

from pathlib import Path

import numpy as np
from run_data import RunData, add_no_cameras, source_parser

from mmreid_cc.clustering import estimated_people, label_silhouette
from mmreid_cc.clustering.quality import cluster_statistics, clustering_quality
from mmreid_cc.engine.hook_config import cluster_hook
from mmreid_cc.evaluation import ranking_metrics
from mmreid_cc.evaluation.functional.camera_pairs import camera_pair_metrics
from mmreid_cc.visualization import (
    ClusteredImages,
    EmbeddedImages,
    HTMLPage,
    choose_queries,
    cmc_and_precision,
    curve_figure,
    has_cameras,
    rank_list_sheet,
    rank_lists,
    read_scalars,
    similarity_histogram,
)
from mmreid_cc.visualization.clustered_images import MAPPED
from mmreid_cc.visualization.rank_lists import TITLES

QUERIES = 3  # of each kind


def main() -> None:
    parser = source_parser(__doc__, 'report.html')
    add_no_cameras(parser)
    args = parser.parse_args()
    run = RunData(args)
    page = HTMLPage(f'Run {Path(args.source).resolve().name}')
    try:
        images = run.test_images(exclude_same_camera=not args.no_cameras)
    except FileNotFoundError as error:  # as of crops of one's own
        print(f'The report has no test set: {error}')
        images = None
    if images is None:
        add_run(page, run)
    else:
        metrics = add_metrics(page, run, images)
        print(f'Test: {in_words(metrics)}')
    add_curves(page, Path(args.source))
    if images is not None:
        add_ranking(page, images)
    if cluster_hook(run.cfg) is not None:
        add_clusters(page, run.clustered_images())
    page.add_code('Configuration', run.cfg.pretty_text)
    page.save(args.out)
    print(f'Report: {args.out}')


def add_run(page: HTMLPage, run: RunData) -> None:
    """Add the run, if there is nothing to test."""
    page.add_table(
        'Run',
        ['subject', 'value'],
        [
            ['config', run.config_file],
            ['checkpoint', run.checkpoint_in_words()],
            ['test set', 'none: look at the silhouette and at the clusters'],
        ],
    )


def in_words(metrics: dict[str, float]) -> str:
    """Format the first metrics in percent."""
    return ', '.join(f'{name} {100 * value:.1f}' for name, value in metrics.items())


def add_metrics(
    page: HTMLPage, run: RunData, images: EmbeddedImages
) -> dict[str, float]:
    """Add the test set and the metrics, and return the metrics."""
    with_cameras = has_cameras(images.cam_ids)
    cameras = str(len(np.unique(images.cam_ids))) if with_cameras else 'unknown'
    page.add_table(
        'Run',
        ['subject', 'value'],
        [
            ['config', run.config_file],
            ['checkpoint', run.checkpoint_in_words()],
            ['queries', str(len(images.queries))],
            ['gallery images', str(len(images.gallery))],
            ['test cameras', cameras],
        ],
    )
    arguments = images.ranking_arguments()
    metrics = ranking_metrics(**arguments)
    page.add_table(
        'Metrics on the test set',
        ['metric', 'percent'],
        [[name, round(100 * value, 1)] for name, value in metrics.items()],
    )
    if not with_cameras:
        return metrics
    pairs = camera_pair_metrics(**arguments)
    gallery = np.unique(images.cam_ids[images.gallery])
    page.add_table(
        'Metrics of camera pairs: mAP / rank-1 in percent',
        ['queries of', *(f'in the gallery of camera {cam}' for cam in gallery)],
        [
            [f'camera {query}', *(pair_cell(pairs, query, cam) for cam in gallery)]
            for query in np.unique(images.cam_ids[images.queries])
        ],
    )
    return metrics


def pair_cell(pairs: dict[str, float], query_cam: int, gallery_cam: int) -> str:
    """Format both metrics of a pair of cameras; a dash without a match between them."""
    pair = f'c{query_cam}_c{gallery_cam}'
    if f'mAP_{pair}' not in pairs:
        return '–'
    mean, first = pairs[f'mAP_{pair}'], pairs[f'CMC@1_{pair}']
    return f'{100 * mean:.1f} / {100 * first:.1f}'


def add_curves(page: HTMLPage, work_dir: Path) -> None:
    """Add the curves of a work dir; a config has none."""
    if not work_dir.is_dir():
        return
    page.add_figure(
        'Curves over the epochs',
        curve_figure(read_scalars(work_dir)),
        'Metrics on the test set, clusters of the training images, and the loss. '
        'ARI, NMI and purity compare clusters with identities, where these are known; '
        'training does not see them.',
    )


def add_ranking(page: HTMLPage, images: EmbeddedImages) -> None:
    """Add rank lists, CMC and similarities."""
    chosen = choose_queries(images, QUERIES)
    page.add_figure(
        'Rank lists',
        rank_list_sheet(
            {TITLES[kind]: rank_lists(images, rows) for kind, rows in chosen.items()}
        ),
        'A query, and the gallery images nearest to it, with rank, camera (c) and '
        'cosine. ✓ and a solid frame: the same person. ✗ and a dashed frame: another '
        'person. A dotted frame: an image that does not count, because it shows the '
        'same person in the same camera, or is junk.',
    )
    page.add_figure(
        'CMC and precision',
        cmc_and_precision(images),
        'On the left, the share of queries with a match among the first k images. On '
        'the right, the precision of a list that reaches a recall, averaged over all '
        'queries.',
    )
    page.add_figure(
        'Similarities',
        similarity_histogram(images),
        'Cosines of query and gallery image, in percent of the pairs that show one '
        'person and of those that show two. Vertical lines are the medians.',
    )


def add_clusters(page: HTMLPage, images: ClusteredImages) -> None:
    """Add the clusters of the training images by this checkpoint."""
    numbers = {
        'silhouette': label_silhouette(images.features, images.labels),
        'people, estimated': estimated_people(images.labels)[0],
        **cluster_statistics(images.labels),
        **clustering_quality(images.labels, images.pids),
    }
    page.add_table(
        'Clusters of the training images',
        ['number', 'value'],
        [[name, f'{value:.4g}'] for name, value in numbers.items()],
    )
    page.add_figure(
        'Examples of clusters',
        images.sheet(),
        'Clusters that an epoch after this checkpoint would be trained on. Below an '
        'image: camera (c), identity (id), and the cosine with the centroid of its '
        'cluster; in a pair, with that of the other cluster.',
    )
    page.add_figure(
        'Map of the embeddings',
        images.map(),
        f't-SNE of {min(MAPPED, len(images.labels))} training images. Near images are '
        'similar; distances between far groups mean nothing.',
    )


if __name__ == '__main__':
    main()
