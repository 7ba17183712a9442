"""Access to the hook of a config that clusters."""

from mmengine.config import Config, ConfigDict


def cluster_hook(cfg: Config) -> ConfigDict | None:
    """Return the config of the hook that clusters.

    Args:
        cfg (Config): Config of a run.

    Returns:
        ConfigDict | None: The config of the ``ClusterMemoryHook`` in ``default_hooks``
        or ``custom_hooks``. None if there is none, as in a config that learns from
        identities.

    Example:
        >>> cluster_hook(Config.fromfile('configs/cc_r50_market.py')).clusterer.type
        'DBSCAN'
    """
    defaults = (cfg.get('default_hooks') or {}).values()
    for hook in [*defaults, *(cfg.get('custom_hooks') or [])]:
        if hook is not None and hook.get('type') == 'ClusterMemoryHook':
            return hook
    return None
