"""A whole training as in a textbook, to compare ours with.

Plain PyTorch in one process: every image is read, resized and augmented by Pillow and
torchvision whenever it is needed; the network computes with the channels first on
whatever memory the allocator hands out; labels come from dense matrices, and the memory
is filled and moved in loops.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import faiss
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from stage_meter import Measurement
from textbook_clustering import dense_dbscan, dense_jaccard
from textbook_memory import centroid_loop, momentum_loop
from textbook_ranking import sorted_ranking
from torch import Tensor, nn
from torchvision import transforms

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Meter = Callable[[str], AbstractContextManager[Measurement]]


class TextbookRun:
    """Cluster Contrast with DBSCAN, epoch by epoch.

    Args:
        model: An ``ImageClassifier``; its head gives embeddings.
        optimizer: The optimizer of the model.
        size: height and width of the images.
        settings: ``k1``, ``k2``, ``eps``, ``min_samples``, ``momentum``,
            ``temperature``, ``num_clusters``, ``num_instances``, ``iterations``,
            ``test_batch``.
        meter: a context that measures a stage, by its name.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        size: tuple[int, int],
        settings: dict,
        meter: Meter,
    ) -> None:
        self.model, self.optimizer = model, optimizer
        self.settings, self.meter = settings, meter
        resize = transforms.Resize(size, transforms.InterpolationMode.BICUBIC)
        normalize = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
        self.test_transform = transforms.Compose([resize, *normalize])
        self.train_transform = transforms.Compose(
            [
                resize,
                transforms.RandomHorizontalFlip(),
                transforms.Pad(10),
                transforms.RandomCrop(size),
                *normalize,
                transforms.RandomErasing(scale=(0.02, 0.4), value=MEAN),
            ]
        )
        self.random = np.random.default_rng(1)

    def train(self, paths: list[str], cam_ids: NDArray[np.int64]) -> int:
        """Run an epoch.

        Args:
            paths: the paths of the N training images.
            cam_ids: (N,) cameras.

        Returns:
            The number of clusters.
        """
        with self.meter('features'):
            features = self.embed(paths)
        with self.meter('labels'):
            labels = self.cluster(features)
        with self.meter('memory'):
            centroids = torch.from_numpy(centroid_loop(features, labels))
        with self.meter('iterations'):
            self.model.train()
            batches = self.batches(labels, cam_ids)
            for _ in range(self.settings['iterations']):
                drawn = next(batches)
                targets = torch.from_numpy(labels[drawn])
                self.step([paths[i] for i in drawn], targets, centroids)
        return len(centroids)

    def test(
        self,
        paths: list[str],
        pids: NDArray[np.int64],
        cam_ids: NDArray[np.int64],
        is_query: NDArray[np.bool_],
    ) -> float:
        """Return the mAP of the Market-1501 protocol.

        Args:
            paths: the paths of query and gallery images.
            pids: the identity of each image.
            cam_ids: the camera of each image.
            is_query: whether an image is a query.

        Returns:
            The mAP in percent.
        """
        with self.meter('test'):
            features = self.embed(paths)
            query, gallery = features[is_query], features[~is_query]
            precisions, _ = sorted_ranking(
                2 - 2 * query @ gallery.T,
                pids[is_query],
                pids[~is_query],
                cam_ids[is_query],
                cam_ids[~is_query],
            )
        return 100 * float(np.nanmean(precisions))

    @torch.no_grad()
    def embed(self, paths: list[str]) -> NDArray[np.float32]:
        """Compute the embeddings of images, (N, D)."""
        self.model.eval()
        size = self.settings['test_batch']
        batches = [paths[i : i + size] for i in range(0, len(paths), size)]
        embeddings = [
            self.model(self.load(batch, self.test_transform), mode='tensor')
            for batch in batches
        ]
        return torch.cat(embeddings).numpy()

    def load(self, paths: list[str], transform: transforms.Compose) -> Tensor:
        """Read and transform images, (B, 3, H, W)."""
        return torch.stack([transform(Image.open(p).convert('RGB')) for p in paths])

    def cluster(self, features: NDArray[np.float32]) -> NDArray[np.int64]:
        """Compute pseudo labels, (N,)."""
        k1, k2 = self.settings['k1'], self.settings['k2']
        index = faiss.IndexFlatL2(features.shape[1])
        index.add(features)
        _, neighbors = index.search(features, k1)
        distance = dense_jaccard(features, neighbors, k1, k2)
        return dense_dbscan(
            distance, self.settings['eps'], self.settings['min_samples']
        )

    def batches(
        self, labels: NDArray[np.int64], cam_ids: NDArray[np.int64]
    ) -> Iterator[list[int]]:
        """Yield endless batches of P clusters × K images, other cameras preferred."""
        count = self.settings['num_clusters']
        clusters = [np.flatnonzero(labels == c) for c in range(labels.max() + 1)]
        while True:
            order = self.random.permutation(len(clusters))
            for start in range(0, len(order) - count + 1, count):
                chosen = order[start : start + count]
                yield [i for c in chosen for i in self.draw(clusters[c], cam_ids)]

    def draw(self, members: NDArray[np.int64], cam_ids: NDArray[np.int64]) -> list[int]:
        """Draw K images of a cluster."""
        first = int(self.random.choice(members))
        others = [i for i in members if cam_ids[i] != cam_ids[first]]
        others = others or [i for i in members if i != first]
        count = self.settings['num_instances'] - 1
        drawn = self.random.choice(others, count, replace=len(others) < count)
        return [first, *drawn.tolist()]

    def step(self, paths: list[str], targets: Tensor, centroids: Tensor) -> None:
        """Train on one batch; the centroids move in place."""
        images = self.load(paths, self.train_transform)
        embeddings = self.model(images, mode='tensor')
        logits = embeddings @ centroids.T / self.settings['temperature']
        loss = F.cross_entropy(logits, targets)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        queries, momentum = embeddings.detach(), self.settings['momentum']
        momentum_loop(centroids, queries, targets, momentum)
