#!/usr/bin/env bash
# Fetches NVIDIA's nvidia-smi, as debian.sh says, and prints its path.
exec bash "$(dirname "$0")/debian.sh" nvidia-smi usr/lib/nvidia/current/nvidia-smi
