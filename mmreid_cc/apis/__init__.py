"""Embedding, searching and clustering of crops without a Runner."""

from .embedding_pooling import pool_embeddings
from .gallery import Gallery
from .inferencer import ReIDInferencer
from .label_editor import LabelEditor
from .lance_gallery import LanceGallery, open_gallery
from .people import People

__all__ = [
    'Gallery',
    'LabelEditor',
    'LanceGallery',
    'People',
    'ReIDInferencer',
    'open_gallery',
    'pool_embeddings',
]
