#!/usr/bin/env bash
# Train on N GPUs, or on N CPU processes where there is no GPU:
#   tools/dist_train.sh CONFIG N [arguments of train.py]
# Several nodes: NNODES, NODE_RANK, MASTER_ADDR, PORT.
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
PROCESSES=${2:-}
case $PROCESSES in
'' | 0 | -*)
    echo "tools/dist_train.sh CONFIG N [arguments of train.py]: N is the number of processes, not '$PROCESSES'" >&2
    exit 2
    ;;
esac
ARGS=("$1" "${@:3}")

export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
# A signal to this script reaches the launcher, which ends its processes.
exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$ROOT/tools/train.py" "${ARGS[@]}" --launcher pytorch
