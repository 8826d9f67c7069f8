#!/usr/bin/env bash
# A study on a SLURM cluster: the same command on every node, with one folder that all of them see.
#
#   sbatch slurm.sh study.toml
#
# Every task of the array takes the next cells that no other is training. Submitted again, with
# more or fewer tasks, it goes on where it stopped.
#SBATCH --job-name=synthbench
#SBATCH --array=1-4
#SBATCH --cpus-per-task=16
#SBATCH --mem=32G
#SBATCH --time=04:00:00
#SBATCH --signal=B:INT@60
#SBATCH --output=%x-%A-%a.log
set -euo pipefail

study=${1:?usage: sbatch slurm.sh STUDY.toml}
source "${SYNTHBENCH_ENV:-$SLURM_SUBMIT_DIR/.venv}/bin/activate"
cd "$SLURM_SUBMIT_DIR"

# Workers have one thread each. A minute before the time limit comes what Ctrl-C sends.
exec synthbench eval "$study" --out "${SYNTHBENCH_OUT:-$SLURM_SUBMIT_DIR/runs}" \
  --workers "$SLURM_CPUS_PER_TASK"
