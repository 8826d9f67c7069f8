#!/usr/bin/env bash
# A Ray cluster inside one SLURM job, and a study on it: blocks of all cells on all nodes.
#
#   sbatch ray-slurm.sh study.toml
#
# Needs Ray 2.49 or later (`ray symmetric-run`) in the environment, and a folder that all nodes see.
#SBATCH --job-name=synthbench-ray
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=32G
#SBATCH --time=04:00:00
#SBATCH --output=%x-%j.log
set -euo pipefail

study=${1:?usage: sbatch ray-slurm.sh STUDY.toml}
source "${SYNTHBENCH_ENV:-$SLURM_SUBMIT_DIR/.venv}/bin/activate"
cd "$SLURM_SUBMIT_DIR"

# Others on the network cannot run anything on this cluster: its nodes share a secret, kept in the
# home folder, which all of them see.
export RAY_AUTH_MODE=token
ray get-auth-token --generate > /dev/null

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
port=$((20000 + SLURM_JOB_ID % 20000))

# Starts Ray on every node, and on the first one the command once all have joined.
srun ray symmetric-run --address "$head:$port" --min-nodes "$SLURM_JOB_NUM_NODES" \
  --num-cpus "$SLURM_CPUS_PER_TASK" -- \
  synthbench eval "$study" --out "${SYNTHBENCH_OUT:-$SLURM_SUBMIT_DIR/runs}" \
  --launcher "ray address=$head:$port"
