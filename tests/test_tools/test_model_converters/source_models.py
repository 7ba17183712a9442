"""The networks of other re-ID code in plain PyTorch, under the names of their weights.

ResNets are torchvision's, with IBN layers put in where a source has them. They have an
eighth of the channels, and ViTs a quarter of the layers: names are all that matters.
"""

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.resnet import Bottleneck, ResNet

CHANNELS = 256  # of a map
LAYERS = 3


class IBN(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.IN = nn.InstanceNorm2d(channels // 2, affine=True)
        self.BN = nn.BatchNorm2d(channels - channels // 2)

    def forward(self, x):
        first, second = x.chunk(2, dim=1)
        return torch.cat([self.IN(first), self.BN(second)], 1)


class NarrowResNet(ResNet):
    def __setattr__(self, name, value):
        narrow = name == 'inplanes' and not hasattr(self, name)
        super().__setattr__(name, value // 8 if narrow else value)

    def _make_layer(self, block, planes, *arguments, **options):
        return super()._make_layer(block, planes // 8, *arguments, **options)


def resnet(ibn=False, last_stride=1):
    net = NarrowResNet(Bottleneck, [3, 4, 6, 3])
    net.layer4[0].conv2.stride = (last_stride, last_stride)
    net.layer4[0].downsample[0].stride = (last_stride, last_stride)
    if ibn:
        for stage in (net.layer1, net.layer2, net.layer3):
            for block in stage:
                block.bn1 = IBN(block.conv1.out_channels)
    return net


def maps(net, x):
    x = net.maxpool(F.relu(net.bn1(net.conv1(x))))
    return net.layer4(net.layer3(net.layer2(net.layer1(x))))


class GeM(nn.Module):
    def __init__(self):
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), 2.5))

    def forward(self, x):
        return x.clamp(min=1e-6).pow(self.p).mean((2, 3)).pow(1 / self.p)


class ClusterContrast(nn.Module):
    """clustercontrast.models: torchvision's layers in a Sequential."""

    def __init__(self, ibn=False, num_features=0):
        super().__init__()
        net = resnet(ibn)
        stem = [net.conv1, net.bn1, net.relu, net.maxpool]
        self.base = nn.Sequential(*stem, net.layer1, net.layer2, net.layer3, net.layer4)
        self.gap = GeM()
        if num_features:
            self.feat = nn.Linear(CHANNELS, num_features)
        self.feat_bn = nn.BatchNorm1d(num_features or CHANNELS)

    def forward(self, x):
        x = self.gap(self.base(x))
        if hasattr(self, 'feat'):
            x = self.feat(x)
        return F.normalize(self.feat_bn(x))


class FastReID(nn.Module):
    """fastreid: Baseline with an EmbeddingHead; from 1.0 on another first pooling."""

    def __init__(self, ibn=False, embedding=False):
        super().__init__()
        self.register_buffer('pixel_mean', torch.zeros(1, 3, 1, 1))
        self.register_buffer('pixel_std', torch.ones(1, 3, 1, 1))
        self.backbone = resnet(ibn)
        self.backbone.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        del self.backbone.fc
        neck = [nn.Conv2d(CHANNELS, 64, 1, bias=False)] if embedding else []
        neck.append(nn.BatchNorm2d(64 if embedding else CHANNELS))
        self.heads = nn.Module()
        self.heads.pool_layer = GeM()
        self.heads.bottleneck = nn.Sequential(*neck)
        self.heads.weight = nn.Parameter(torch.randn(7, CHANNELS))

    def forward(self, x):
        x = self.heads.pool_layer(maps(self.backbone, x))[..., None, None]
        return F.normalize(self.heads.bottleneck(x)[..., 0, 0])


def embedding(in_channels):
    return nn.Sequential(nn.Linear(in_channels, 512), nn.BatchNorm1d(512), nn.ReLU())


class TorchreidResNet(nn.Module):
    """torchreid: resnet50 and resnet50_ibn_a (last stride 2), resnet50_fc512 (1)."""

    def __init__(self, ibn=False, fc512=False):
        super().__init__()
        net = resnet(ibn, last_stride=1 if fc512 else 2)
        for name in ('conv1', 'bn1', 'maxpool', 'layer1', 'layer2', 'layer3', 'layer4'):
            setattr(self, name, getattr(net, name))
        self.fc = embedding(CHANNELS) if fc512 else nn.Identity()
        self.classifier = nn.Linear(512 if fc512 else CHANNELS, 7)

    def forward(self, x):
        return F.normalize(self.fc(maps(self, x).mean((2, 3))))


def conv_bn(in_channels, out_channels, kernel=1, stride=1):
    layer = nn.Module()
    padding = kernel // 2
    layer.conv = nn.Conv2d(
        in_channels, out_channels, kernel, stride, padding, bias=False
    )
    layer.bn = nn.BatchNorm2d(out_channels)
    return layer


def run(layer, x):
    return layer.bn(layer.conv(x))


class Light(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.conv2 = nn.Conv2d(
            channels, channels, 3, padding=1, groups=channels, bias=False
        )
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x):
        return F.relu(self.bn(self.conv2(self.conv1(x))))


class OSBlock(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        mid = out_channels // 4
        self.conv1 = conv_bn(in_channels, mid)
        self.conv2a = Light(mid)
        for length, name in enumerate(('conv2b', 'conv2c', 'conv2d'), 2):
            setattr(self, name, nn.Sequential(*(Light(mid) for _ in range(length))))
        self.gate = nn.Module()
        self.gate.fc1 = nn.Conv2d(mid, mid // 16, 1)
        self.gate.fc2 = nn.Conv2d(mid // 16, mid, 1)
        self.conv3 = conv_bn(mid, out_channels)
        if in_channels != out_channels:
            self.downsample = conv_bn(in_channels, out_channels)

    def forward(self, x):
        y = F.relu(run(self.conv1, x))
        total = 0
        for stream in (self.conv2a, self.conv2b, self.conv2c, self.conv2d):
            z = stream(y)
            gate = F.relu(self.gate.fc1(z.mean((2, 3), keepdim=True)))
            total = total + z * self.gate.fc2(gate).sigmoid()
        skip = run(self.downsample, x) if hasattr(self, 'downsample') else x
        return F.relu(run(self.conv3, total) + skip)


class TorchreidOSNet(nn.Module):
    """torchreid: osnet_x0_25 and so on."""

    def __init__(self, channels=(16, 64, 96, 128)):
        super().__init__()
        self.conv1 = conv_bn(3, channels[0], 7, 2)
        for stage in range(3):
            a, b = channels[stage : stage + 2]
            blocks = [OSBlock(a, b), OSBlock(b, b)]
            if stage < 2:
                blocks.append(nn.Sequential(conv_bn(b, b)))
            setattr(self, f'conv{stage + 2}', nn.Sequential(*blocks))
        self.conv5 = conv_bn(channels[-1], channels[-1])
        self.fc = embedding(channels[-1])
        self.classifier = nn.Linear(512, 7)

    def forward(self, x):
        x = F.max_pool2d(F.relu(run(self.conv1, x)), 3, 2, 1)
        for stage in (self.conv2, self.conv3):
            x = stage[1](stage[0](x))
            x = F.avg_pool2d(F.relu(run(stage[2][0], x)), 2)
        x = F.relu(run(self.conv5, self.conv4(x)))
        return F.normalize(self.fc(x.mean((2, 3))))


class ViTBlock(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = nn.ModuleDict(
            dict(qkv=nn.Linear(dim, 3 * dim), proj=nn.Linear(dim, dim))
        )
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = nn.ModuleDict(
            dict(fc1=nn.Linear(dim, 4 * dim), fc2=nn.Linear(4 * dim, dim))
        )

    def forward(self, x):
        qkv = self.attn['qkv'](self.norm1(x)).view(*x.shape[:2], 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        weights = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)
        x = x + self.attn['proj']((weights @ v).transpose(1, 2).reshape(x.shape))
        return x + self.mlp['fc2'](F.gelu(self.mlp['fc1'](self.norm2(x))))


class ViT(nn.Module):
    """ViT-S/16 of DINO and TransReID-SSL; with the latter's stem and BN neck."""

    def __init__(self, patches=128, ics=False):
        super().__init__()
        dim = 384
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(3, dim, 16, 16)
        if ics:
            self.patch_embed.conv = nn.Sequential(
                nn.Conv2d(3, 64, 7, 2, 3, bias=False),
                IBN(64),
                nn.ReLU(),
                nn.Conv2d(64, 64, 3, 1, 1, bias=False),
                IBN(64),
                nn.ReLU(),
                nn.Conv2d(64, 64, 3, 1, 1, bias=False),
                nn.BatchNorm2d(64),
                nn.ReLU(),
            )
            self.patch_embed.proj = nn.Conv2d(64, dim, 8, 8)
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.randn(1, patches + 1, dim))
        self.blocks = nn.Sequential(*(ViTBlock(dim, 6) for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.bottleneck = nn.BatchNorm1d(dim)

    def forward(self, x):
        if hasattr(self.patch_embed, 'conv'):
            x = self.patch_embed.conv(x)
        x = self.patch_embed.proj(x).flatten(2).mT
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1)
        x = self.norm(self.blocks(x + self.pos_embed))
        return F.normalize(self.bottleneck(x[:, 0]))


class PASSViT(ViT):
    """ViT-S/16 of PASS: part tokens; its re-ID with concatenation and one neck."""

    def __init__(self):
        super().__init__()
        dim = 384
        for name in ('part_token1', 'part_token2', 'part_token3'):
            self.register_parameter(name, nn.Parameter(torch.randn(1, 1, dim)))
        for name in ('cls_pos', 'part1_pos', 'part2_pos', 'part3_pos'):
            self.register_parameter(name, nn.Parameter(torch.randn(1, 1, dim)))
        self.pos_embed = nn.Parameter(torch.randn(1, 128, dim))
        self.bottleneck = nn.BatchNorm1d(2 * dim)

    def forward(self, x):
        patches = self.patch_embed.proj(x).flatten(2).mT + self.pos_embed
        tokens = [
            self.cls_token + self.cls_pos,
            self.part_token1 + self.part1_pos,
            self.part_token2 + self.part2_pos,
            self.part_token3 + self.part3_pos,
        ]
        rows = [token.expand(len(x), -1, -1) for token in tokens]
        x = self.norm(self.blocks(torch.cat([*rows, patches], 1)))
        parts = x[:, 1] / 3 + x[:, 2] / 3 + x[:, 3] / 3
        return F.normalize(self.bottleneck(torch.cat([x[:, 0], parts], 1)))


def draw_images(number, size):
    """Coarse patterns, which networks of random weights tell apart."""
    coarse = torch.randn(number, 3, 4, 2, dtype=torch.float64)
    return F.interpolate(2 * coarse, size, mode='bilinear')


@torch.no_grad()
def randomise(model, size):
    """Give every weight and statistic a value of its own, near working ones."""
    torch.manual_seed(0)
    model.double().train()
    for _ in range(2):
        model(draw_images(4, size))
    for name, weight in model.state_dict().items():
        if weight.is_floating_point() and not name.endswith('.p'):
            weight.mul_(torch.empty_like(weight).uniform_(0.9, 1.1))
        if name.endswith('bias'):
            weight.add_(torch.empty_like(weight).uniform_(-0.1, 0.1))
    return model.eval()
