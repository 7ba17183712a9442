"""Weights in the layouts that the authors publish, against plain PyTorch.

The weights are random, the networks two layers deep and narrow. The functions compute
what the authors' code does, from the names of their files.
"""

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope

from mmreid_cc.registry import MODELS

WIDTH, HEADS, LAYERS, PATCH = 128, 2, 2, 16
GRID = (16, 8)  # patches of an image of 256 × 128


def draw(shapes):
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(shape, generator=generator)
        * (0.05 if len(shape) > 1 else 0.2)
        for name, shape in shapes.items()
    }


def linear(name, rows, columns):
    return {f'{name}.weight': (rows, columns), f'{name}.bias': (rows,)}


def norm(name):
    return {f'{name}.weight': (WIDTH,), f'{name}.bias': (WIDTH,)}


def apply(weights, name, x):
    return F.linear(x, weights[f'{name}.weight'], weights[f'{name}.bias'])


def normalize(weights, name, x, eps):
    return F.layer_norm(
        x, (WIDTH,), weights[f'{name}.weight'], weights[f'{name}.bias'], eps
    )


def attend(query, key, value):
    split = lambda x: x.unflatten(-1, (HEADS, -1)).transpose(1, 2)  # noqa: E731
    weights = split(query) @ split(key).transpose(-1, -2) * (WIDTH // HEADS) ** -0.5
    return (weights.softmax(-1) @ split(value)).transpose(1, 2).flatten(2)


def patches(images, weight, bias=None):
    return F.conv2d(images, weight, bias, PATCH).flatten(2).transpose(1, 2)


def resized(positions):
    """Positions of 14 × 14 patches, (196, C), as those of 16 × 8 patches."""
    grid = positions.T.reshape(1, WIDTH, 14, 14)
    grid = F.interpolate(grid, GRID, mode='bicubic', antialias=True)
    return grid.flatten(2).transpose(1, 2)


def clip_weights():
    """OpenAI's names, of the image network and of some other parts."""
    shapes = {
        'visual.class_embedding': (WIDTH,),
        'visual.positional_embedding': (197, WIDTH),
        'visual.proj': (WIDTH, 64),
        'visual.conv1.weight': (WIDTH, 3, PATCH, PATCH),
        **norm('visual.ln_pre'),
        **norm('visual.ln_post'),
        'token_embedding.weight': (10, 32),
        'transformer.resblocks.0.ln_1.weight': (32,),
        'logit_scale': (),
    }
    for layer in range(LAYERS):
        block = f'visual.transformer.resblocks.{layer}.'
        shapes |= {
            f'{block}attn.in_proj_weight': (3 * WIDTH, WIDTH),
            f'{block}attn.in_proj_bias': (3 * WIDTH,),
            **linear(f'{block}attn.out_proj', WIDTH, WIDTH),
            **norm(f'{block}ln_1'),
            **linear(f'{block}mlp.c_fc', 4 * WIDTH, WIDTH),
            **linear(f'{block}mlp.c_proj', WIDTH, 4 * WIDTH),
            **norm(f'{block}ln_2'),
        }
    return draw(shapes)


def clip(weights, images):
    w = {
        name.removeprefix('visual.'): value
        for name, value in weights.items()
        if name.startswith('visual.')
    }
    x = patches(images, w['conv1.weight'])
    first = w['class_embedding'].expand(len(x), 1, -1)
    positions = w['positional_embedding']
    x = torch.cat([first + positions[0], x + resized(positions[1:])], dim=1)
    x = normalize(w, 'ln_pre', x, 1e-5)
    for layer in range(LAYERS):
        block = f'transformer.resblocks.{layer}.'
        y = normalize(w, f'{block}ln_1', x, 1e-5)
        rows = w[f'{block}attn.in_proj_weight'], w[f'{block}attn.in_proj_bias']
        x = x + apply(
            w, f'{block}attn.out_proj', attend(*F.linear(y, *rows).chunk(3, -1))
        )
        y = apply(w, f'{block}mlp.c_fc', normalize(w, f'{block}ln_2', x, 1e-5))
        x = x + apply(w, f'{block}mlp.c_proj', y * torch.sigmoid(1.702 * y))
    return normalize(w, 'ln_post', x[:, 0], 1e-5)


def siglip_weights():
    """The names of OpenCLIP's files."""
    trunk = 'visual.trunk.'
    shapes = {
        f'{trunk}pos_embed': (1, 196, WIDTH),
        f'{trunk}patch_embed.proj.weight': (WIDTH, 3, PATCH, PATCH),
        f'{trunk}patch_embed.proj.bias': (WIDTH,),
        **norm(f'{trunk}norm'),
        f'{trunk}attn_pool.latent': (1, 1, WIDTH),
        **linear(f'{trunk}attn_pool.q', WIDTH, WIDTH),
        **linear(f'{trunk}attn_pool.kv', 2 * WIDTH, WIDTH),
        **linear(f'{trunk}attn_pool.proj', WIDTH, WIDTH),
        **norm(f'{trunk}attn_pool.norm'),
        **linear(f'{trunk}attn_pool.mlp.fc1', 4 * WIDTH, WIDTH),
        **linear(f'{trunk}attn_pool.mlp.fc2', WIDTH, 4 * WIDTH),
        'text.token_embedding.weight': (10, 32),
        'logit_scale': (),
        'logit_bias': (),
    }
    for layer in range(LAYERS):
        block = f'{trunk}blocks.{layer}.'
        shapes |= {
            **norm(f'{block}norm1'),
            **linear(f'{block}attn.qkv', 3 * WIDTH, WIDTH),
            **linear(f'{block}attn.proj', WIDTH, WIDTH),
            **norm(f'{block}norm2'),
            **linear(f'{block}mlp.fc1', 4 * WIDTH, WIDTH),
            **linear(f'{block}mlp.fc2', WIDTH, 4 * WIDTH),
        }
    return draw(shapes)


def siglip(weights, images):
    w = {name.removeprefix('visual.trunk.'): value for name, value in weights.items()}

    def mlp(name, x):
        hidden = F.gelu(apply(w, f'{name}.fc1', x), approximate='tanh')
        return apply(w, f'{name}.fc2', hidden)

    x = patches(images, w['patch_embed.proj.weight'], w['patch_embed.proj.bias'])
    x = x + resized(w['pos_embed'][0])
    for layer in range(LAYERS):
        block = f'blocks.{layer}.'
        y = apply(w, f'{block}attn.qkv', normalize(w, f'{block}norm1', x, 1e-6))
        x = x + apply(w, f'{block}attn.proj', attend(*y.chunk(3, -1)))
        x = x + mlp(f'{block}mlp', normalize(w, f'{block}norm2', x, 1e-6))
    x = normalize(w, 'norm', x, 1e-6)
    query = apply(w, 'attn_pool.q', w['attn_pool.latent']).expand(len(x), -1, -1)
    x = attend(query, *apply(w, 'attn_pool.kv', x).chunk(2, -1))
    x = apply(w, 'attn_pool.proj', x)[:, 0]
    return x + mlp('attn_pool.mlp', normalize(w, 'attn_pool.norm', x, 1e-6))


def dinov3_weights():
    """Meta's names. The biases of queries, keys and values of its networks are zero."""
    shapes = {
        'cls_token': (1, 1, WIDTH),
        'storage_tokens': (1, 4, WIDTH),
        'mask_token': (1, WIDTH),
        'rope_embed.periods': (WIDTH // HEADS // 4,),
        'patch_embed.proj.weight': (WIDTH, 3, PATCH, PATCH),
        'patch_embed.proj.bias': (WIDTH,),
        **norm('norm'),
    }
    for layer in range(LAYERS):
        block = f'blocks.{layer}.'
        shapes |= {
            **norm(f'{block}norm1'),
            **linear(f'{block}attn.qkv', 3 * WIDTH, WIDTH),
            f'{block}attn.qkv.bias_mask': (3 * WIDTH,),
            **linear(f'{block}attn.proj', WIDTH, WIDTH),
            f'{block}ls1.gamma': (WIDTH,),
            **norm(f'{block}norm2'),
            **linear(f'{block}mlp.fc1', 4 * WIDTH, WIDTH),
            **linear(f'{block}mlp.fc2', WIDTH, 4 * WIDTH),
            f'{block}ls2.gamma': (WIDTH,),
        }
    weights = draw(shapes)
    for layer in range(LAYERS):
        weights[f'blocks.{layer}.attn.qkv.bias'].zero_()
    return weights


def rotate(x, angles):
    """Rotary positions (section 3.2 of the paper), of the patches alone."""
    x = x.unflatten(-1, (HEADS, -1))
    first, second = x.chunk(2, -1)
    cosine, sine = angles.cos()[:, None], angles.sin()[:, None]
    turned = x * cosine + torch.cat([-second, first], -1) * sine
    return torch.cat([x[:, :5], turned[:, 5:]], dim=1).flatten(2)


def dinov3(weights, images):
    w = weights
    x = patches(images, w['patch_embed.proj.weight'], w['patch_embed.proj.bias'])
    tokens = torch.cat([w['cls_token'], w['storage_tokens']], 1)
    x = torch.cat([tokens.expand(len(x), -1, -1), x], dim=1)

    size = WIDTH // HEADS // 4
    periods = 100 ** (torch.arange(size) / size)
    places = [2 * (torch.arange(n) + 0.5) / n - 1 for n in GRID]
    places = torch.cartesian_prod(*places)  # (128, 2), in [-1, 1]
    angles = (2 * torch.pi * places[:, :, None] / periods).flatten(1).repeat(1, 2)
    angles = F.pad(angles, (0, 0, 5, 0))

    for layer in range(LAYERS):
        block = f'blocks.{layer}.'
        y = apply(w, f'{block}attn.qkv', normalize(w, f'{block}norm1', x, 1e-5))
        query, key, value = y.chunk(3, -1)
        y = attend(rotate(query, angles), rotate(key, angles), value)
        x = x + w[f'{block}ls1.gamma'] * apply(w, f'{block}attn.proj', y)
        y = apply(w, f'{block}mlp.fc1', normalize(w, f'{block}norm2', x, 1e-5))
        x = x + w[f'{block}ls2.gamma'] * apply(w, f'{block}mlp.fc2', F.gelu(y))
    return normalize(w, 'norm', x[:, 0], 1e-5)


NETWORKS = dict(
    clip=(clip_weights, clip, dict(model_name='vit_base_patch16_clip_quickgelu_224')),
    siglip=(
        siglip_weights,
        siglip,
        dict(model_name='vit_base_patch16_siglip_224', act_layer='gelu_tanh'),
    ),
    dinov3=(
        dinov3_weights,
        dinov3,
        dict(model_name='vit_small_patch16_dinov3', global_pool='token'),
    ),
)
SMALL = dict(embed_dim=WIDTH, num_heads=HEADS, depth=LAYERS, img_size=(256, 128))


@pytest.mark.parametrize('name', NETWORKS)
def test_published_layout(name, tmp_path):
    draw_weights, plain, settings = NETWORKS[name]
    weights = draw_weights()
    torch.save(weights, tmp_path / 'weights.pth')
    init_default_scope('mmreid_cc')
    backbone = MODELS.build(
        dict(
            type='PooledTIMMBackbone',
            pretrained=str(tmp_path / 'weights.pth'),
            **settings,
            **SMALL,
        )
    )
    backbone.init_weights()  # as the Runner does; keeps the weights
    backbone.eval()
    images = torch.randn(2, 3, 256, 128, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        (found,) = backbone(images)
        torch.testing.assert_close(found, plain(weights, images), rtol=1e-4, atol=1e-4)


def test_a_missing_file():
    settings = dict(type='PooledTIMMBackbone', model_name='vit_small_patch16_dinov3')
    with pytest.raises(
        FileNotFoundError, match=r"pretrained='none\.pth' is not a file"
    ):
        MODELS.build(dict(settings, pretrained='none.pth'))


@pytest.mark.parametrize('name', NETWORKS)
def test_all_weights_are_trained(name):
    """A parameter without a gradient would stop distributed training."""
    settings = NETWORKS[name][2]
    init_default_scope('mmreid_cc')
    backbone = MODELS.build(dict(type='PooledTIMMBackbone', **settings, **SMALL))
    backbone.train()
    (features,) = backbone(torch.randn(2, 3, 256, 128))
    features.square().sum().backward()
    untrained = [key for key, p in backbone.named_parameters() if p.grad is None]
    assert not untrained
