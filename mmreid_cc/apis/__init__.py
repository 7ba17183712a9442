"""From crops to embeddings, and to those who look alike, without a Runner."""

from .gallery import Gallery
from .inferencer import ReIDInferencer
from .label_editor import LabelEditor
from .people import People
from .pooling import pool_embeddings

__all__ = ['Gallery', 'LabelEditor', 'People', 'ReIDInferencer', 'pool_embeddings']
