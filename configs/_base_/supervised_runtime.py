# As default_runtime.py, without clustering. A config cannot remove a hook of its base,
# so the others are named.
_base_ = 'default_runtime.py'

default_hooks = dict(
    _delete_=True,
    batch_norm_groups={{_base_.default_hooks.batch_norm_groups}},
    image_cache={{_base_.default_hooks.image_cache}},
    computation={{_base_.default_hooks.computation}},
    runtime_info={{_base_.default_hooks.runtime_info}},
    iter_seed={{_base_.default_hooks.iter_seed}},
    invalid_loss={{_base_.default_hooks.invalid_loss}},
    weight_check={{_base_.default_hooks.weight_check}},
    timer={{_base_.default_hooks.timer}},
    logger={{_base_.default_hooks.logger}},
    param_scheduler={{_base_.default_hooks.param_scheduler}},
    checkpoint={{_base_.default_hooks.checkpoint}},
    sampler_seed={{_base_.default_hooks.sampler_seed}},
)
