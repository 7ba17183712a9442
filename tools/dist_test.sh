#!/usr/bin/env bash
# Test on N GPUs, or on N CPU processes where there is no GPU:
#   tools/dist_test.sh CONFIG CHECKPOINT N [arguments of test.py]
# Several nodes: NNODES, NODE_RANK, MASTER_ADDR, PORT.
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
PROCESSES=${3:-}
case $PROCESSES in
'' | 0 | -*)
    echo "tools/dist_test.sh CONFIG CHECKPOINT N [arguments of test.py]: N is the number of processes, not '$PROCESSES'" >&2
    exit 2
    ;;
esac
ARGS=("$1" "$2" "${@:4}")

export PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}"
# A signal to this script reaches the launcher, which ends its processes.
exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$ROOT/tools/test.py" "${ARGS[@]}" --launcher pytorch
